/** Many at once: senders with one key, clicks beside the clock, versions of the same objects on eight workers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorker } from '../../src/worker/worker.ts'
import { Random } from '../simulation/random.ts'
import { hasNative } from '../support/database.ts'
import { itemsOf } from './crash-points.ts'
import { Harness } from './harness.ts'
import { untilAtRest } from './invariants.ts'
import { clickAtOnce, postAtOnce } from './races.ts'

describe.skipIf(!hasNative)('races', () => {
  let harness: Harness
  beforeAll(async () => {
    harness = await Harness.start()
  })
  afterAll(() => harness?.close())

  test.each([
    { size: 'small', count: 5 },
    { size: 'large', count: 45 },
  ])('fifty identical posts of a $size message with one idempotency key make one message', { timeout: 120_000 }, async ({ count }) => {
    const { ids, first } = await postAtOnce(harness, count)
    expect(ids).toHaveLength(1)
    expect(first).toBe(1)
  })

  test('a hundred clicks, and the clock beside them, put each instance back once', { timeout: 120_000 }, async () => {
    expect(await clickAtOnce(harness)).toEqual({ byClick: 1, byClock: 1, attempts: [2] })
  })

  test('versions of the same objects, in any order, on eight workers', { timeout: 120_000 }, async () => {
    const random = new Random(8)
    // Each message has the same keys in another order; nobody has begun yet.
    for (let round = 0; round < 40; round++) await harness.send('item', itemsOf(random, 'crowd', 20))
    const errors: unknown[] = []
    // Chunks that make the same new rows with other fields may deadlock; PostgreSQL ends one after a second, and it is tried again.
    const config = { ...harness.services.config, worker: { ...harness.services.config.worker, lease: 60 } }
    const log = { ...harness.services.log, error: (fields: object) => errors.push(fields) }
    const workers = Array.from({ length: 8 }, (_, index) => startWorker({ ...harness.services, config, log }, { name: `worker ${index}` }))
    try {
      await untilAtRest(harness.db)
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()))
    }
    expect(errors).toEqual([])
    const failed = await harness.db.query("SELECT FROM sluice.failure WHERE class = 'transient'")
    expect(failed.rowCount).toBe(0)
    await harness.check()
  })
})
