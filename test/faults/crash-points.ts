/** One fault at one point of one stage: from the work that leads there to the check of what became of it. */
import { splitNext } from '../../src/flow/index.ts'
import { claimChunks, reclaimExpired } from '../../src/store/chunk.ts'
import { requestRun } from '../../src/tasks/run.ts'
import { Random } from '../simulation/random.ts'
import type { Fault, Harness, Victim } from './harness.ts'
import type { Point, Stage } from './points.ts'
import { type Item, refuseBad } from './shop.ts'

/**
 * Brings a victim to a point, makes the fault happen there, lets a rescuer finish, and checks the invariants.
 *
 * @param seed what the objects are
 */
export async function crashAt(harness: Harness, point: Point, fault: Fault, seed: number): Promise<void> {
  const victim = await harness.victim()
  const objects = itemsOf(new Random(seed), harness.nextKey(), point.stage === 'split at intake' ? 45 : 12)
  const finish = await stages[point.stage](harness, victim, objects, point)
  await victim.hears('reached')
  await harness.inject(fault, victim)
  await finish()
  await harness.hurry()
  for (const task of ['split', 'process', 'rollup'] as const) await requestRun(harness.db, task, {}, { startedBy: 'click' })
  await harness.rest()
  if (victim.isAlive) {
    victim.tell({ arm: null })
    victim.tell({ work: false })
    await victim.hears('stopped')
  }
  await harness.check()
}

/** Objects of few keys, in a random order of versions and each with some of the fields. */
export function itemsOf(random: Random, name: string, count: number): Item[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${name} ${random.below(Math.ceil(count / 2))}`,
    v: random.below(10),
    ...(random.chance(0.7) ? { a: `a ${index}` } : {}),
    ...(random.chance(0.7) ? { b: `b ${index}` } : {}),
  }))
}

/** Leads to a point. Gives back what is to be done after the fault. */
type Lead = (harness: Harness, victim: Victim, objects: readonly Item[], point: Point) => Promise<() => Promise<void>>

const nothing = async (): Promise<void> => undefined

function go(victim: Victim, point: Point): () => Promise<void> {
  victim.tell({ arm: point })
  victim.tell({ work: true })
  return nothing
}

const takeIn: Lead = async (harness, victim, objects, point) => {
  const key = harness.nextKey()
  const text = JSON.stringify(objects)
  victim.tell({ arm: point })
  victim.tell({ receive: { integration: 'item', text, idempotencyKey: key } })
  return async () => {
    const news = victim.isAlive ? await victim.hears('receipt', 'refused') : null
    if (news !== null && 'receipt' in news) harness.acknowledge(news.receipt.id, text)
    // As a sender does, who got no answer; or got one and asks again.
    const id = await harness.send('item', objects, key)
    if (news !== null && 'receipt' in news && news.receipt.id !== id) throw new Error(`I1: ${key} made two messages`)
  }
}

const workOn: Lead = async (harness, victim, objects, point) => {
  await harness.send('item', objects)
  return go(victim, point)
}

/** A message whose chunk a lost worker holds. */
async function sendAndLose(harness: Harness, objects: readonly Item[]): Promise<void> {
  await harness.send('item', objects)
  await claimAndLose(harness)
}

/** What waits is claimed by a worker that was lost, and taken back: its objects go one by one. */
export async function loseChunk(harness: Harness): Promise<void> {
  await claimAndLose(harness)
  await reclaimExpired(harness.db)
}

async function claimAndLose(harness: Harness): Promise<void> {
  await splitNext(harness.services, ['item'])
  await claimChunks(harness.db, { integrations: ['item'], worker: 'lost', leaseSeconds: 60, size: 20 })
  await harness.db.query("UPDATE sluice.chunk SET lease_until = now() - interval '1 second' WHERE state = 'claimed'")
}

const stages: Record<Stage, Lead> = {
  receive: takeIn,
  'split at intake': takeIn,
  validate: takeIn,
  split: workOn,
  claim: workOn,
  process: workOn,
  'roll up': workOn,
  async 'reference came'(harness, victim, objects, point) {
    await harness.send('label', [{ id: harness.nextKey(), v: 1, item: objects[0]?.id }])
    await harness.rest()
    return workOn(harness, victim, objects, point)
  },
  async reprocess(harness, victim, objects, point) {
    await refuseBad(harness.db, true)
    const id = await harness.send(
      'item',
      objects.map((object, index) => (index % 3 === 0 ? { ...object, a: 'bad' } : object)),
    )
    await harness.rest()
    await refuseBad(harness.db, false)
    await requestRun(harness.db, 'reprocess', { messages: [id] }, { startedBy: 'click' })
    return go(victim, point)
  },
  async 'sweep of lost chunks'(harness, victim, objects, point) {
    await sendAndLose(harness, objects)
    return go(victim, point)
  },
  async 'object alone'(harness, victim, objects, point) {
    await harness.send('item', objects)
    await loseChunk(harness)
    return go(victim, point)
  },
}
