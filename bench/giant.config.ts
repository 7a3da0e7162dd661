/** As `sluice.config.ts`, for messages of any size. */
import { defineConfig } from '../src/index.ts'
import config from './sluice.config.ts'

const GiB = 2 ** 30

export default defineConfig({
  integrations: [...config.integrations.values()],
  limits: { body: 4 * GiB, decompressed: 4 * GiB, objects: 10_000_000 },
  logLevel: config.logLevel,
  worker: { processes: config.worker.processes },
})
