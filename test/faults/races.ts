/** Many at once: senders with one key, clicks beside the clock. */
import { receive } from '../../src/flow/index.ts'
import { requestRun } from '../../src/tasks/run.ts'
import { Random } from '../simulation/random.ts'
import { itemsOf } from './crash-points.ts'
import type { Harness } from './harness.ts'
import { refuseBad } from './shop.ts'

/**
 * Posts one message fifty times at once with one idempotency key, and brings everything to rest.
 *
 * @returns the ids of the messages that it made, and how many receipts said that they were the first; each must be one
 */
export async function postAtOnce(harness: Harness, count: number): Promise<{ ids: string[]; first: number }> {
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
  for (const { id } of receipts) harness.acknowledge(id, text)
  await harness.rest()
  await harness.check()
  return { ids: [...new Set(receipts.map(({ id }) => id))], first: receipts.filter(({ repeated }) => !repeated).length }
}

/**
 * Asks a hundred times at once for the failed instance of a message to come again, with the clock beside it.
 *
 * @returns how many runs the clicks and the clock made, one each, and the attempts of the instance: two
 */
export async function clickAtOnce(harness: Harness): Promise<{ byClick: number; byClock: number; attempts: number[] }> {
  const { db } = harness
  const name = harness.nextKey()
  await refuseBad(db, true)
  const id = await harness.send('item', [
    { id: `${name} well`, v: 1, a: 'good' },
    { id: `${name} ill`, v: 1, a: 'bad' },
  ])
  await harness.rest()
  // A slot of the clock comes once in a lifetime.
  const { rows: last } = await db.query<{ n: string }>("SELECT count(*) AS n FROM sluice.task_run WHERE started_by = 'clock'")
  const slot = new Date(Number(last[0]?.n) * 60_000)
  const runs = await Promise.all([
    ...Array.from({ length: 100 }, () => requestRun(db, 'reprocess', { messages: [id] }, { startedBy: 'click', actor: 'operator' })),
    ...Array.from({ length: 4 }, () => requestRun(db, 'reprocess', {}, { startedBy: 'clock', slot })),
  ])
  await harness.rest()
  const { rows } = await db.query<{ attempts: number }>(
    "SELECT attempts FROM sluice.instance WHERE message_id = $1 AND external_id LIKE '% ill'",
    [id],
  )
  await harness.check()
  const different = (some: typeof runs): number => new Set(some.map((run) => run.id)).size
  return { byClick: different(runs.slice(0, 100)), byClock: different(runs.slice(100)), attempts: rows.map(({ attempts }) => attempts) }
}
