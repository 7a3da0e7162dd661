import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { emptyAll, nodeTable, runDatabaseSchedule } from './database.ts'

const schedules = 24

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase('pglite')
  await database.db.exec(nodeTable)
})
afterAll(() => database.close())

test(`the store and the flow hold the invariants in ${schedules} schedules`, { timeout: 300_000 }, async () => {
  const happened = new Map<string, number>()
  for (let seed = 1; seed <= schedules; seed++) {
    await emptyAll(database.db)
    const each = await runDatabaseSchedule(database.db, seed).catch((error: unknown) => {
      throw new Error(`schedule ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
    })
    for (const [what, count] of each) happened.set(what, (happened.get(what) ?? 0) + count)
  }
  for (const what of [
    'crash',
    'zombie',
    'taken over',
    'poisoned',
    'surroundings',
    'answer lost',
    'rolled back',
    'replay',
    'reprocess',
    'prune',
  ])
    expect([what, (happened.get(what) ?? 0) > 0]).toEqual([what, true])
})
