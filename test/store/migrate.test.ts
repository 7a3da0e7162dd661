import { readdir } from 'node:fs/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Db } from '../../src/store/db.ts'
import { migrate, pendingMigrations } from '../../src/store/migrate.ts'
import { createPglite } from '../../src/store/pglite.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { createTestDatabase, databaseKinds, hasNative } from '../support/database.ts'

const files = (await readdir(new URL('../../sql/migrations/', import.meta.url))).map((name) => name.replace(/\.sql$/, '')).sort()

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A database without the schema `sluice`, and a way to connect to it once more. */
async function emptyDatabase(kind: (typeof databaseKinds)[number]): Promise<{ db: Db; another(): Db; url: string }> {
  if (kind === 'pglite') {
    const db = await createPglite()
    cleanups.push(() => db.close())
    return { db, another: () => db, url: '' }
  }
  const { db, url, close } = await createTestDatabase(kind)
  cleanups.push(close)
  await db.exec('DROP SCHEMA sluice CASCADE')
  const another = (): Db => {
    const next = createPostgres({ url, connections: 1 })
    cleanups.push(() => next.close())
    return next
  }
  return { db, another, url }
}

describe.each(databaseKinds)('%s', (kind) => {
  test('applies what is missing once, and says what', async () => {
    const { db } = await emptyDatabase(kind)
    expect(await pendingMigrations(db)).toEqual(files)
    expect(await migrate(db)).toEqual(files)
    expect(await migrate(db)).toEqual([])
    expect(await pendingMigrations(db)).toEqual([])
    const { rows } = await db.query('SELECT name, length(sha256) AS digits FROM sluice.migration ORDER BY id')
    expect(rows).toEqual(files.map((name) => ({ name, digits: 64 })))
  })

  test('twenty at once on an empty database all succeed, and apply each once', async () => {
    const { db, another } = await emptyDatabase(kind)
    const applied = await Promise.all(Array.from({ length: 20 }, () => migrate(another())))
    expect(applied.flat().sort()).toEqual(files)
    const { rows } = await db.query<{ name: string }>('SELECT name FROM sluice.migration ORDER BY id')
    expect(rows.map(({ name }) => name)).toEqual(files)
  })

  test('a migration that was changed after it had been applied is an error that names it', async () => {
    const { db } = await emptyDatabase(kind)
    await migrate(db)
    await db.query("UPDATE sluice.migration SET sha256 = repeat('0', 64) WHERE id = 1")
    const changed = { name: 'SluiceError', code: 'migration_changed', message: expect.stringContaining('0001_initial') }
    await expect(migrate(db)).rejects.toMatchObject(changed)
    await expect(pendingMigrations(db)).rejects.toMatchObject(changed)
  })

  test('a database newer than the code is refused', async () => {
    const { db } = await emptyDatabase(kind)
    await migrate(db)
    await db.query("INSERT INTO sluice.migration (id, name, sha256) VALUES (9999, '9999_future', 'x')")
    const newer = { code: 'database_newer', message: expect.stringContaining('9999_future') }
    await expect(migrate(db)).rejects.toMatchObject(newer)
    await expect(pendingMigrations(db)).rejects.toMatchObject(newer)
  })

  test('a migration that fails leaves nothing behind, and can be applied later', async () => {
    const { db } = await emptyDatabase(kind)
    // In the way of a table near the end of the first migration.
    await db.exec('CREATE SCHEMA sluice; CREATE TABLE sluice.audit_log (n int)')
    await expect(migrate(db)).rejects.toMatchObject({ sqlstate: '42P07' })
    expect((await db.query("SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'sluice'")).rowCount).toBe(2)
    expect(await pendingMigrations(db)).toEqual(files)
    await db.exec('DROP TABLE sluice.audit_log')
    expect(await migrate(db)).toEqual(files)
  })
})

test.skipIf(!hasNative)('a role that may not create schemas migrates the schema that it was given', async () => {
  const { db, url } = await emptyDatabase('postgres')
  const role = `migrator_${process.pid}_${Date.now()}`
  await db.exec(`CREATE ROLE ${role} LOGIN; CREATE SCHEMA sluice AUTHORIZATION ${role}`)
  const asRole = new URL(url)
  asRole.username = role
  const restricted = createPostgres({ url: asRole.href })
  cleanups.push(async () => {
    await restricted.close()
    await db.exec(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
  })
  expect(await migrate(restricted)).toEqual(files)
  expect(await migrate(restricted)).toEqual([])
})
