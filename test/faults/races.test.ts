/** Many at once: senders with one key, clicks beside the clock, versions of the same objects on eight workers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { receive } from '../../src/flow/index.ts'
import { requestRun } from '../../src/tasks/run.ts'
import { startWorker } from '../../src/worker/worker.ts'
import { Random } from '../simulation/random.ts'
import { hasNative } from '../support/database.ts'
import { itemsOf } from './crash-points.ts'
import { Harness } from './harness.ts'
import { untilAtRest } from './invariants.ts'

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
    const { services } = harness
    const key = harness.nextKey()
    const text = JSON.stringify(itemsOf(new Random(count), key, count))
    const post = () => {
      const body = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from(text)
      }
      return receive(services, { integration: 'item', source: 'test', body: body(), format: 'json', idempotencyKey: key, isDraft: false })
    }
    const receipts = await Promise.all(Array.from({ length: 50 }, post))
    expect(new Set(receipts.map(({ id }) => id)).size).toBe(1)
    expect(receipts.filter(({ repeated }) => !repeated)).toHaveLength(1)
    for (const { id } of receipts) harness.acknowledge(id, text)
    await harness.rest()
    await harness.check()
  })

  test('a hundred clicks, and the clock beside them, put each instance back once', { timeout: 120_000 }, async () => {
    const { db } = harness
    const id = await harness.send('item', [
      { id: 'well', v: 1, a: 'good' },
      { id: 'ill', v: 1, a: 'bad' },
    ])
    await harness.rest()
    const slot = new Date(0)
    const runs = await Promise.all([
      ...Array.from({ length: 100 }, () => requestRun(db, 'reprocess', { messages: [id] }, { startedBy: 'click', actor: 'operator' })),
      ...Array.from({ length: 4 }, () => requestRun(db, 'reprocess', {}, { startedBy: 'clock', slot })),
    ])
    expect(new Set(runs.slice(0, 100).map((run) => run.id)).size).toBe(1)
    expect(new Set(runs.slice(100).map((run) => run.id)).size).toBe(1)
    await harness.rest()
    const { rows } = await db.query<{ attempts: number }>(
      "SELECT attempts FROM sluice.instance WHERE message_id = $1 AND external_id = 'ill'",
      [id],
    )
    expect(rows).toEqual([{ attempts: 2 }])
    await harness.check()
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
