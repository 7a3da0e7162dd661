/** A worker process with four writers, which works until it is killed or told to stop. */
import { defineConfig } from '../../src/config.ts'
import { createServices } from '../../src/services.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { startWorker } from '../../src/worker/worker.ts'
import { organizationPages } from './organization-pages.ts'

const [inboxUrl = '', siteUrl = '', secret = '', name = ''] = process.argv.slice(2)
const config = defineConfig(
  { integrations: [organizationPages(siteUrl, secret)], chunkSize: 8, worker: { concurrency: 4, poll: 0.1 }, logLevel: 'silent' },
  {},
)
const db = createPostgres({ url: inboxUrl })
const worker = startWorker(createServices(config, db), { name })

process.on('message', async () => {
  await worker.stop()
  await db.close()
  process.disconnect()
})
