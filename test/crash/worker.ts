/** A worker process for the crash tests: the ROR example on the database given, until it is told to stop or killed. */

import config from '../../examples/ror/sluice.config.ts'
import { createServices } from '../../src/services.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { startWorker } from '../../src/worker/worker.ts'

const [url = '', name = ''] = process.argv.slice(2)
const db = createPostgres({ url })
// A short lease: the tests wait for it to run out.
const services = createServices({ ...config, worker: { ...config.worker, lease: 2, poll: 0.1 } }, db)
const worker = startWorker(services, { name, onChunk: (state) => process.send?.(state) })

process.on('message', async () => {
  await worker.stop()
  await db.close()
  process.disconnect()
})
