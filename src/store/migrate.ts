/** Brings the schema `sluice` up to date: `sql/migrations/*.sql` in the order of their numbers, each once. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { SluiceError } from '../errors.ts'
import { DatabaseError, type Db, type Queryable } from './db.ts'
import { withRetry } from './retry.ts'

interface Migration {
  id: number
  name: string
  sha256: string
  sql: string
}

/**
 * Applies what is missing. Many processes may do this at once: each migration's row is inserted first, in the same
 * transaction, so that one of them applies it and the others wait.
 *
 * @returns names of the migrations applied now
 * @throws SluiceError `migration_changed` when an applied file was edited, `database_newer` when the database has
 *   migrations that this version doesn't know
 */
export async function migrate(db: Db): Promise<string[]> {
  const migrations = await readMigrations()
  await withRetry(() => createBookkeeping(db))
  await check(db, migrations)
  const applied: string[] = []
  for (const migration of migrations) if (await apply(db, migration)) applied.push(migration.name)
  return applied
}

/** Names of the migrations that the database lacks; all of them when it has none. Throws as {@link migrate} does. */
export async function pendingMigrations(db: Db): Promise<string[]> {
  const migrations = await readMigrations()
  if (!(await hasBookkeeping(db))) return migrations.map((migration) => migration.name)
  const applied = await check(db, migrations)
  return migrations.filter((migration) => !applied.has(migration.id)).map((migration) => migration.name)
}

async function hasBookkeeping(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ exists: boolean }>("SELECT to_regclass('sluice.migration') IS NOT NULL AS exists")
  return rows[0]?.exists === true
}

async function createBookkeeping(db: Db): Promise<void> {
  // Looked for first: IF NOT EXISTS asks for the right to create, also when there is nothing to create.
  if (await hasBookkeeping(db)) return
  try {
    await db.transaction(async (tx) => {
      const { rows } = await tx.query<{ exists: boolean }>("SELECT to_regnamespace('sluice') IS NOT NULL AS exists")
      if (rows[0]?.exists !== true) await tx.query('CREATE SCHEMA IF NOT EXISTS sluice')
      await tx.query(
        `CREATE TABLE IF NOT EXISTS sluice.migration (
           id integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`,
      )
    })
  } catch (error) {
    // Two at once: IF NOT EXISTS looks before it leaps. The other one has made it.
    const isRace = error instanceof DatabaseError && ['23505', '42P06', '42P07', '42710'].includes(error.sqlstate)
    if (!isRace) throw error
    await createBookkeeping(db)
  }
}

async function apply(db: Db, migration: Migration): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rowCount } = await tx.query('INSERT INTO sluice.migration (id, name, sha256) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
      migration.id,
      migration.name,
      migration.sha256,
    ])
    if (rowCount === 0) return false
    await tx.exec(migration.sql)
    return true
  })
}

async function check(db: Queryable, migrations: readonly Migration[]): Promise<Set<number>> {
  const { rows } = await db.query<{ id: number; name: string; sha256: string }>('SELECT id, name, sha256 FROM sluice.migration ORDER BY id')
  const known = new Map(migrations.map((migration) => [migration.id, migration]))
  for (const row of rows) {
    const migration = known.get(row.id)
    if (migration === undefined) {
      throw new SluiceError(
        'database_newer',
        `The database has the migration ${row.name}, which this version of Sluice doesn't know. Update Sluice.`,
      )
    }
    if (migration.sha256 !== row.sha256) {
      throw new SluiceError(
        'migration_changed',
        `The migration ${row.name} was changed after it had been applied. Put the file back and write a new migration.`,
      )
    }
  }
  return new Set(rows.map((row) => row.id))
}

async function readMigrations(): Promise<Migration[]> {
  const folder = migrationsFolder()
  const names = (await readdir(folder)).filter((name) => /^\d{4}_.*\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      // A checkout on Windows may have other line ends; the checksum must not.
      const sql = (await readFile(new URL(name, folder), 'utf8')).replaceAll('\r\n', '\n')
      return { id: Number(name.slice(0, 4)), name: name.replace(/\.sql$/, ''), sha256: createHash('sha256').update(sql).digest('hex'), sql }
    }),
  )
}

/** The files lie beside `src/` in the repository and beside `dist/` in the package: two levels up from here in both. */
function migrationsFolder(): URL {
  const folder = new URL('../../sql/migrations/', import.meta.url)
  if (!existsSync(folder)) throw new Error(`migrations not found in ${folder.pathname}`)
  return folder
}
