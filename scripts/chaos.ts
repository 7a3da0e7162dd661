/**
 * `npm run test:chaos -- --minutes N --seed S`: a shop under load with faults by chance, on native PostgreSQL: each crash point
 * with each fault, and answers to COMMIT that are lost. With `--seeds N` instead of `--minutes` nothing is left to chance: every
 * point with every fault and N seeds, and 25 lost answers for each seed. Ends with 1 when an invariant doesn't hold. What a seed chooses is the
 * same each time; how the processes meet is not.
 */
import { parseArgs } from 'node:util'
import { crashAt } from '../test/faults/crash-points.ts'
import { faults, Harness } from '../test/faults/harness.ts'
import { loseCommits } from '../test/faults/lost-commit.ts'
import { type Point, stageNames } from '../test/faults/points.ts'
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
const count = (fault: string, times: number): void => {
  injected.set(fault, (injected.get(fault) ?? 0) + times)
}
let last = ''

async function crash(point: Point, fault: (typeof faults)[number], objects: number): Promise<void> {
  last = `${fault} ${point.when} the commit of ${point.stage}, seed ${objects}`
  await crashAt(harness, point, fault, objects)
  count(fault, 1)
}

async function lose(answers: number, objects: number): Promise<void> {
  last = 'lost answers to COMMIT'
  count(last, await loseCommits(harness, answers, objects))
}

async function everything(): Promise<void> {
  for (let number = seed; number < seed + seeds; number++) {
    for (const stage of stageNames)
      for (const when of ['before', 'after'] as const) for (const fault of faults) await crash({ stage, when }, fault, number)
    await lose(25, number)
  }
}

async function byChance(): Promise<void> {
  const deadline = performance.now() + minutes * 60_000
  while (performance.now() < deadline) {
    const objects = random.below(2 ** 31)
    if (random.chance(0.1)) await lose(10, objects)
    else await crash({ stage: random.pick(stageNames), when: random.pick(['before', 'after'] as const) }, random.pick(faults), objects)
  }
}

try {
  await (seeds > 0 ? everything() : byChance())
  const { messages, instances } = await harness.check()
  for (const [fault, times] of injected) console.log(`${fault}: ${times}`)
  console.log(`${messages} messages (${harness.acknowledged.length} receipts), ${instances} instances`)
  console.log('I1 to I6 hold: checked after every fault and at the end')
} catch (error) {
  console.error(`seed ${seed}, at: ${last}`)
  console.error(error)
  process.exitCode = 1
} finally {
  await harness.close()
}
