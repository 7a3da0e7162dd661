/** A worker that stands still for twice its lease and goes on when another has done its work: it changes nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../simulation/random.ts'
import { hasNative } from '../support/database.ts'
import { itemsOf, loseChunk } from './crash-points.ts'
import { Harness } from './harness.ts'
import type { Point } from './points.ts'
import { lease } from './shop.ts'

const moments: { where: string; point: Point }[] = [
  { where: 'between its transactions, with a chunk in hand', point: { stage: 'claim', when: 'after' } },
  { where: 'inside the transaction that applies the chunk', point: { stage: 'process', when: 'before' } },
  { where: 'inside the transaction that splits', point: { stage: 'split', when: 'before' } },
  { where: 'between an object and the next, going one by one', point: { stage: 'object alone', when: 'after' } },
]

describe.skipIf(!hasNative)('a worker stopped with SIGSTOP', () => {
  let harness: Harness
  beforeAll(async () => {
    harness = await Harness.start()
  })
  afterAll(() => harness?.close())

  test.each(moments)('$where', { timeout: 120_000 }, async ({ point }) => {
    const victim = await harness.victim()
    const id = await harness.send('item', itemsOf(new Random(1), harness.nextKey(), 12))
    if (point.stage === 'object alone') await loseChunk(harness)
    victim.tell({ arm: point })
    victim.tell({ work: true })
    await victim.hears('reached')
    victim.process.kill('SIGSTOP')
    // By the lease, and by the idle timeout of its transaction, which is the lease too: nobody hurries here.
    await Promise.all([harness.rest(), sleep(2 * lease * 1000)])
    const before = await picture(harness, id)
    // It goes on in the middle of what it was at: with what it knew, and on connections that may be gone.
    victim.process.kill('SIGCONT')
    victim.tell({ goOn: true })
    victim.tell({ work: false })
    await victim.hears('stopped')
    expect(await picture(harness, id)).toEqual(before)
    await harness.check()
  })
})

/** All that a zombie might have changed. */
async function picture(harness: Harness, id: string): Promise<unknown> {
  const { rows } = await harness.db.query<{ all: string }>(
    `SELECT json_build_object('message', (SELECT to_json(m) FROM sluice.message m WHERE m.id = $1),
       'chunks', (SELECT json_agg(c ORDER BY c.id) FROM sluice.chunk c WHERE c.message_id = $1),
       'instances', (SELECT json_agg(i ORDER BY i.ordinal) FROM sluice.instance i WHERE i.message_id = $1),
       'items', (SELECT json_agg(i ORDER BY i.id) FROM public.item i),
       'ledger', (SELECT json_agg(o ORDER BY o.external_id) FROM sluice.object o))::text AS all`,
    [id],
  )
  return JSON.parse(rows[0]?.all ?? '')
}
