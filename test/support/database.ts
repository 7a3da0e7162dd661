/** Databases for tests: a clone of a migrated template, on native PostgreSQL or in a folder of PGlite's. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { inject } from 'vitest'
import type { Db } from '../../src/store/db.ts'
import { migrate } from '../../src/store/migrate.ts'
import { createPglite } from '../../src/store/pglite.ts'
import { createPostgres } from '../../src/store/postgres.ts'

/** Whether this platform has native PostgreSQL. For `describe.skipIf(!hasNative)`. */
export const hasNative = inject('postgresUrl') !== ''

/** Whether connections go through PgBouncer in transaction mode: no notifications, nothing that a session remembers. */
export const isPooled = inject('poolerUrl') !== ''

/** The run on another PostgreSQL, or through a pooler, has only that to add: PGlite was there in the first run. */
const isSecondRun = hasNative && (process.env.SLUICE_TEST_PG !== undefined || isPooled)

/** The databases that every test of store, flow and targets runs on. */
export const databaseKinds: readonly ('pglite' | 'postgres')[] = isSecondRun
  ? ['postgres']
  : hasNative
    ? ['pglite', 'postgres']
    : ['pglite']

/** A database of its own. */
export interface TestDatabase {
  db: Db
  /** Of the database, for a second connection; empty on PGlite. */
  url: string
  /** The same, past the pooler. */
  directUrl: string
  close(): Promise<void>
}

const template = 'sluice_template'

/** A migrated, empty database. On PostgreSQL `search_path` is empty, so that an unqualified name fails. */
export async function createTestDatabase(kind: 'pglite' | 'postgres'): Promise<TestDatabase> {
  if (kind === 'pglite') {
    const folder = join(inject('temporaryFolder'), `pglite-${randomBytes(8).toString('hex')}`)
    await cp(await pgliteTemplate(), folder, { recursive: true })
    const db = await createPglite({ folder })
    return {
      db,
      url: '',
      directUrl: '',
      async close() {
        await db.close()
        await rm(folder, { recursive: true })
      },
    }
  }
  const adminUrl = inject('postgresUrl')
  await ensureTemplate(adminUrl)
  const name = `test_${randomBytes(8).toString('hex')}`
  await asAdmin(adminUrl, async (client) => {
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`)
    await client.query(`ALTER DATABASE ${name} SET search_path = ''`)
  })
  const url = urlOf(isPooled ? inject('poolerUrl') : adminUrl, name)
  const db = createPostgres({ url, preparedStatements: !isPooled })
  return {
    db,
    url,
    directUrl: urlOf(adminUrl, name),
    async close() {
      await db.close()
      await asAdmin(adminUrl, (client) => drop(client, name))
    },
  }
}

/** A folder to copy, made once: a new PGlite costs two seconds, its copy a fifth of one. Of two that make it, one wins. */
async function pgliteTemplate(): Promise<string> {
  const folder = join(inject('temporaryFolder'), 'pglite-template')
  if (existsSync(folder)) return folder
  const making = `${folder}-${randomBytes(8).toString('hex')}`
  const db = await createPglite({ folder: making })
  await migrate(db)
  await db.close()
  await rename(making, folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    await rm(making, { recursive: true })
  })
  return folder
}

/** The template is made once per server; an advisory lock lets one test file make it while the others wait. */
async function ensureTemplate(adminUrl: string): Promise<void> {
  await asAdmin(adminUrl, async (client) => {
    await client.query('SELECT pg_advisory_lock(7300)')
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1 AND datistemplate', [template])
    if (rowCount === 1) return
    await client.query(`DROP DATABASE IF EXISTS ${template}`)
    await client.query(`CREATE DATABASE ${template}`)
    const db = createPostgres({ url: urlOf(adminUrl, template) })
    await migrate(db)
    await db.close()
    await client.query(`ALTER DATABASE ${template} WITH IS_TEMPLATE true`)
  })
}

/** Waits for sessions that are still saying goodbye, since one that is thrown out then has nobody to tell; then forces. */
async function drop(client: pg.Client, name: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE datname = $1', [name])
    if (rowCount === 0) break
    await sleep(20)
  }
  await client.query(`DROP DATABASE ${name} WITH (FORCE)`)
}

async function asAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl)
  url.pathname = `/${database}`
  return url.href
}
