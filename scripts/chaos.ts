/**
 * `npm run test:chaos -- --minutes N --seed S`: a shop under load with faults by chance, on native PostgreSQL, and beside it another one
 * with a transaction that is held all the time. With `--seeds N` instead of `--minutes` nothing is left to chance: every point of a
 * crash with every fault and N seeds, and 25 lost answers for each seed. Ends with 1 when an invariant doesn't hold, or a promise.
 * What a seed chooses is the same each time; how the processes meet is not.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { migrate } from '../src/store/migrate.ts'
import { createPostgres } from '../src/store/postgres.ts'
import { crashAt } from '../test/faults/crash-points.ts'
import { faults, Harness } from '../test/faults/harness.ts'
import { type HeldLoad, loadBesideTransaction } from '../test/faults/held-transaction.ts'
import { loseCommits } from '../test/faults/lost-commit.ts'
import { type Point, stageNames } from '../test/faults/points.ts'
import { type Poison, poison, poisons, wanted } from '../test/faults/poison.ts'
import { clickAtOnce, postAtOnce } from '../test/faults/races.ts'
import { moments, standStill } from '../test/faults/zombies.ts'
import { Random } from '../test/simulation/random.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const minutes = Number(values.minutes)
const seeds = Number(values.seeds)
const seed = Number(values.seed)
if (!(minutes > 0) || !Number.isInteger(seed) || !Number.isInteger(seeds))
  throw new Error('--minutes takes a number above 0, --seed and --seeds a whole number')

console.log(seeds > 0 ? `seeds ${seed} to ${seed + seeds - 1} of every point and fault` : `seed ${seed}, ${minutes} minutes`)
const random = new Random(seed)
const harness = await Harness.start()
const injected = new Map<string, number>()
let last = ''

/** Makes a fault happen; `does` brings everything to rest, checks the invariants, and gives how often it happened if not once. */
async function inject(fault: string, where: string, does: () => Promise<unknown>): Promise<void> {
  last = `${fault} ${where}`
  const times = await does()
  injected.set(fault, (injected.get(fault) ?? 0) + (typeof times === 'number' ? times : 1))
}

function expectEqual(found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected)) throw new Error(`expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`)
}

const crash = (point: Point, fault: (typeof faults)[number], objects: number): Promise<void> =>
  inject(fault, `${point.when} the commit of ${point.stage}, seed ${objects}`, () => crashAt(harness, point, fault, objects))

const lose = (answers: number, objects: number): Promise<void> =>
  inject('lost answers to COMMIT', `seed ${objects}`, () => loseCommits(harness, answers, objects))

const zombie = ({ where, point }: (typeof moments)[number], objects: number): Promise<void> =>
  inject('SIGSTOP for twice the lease', `${where}, seed ${objects}`, async () => {
    const { before, after } = await standStill(harness, point, objects)
    expectEqual(after, before)
  })

const posts = (count: number): Promise<void> =>
  inject('fifty posts with one key', `${count} objects`, async () => {
    const { ids, first } = await postAtOnce(harness, count)
    expectEqual({ messages: ids.length, first }, { messages: 1, first: 1 })
  })

const clicks = (): Promise<void> =>
  inject('a hundred clicks and the clock', '', async () =>
    expectEqual(await clickAtOnce(harness), { byClick: 1, byClock: 1, attempts: [2] }),
  )

let databases = 0
const poisoned = (does: Poison): Promise<void> =>
  inject(`poison: ${does}`, '', async () => {
    const name = `poisoned_${++databases}`
    await harness.db.exec(`CREATE DATABASE ${name}`)
    const url = new URL(harness.server.url)
    url.pathname = `/${name}`
    const db = createPostgres({ url: url.href })
    try {
      await migrate(db)
      const { ends, ...became } = await poison({ db, url: url.href }, does)
      expectEqual(became, wanted)
      if (ends < 1 || ends > 3) throw new Error(`the worker ended ${ends} times`)
    } finally {
      await db.close()
    }
  })

async function everything(): Promise<void> {
  for (let number = seed; number < seed + seeds; number++) {
    for (const stage of stageNames)
      for (const when of ['before', 'after'] as const) for (const fault of faults) await crash({ stage, when }, fault, number)
    await lose(25, number)
  }
}

async function byChance(): Promise<HeldLoad> {
  const deadline = performance.now() + minutes * 60_000
  const goesOn = (): boolean => performance.now() < deadline
  const held = loadBesideTransaction(goesOn, seed)
  // Thrown where it is awaited.
  held.catch(() => undefined)
  while (goesOn()) {
    const objects = random.below(2 ** 31)
    const chance = random.below(100)
    if (chance < 10) await lose(10, objects)
    else if (chance < 20) await zombie(random.pick(moments), objects)
    else if (chance < 25) await posts(1 + random.below(60))
    else if (chance < 30) await clicks()
    else if (chance < 33) await poisoned(random.pick(poisons))
    else await crash({ stage: random.pick(stageNames), when: random.pick(['before', 'after'] as const) }, random.pick(faults), objects)
  }
  last = 'the held transaction'
  return held
}

/** The longest that the slowest claim of a hundred may take beside a held transaction, in milliseconds. */
const slowestClaim = 50

function tellHeld({ seconds, messages, instances, claims, bytes }: HeldLoad): void {
  const ms = (figure: number): string => `${figure.toFixed(1)} ms`
  console.log(
    `a transaction held for ${seconds.toFixed(0)} s beside ${messages} messages, ${instances} instances: ${claims.count} claims, median ${ms(claims.median)}, 99th percentile ${ms(claims.p99)}; the ledger ${bytes.held} bytes, after a vacuum and half of the load again ${bytes.afterwards}`,
  )
  if (claims.p99 > slowestClaim) throw new Error(`claims took more than ${slowestClaim} ms`)
  // Without room that is used again it would be half as large again.
  if (bytes.afterwards > bytes.held * 1.25) throw new Error('the ledger went on growing')
}

try {
  const held = await (seeds > 0 ? everything() : byChance())
  const { messages, instances } = await harness.check()
  for (const [fault, times] of injected) console.log(`${fault}: ${times}`)
  console.log(`${messages} messages (${harness.acknowledged.length} receipts), ${instances} instances`)
  if (held !== undefined) tellHeld(held)
  console.log('I1 to I6 hold: checked after every fault and at the end')
} catch (error) {
  console.error(`seed ${seed}, at: ${last}`)
  console.error(error)
  process.exitCode = 1
} finally {
  await harness.close()
}
