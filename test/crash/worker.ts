/** A worker process for the crash tests: the ROR example on the database given, until it is told to stop or kills itself. */

import config from '../../examples/ror/sluice.config.ts'
import { createServices } from '../../src/services.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { startWorker } from '../../src/worker/worker.ts'

/** `dies`: the chunk, counted from 1, in whose middle the process kills itself; nothing for never. */
const [url = '', name = '', dies = ''] = process.argv.slice(2)
const db = createPostgres({ url })
// A short lease: the tests wait for it to run out.
const services = createServices({ ...config, worker: { ...config.worker, lease: 2, poll: 0.1 } }, db)
let chunks = 0
const worker = startWorker(services, {
  name,
  onChunk: (state) => {
    // No cleaning up, and at any moment of the chunk.
    if (state !== null && state.chunkId !== null && ++chunks === Number(dies))
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), Math.random() * 50)
  },
})

process.on('message', async () => {
  await worker.stop()
  await db.close()
  process.disconnect()
})
