/** Migrations: each once, however many processes begin at the same time. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import type { Db } from '../../src/store/db.ts'
import { migrate, pendingMigrations } from '../../src/store/migrate.ts'
import { createPglite } from '../../src/store/pglite.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { hasNative } from '../support/database.ts'

describe('pglite', () => {
  test('applies what is missing, once, and says what is pending', async () => {
    const db = await createPglite()
    try {
      const all = await pendingMigrations(db)
      expect(all).toContain('0001_initial')
      expect(await migrate(db)).toEqual(all)
      expect(await migrate(db)).toEqual([])
      expect(await pendingMigrations(db)).toEqual([])
    } finally {
      await db.close()
    }
  })

  test('refuses a database that is newer, and one whose migration was changed', async () => {
    const db = await createPglite()
    try {
      await migrate(db)
      await db.query("INSERT INTO sluice.migration (id, name, sha256) VALUES (9999, '9999_future', 'x')")
      await expect(migrate(db)).rejects.toMatchObject({ code: 'database_newer', message: expect.stringContaining('9999_future') })
      await db.query('DELETE FROM sluice.migration WHERE id = 9999')
      await db.query("UPDATE sluice.migration SET sha256 = 'other' WHERE id = 1")
      await expect(pendingMigrations(db)).rejects.toMatchObject({
        code: 'migration_changed',
        message: expect.stringContaining('0001_initial'),
      })
    } finally {
      await db.close()
    }
  })
})

describe.skipIf(!hasNative)('postgres', () => {
  test('twenty at once on an empty database: all succeed, each migration is applied once', async () => {
    const adminUrl = inject('postgresUrl')
    const name = `migrate_${randomBytes(6).toString('hex')}`
    await asAdmin(adminUrl, `CREATE DATABASE ${name}`)
    const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href
    const ports: Db[] = Array.from({ length: 20 }, () => createPostgres({ url, connections: 1 }))
    try {
      const applied = await Promise.all(ports.map((db) => migrate(db)))
      expect(applied.flat()).toEqual([...new Set(applied.flat())])
      expect(applied.flat()).toContain('0001_initial')
    } finally {
      await Promise.all(ports.map((db) => db.close()))
      await asAdmin(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`)
    }
  })
})

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}
