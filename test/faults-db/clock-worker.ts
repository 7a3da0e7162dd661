/** A worker process for the tests of clocks: tells what its own clock says, then works until it is told to stop. */
import { createPostgres } from '../../src/store/postgres.ts'
import { startWorker } from '../../src/worker/worker.ts'
import { createThings } from '../tasks/support.ts'

const [url = ''] = process.argv.slice(2)
const db = createPostgres({ url })
const services = createThings(db, { worker: { poll: 0.1 }, retention: { processed: { message: 1 } } })
const worker = startWorker(services, { name: 'skewed' })
process.send?.(Date.now())

process.on('message', async () => {
  await worker.stop()
  await db.close()
  process.disconnect()
})
