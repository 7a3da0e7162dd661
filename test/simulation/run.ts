/**
 * `npm run test:simulate`: the simulation for as many schedules as told, a million by default, from a seed on; and, if told, schedules on a
 * database (PGlite).
 *
 *   npm run test:simulate -- --schedules 1000000 --seed 1
 *   npm run test:simulate -- --schedules 0 --database 300
 */
import { parseArgs } from 'node:util'
import { migrate } from '../../src/store/migrate.ts'
import { createPglite } from '../../src/store/pglite.ts'
import { emptyAll, nodeTable, runDatabaseSchedule } from './database.ts'
import { runSchedule } from './schedule.ts'

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '1000000' },
    database: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const schedules = Number(values.schedules)
const onDatabase = Number(values.database)
const first = Number(values.seed)
const began = performance.now()
const happened = new Map<string, number>()
console.log(`${schedules} schedules from seed ${first} on`)
for (let done = 0; done < schedules; done++) {
  const seed = first + done
  try {
    note(runSchedule(seed).happened)
  } catch (error) {
    fail(error, seed, `--schedules 1 --seed ${seed}`)
  }
  if ((done + 1) % 100_000 === 0) console.log(`${done + 1} schedules, ${Math.round((performance.now() - began) / 1000)} s`)
}
if (onDatabase > 0) {
  const db = await createPglite()
  await migrate(db)
  await db.exec(nodeTable)
  for (let seed = first; seed < first + onDatabase; seed++) {
    await emptyAll(db)
    note(await runDatabaseSchedule(db, seed).catch((error: unknown) => fail(error, seed, `--schedules 0 --database 1 --seed ${seed}`)))
  }
  await db.close()
}
console.log(
  `all invariants held in ${schedules} schedules and ${onDatabase} on a database, ${Math.round((performance.now() - began) / 1000)} s`,
)
console.log([...happened].map(([what, count]) => `${what} ${count}`).join(', '))

function note(counts: ReadonlyMap<string, number>): void {
  for (const [what, count] of counts) happened.set(what, (happened.get(what) ?? 0) + count)
}

function fail(error: unknown, seed: number, again: string): never {
  console.error(`schedule ${seed}: ${error instanceof Error ? error.message : error}`)
  console.error(`Again: npm run test:simulate -- ${again}`)
  process.exit(1)
}
