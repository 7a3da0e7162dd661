/**
 * `npm run test:simulate`: the simulation for as many schedules as told, a million by default, from a seed on.
 *
 *   npm run test:simulate -- --schedules 1000000 --seed 1
 */
import { parseArgs } from 'node:util'
import { runSchedule } from './schedule.ts'

const { values } = parseArgs({
  options: { schedules: { type: 'string', default: '1000000' }, seed: { type: 'string', default: String(Date.now() % 2 ** 31) } },
})
const schedules = Number(values.schedules)
const first = Number(values.seed)
const began = performance.now()
const happened = new Map<string, number>()
console.log(`${schedules} schedules from seed ${first} on`)
for (let done = 0; done < schedules; done++) {
  const seed = first + done
  try {
    for (const [what, count] of runSchedule(seed).happened) happened.set(what, (happened.get(what) ?? 0) + count)
  } catch (error) {
    console.error(`schedule ${seed}: ${error instanceof Error ? error.message : error}`)
    console.error(`Again: npm run test:simulate -- --schedules 1 --seed ${seed}`)
    process.exit(1)
  }
  if ((done + 1) % 100_000 === 0) console.log(`${done + 1} schedules, ${Math.round((performance.now() - began) / 1000)} s`)
}
console.log([...happened].map(([what, count]) => `${what} ${count}`).join(', '))
console.log(`all invariants held in ${schedules} schedules, ${Math.round((performance.now() - began) / 1000)} s`)
