/** A worker that stands still for twice its lease, while another does its work, and then goes on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from '../simulation/random.ts'
import { itemsOf, loseChunk } from './crash-points.ts'
import type { Harness } from './harness.ts'
import type { Point } from './points.ts'
import { lease } from './shop.ts'

/** Where it stands still. */
export const moments: readonly { where: string; point: Point }[] = [
  { where: 'between its transactions, with a chunk in hand', point: { stage: 'claim', when: 'after' } },
  { where: 'inside the transaction that applies the chunk', point: { stage: 'process', when: 'before' } },
  { where: 'inside the transaction that splits', point: { stage: 'split', when: 'before' } },
  { where: 'between an object and the next, going one by one', point: { stage: 'object alone', when: 'after' } },
]

/**
 * Stops a victim at a point, lets a rescuer finish, lets the victim go on, and checks the invariants.
 *
 * @returns all that it might have changed, before it went on and after; they must be equal
 */
export async function standStill(harness: Harness, point: Point, seed: number): Promise<{ before: unknown; after: unknown }> {
  const victim = await harness.victim()
  const id = await harness.send('item', itemsOf(new Random(seed), harness.nextKey(), 12))
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
  const after = await picture(harness, id)
  await harness.check()
  return { before, after }
}

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
