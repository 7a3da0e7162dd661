/** A worker process whose handler does to it what an object says. */
import { z } from 'zod'
import { workUnderSupervision } from '../../src/cli/worker-process.ts'
import { defineConfig, defineIntegration } from '../../src/config.ts'
import { createSluice } from '../../src/sluice.ts'

/** Seconds until the supervisor kills a worker that is still at one chunk. */
export const deadline = 8

const poison = defineIntegration({
  name: 'poison',
  schema: z.object({ id: z.string(), does: z.string() }),
  key: 'id',
  target: (t) =>
    t.handler({
      async apply({ does }) {
        if (does === 'abort') process.abort()
        if (does === 'never return') await new Promise(() => undefined)
        if (does === 'block') for (;;);
        if (does === 'eat memory') for (const eaten: unknown[] = []; ; ) eaten.push(new Array(100_000).fill(eaten.length))
        return 'created'
      },
    }),
})

export const poisonConfig = defineConfig(
  { integrations: [poison], chunkSize: 100, validateWithin: 300, logLevel: 'silent', worker: { poll: 0.1, lease: 2, deadline } },
  { DATABASE_URL: process.argv[3] === 'work' ? (process.argv[2] ?? '') : '' },
)

if (process.send !== undefined && process.argv[3] === 'work') {
  const sluice = createSluice(poisonConfig)
  await workUnderSupervision(sluice, 1)
  await sluice.close()
}
