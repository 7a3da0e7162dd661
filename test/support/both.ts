/** The two databases that every rule must hold on: PGlite with its one connection, and a native server with many. */
import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import type { Db } from '../../src/store/db.ts'
import { createTestDatabase, databaseKinds, hasNative, type TestDatabase } from './database.ts'

/** The database of the current `describe`: made before its tests, emptied before each, removed after them. */
export interface Opened {
  readonly db: Db
}

/** Runs the same tests on PGlite and on native PostgreSQL. */
export function onBoth(tests: (opened: Opened) => void): void {
  describe.each(databaseKinds)('%s', (kind) => tests(open(kind)))
}

/** Runs tests that need several connections on native PostgreSQL. */
export function onPostgres(tests: (opened: Opened) => void): void {
  describe.skipIf(!hasNative)('postgres', () => tests(open('postgres')))
}

function open(kind: (typeof databaseKinds)[number]): Opened {
  let database: TestDatabase | undefined
  beforeAll(async () => {
    database = await createTestDatabase(kind)
  })
  beforeEach(async () => {
    if (database !== undefined) await empty(database.db)
  })
  afterAll(() => database?.close())
  return {
    get db() {
      if (database === undefined) throw new Error('the database is made before the first test')
      return database.db
    },
  }
}

async function empty(db: Db): Promise<void> {
  const { rows } = await db.query<{ names: string }>(
    `SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') AS names FROM pg_catalog.pg_tables
     WHERE schemaname = 'sluice' AND tablename <> 'migration'`,
  )
  await db.exec(`TRUNCATE ${rows[0]?.names ?? ''} RESTART IDENTITY`)
}
