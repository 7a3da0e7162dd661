/** Takes messages in and works on them through a proxy that loses answers to COMMIT. */
import { receive } from '../../src/flow/index.ts'
import { createServices } from '../../src/services.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { requestRun } from '../../src/tasks/run.ts'
import { startWorker } from '../../src/worker/worker.ts'
import { Random } from '../simulation/random.ts'
import { itemsOf } from './crash-points.ts'
import type { Harness } from './harness.ts'
import { untilAtRest } from './invariants.ts'
import { startLosingProxy } from './losing-proxy.ts'
import { shopConfig } from './shop.ts'

/**
 * Loses the answers to at least `wanted` COMMITs, one or two at a time, and checks the invariants.
 *
 * @returns how many were lost
 */
export async function loseCommits(harness: Harness, wanted: number, seed: number): Promise<number> {
  const random = new Random(seed)
  const proxy = await startLosingProxy(harness.server.url)
  const db = createPostgres({ url: proxy.url })
  const services = createServices(shopConfig(), db)
  const worker = startWorker(services, { name: 'unlucky' })
  try {
    while (proxy.lost < wanted) {
      const before = proxy.lost
      const key = harness.nextKey()
      const text = JSON.stringify(itemsOf(random, `item ${random.below(5)}`, 25))
      proxy.lose(1 + random.below(2))
      const send = async (): Promise<string> => {
        const body = async function* (): AsyncGenerator<Uint8Array> {
          yield Buffer.from(text)
        }
        return (
          await receive(services, {
            integration: 'item',
            source: 'test',
            body: body(),
            format: 'json',
            idempotencyKey: key,
            isDraft: false,
          })
        ).id
      }
      let id: string | null = null
      while (id === null) id = await send().catch(() => null)
      harness.acknowledge(id, text)
      while (proxy.lost === before) await new Promise((resolve) => setTimeout(resolve, 5))
      // Chunks that were given back are due at once.
      await harness.hurry()
    }
    proxy.lose(0)
    await harness.hurry()
    for (const task of ['split', 'process', 'rollup'] as const) await requestRun(harness.db, task, {}, { startedBy: 'click' })
    await untilAtRest(harness.db)
  } finally {
    await worker.stop()
    await db.close()
    await proxy.close()
  }
  await harness.check()
  return proxy.lost
}
