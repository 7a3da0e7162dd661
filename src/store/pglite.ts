/** The database port over PGlite: PostgreSQL in this process, with one connection. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PGlite, type Transaction as PgliteTransaction, types } from '@electric-sql/pglite'
import { DatabaseError, type Db, type Parameter, type QueryResult, type Transaction, type TransactionOptions } from './db.ts'
import { lockFolder } from './lock-file.ts'
import { decodedTypes, decoderOf, encodeParameter } from './values.ts'

/**
 * Opens an embedded database.
 *
 * @param options.folder where its files are; without it everything is in memory and gone with the process
 * @throws SluiceError `database_locked` when another process has the folder
 */
export async function createPglite(options: { folder?: string | undefined } = {}): Promise<Db> {
  const { folder } = options
  if (folder !== undefined) await mkdir(dirname(folder), { recursive: true })
  const unlock = folder === undefined ? undefined : await lockFolder(folder)
  try {
    const lite = folder === undefined ? new PGlite() : new PGlite(folder)
    await lite.waitReady
    lite.parsers = parsers
    await lite.exec("SET TimeZone = 'UTC'")
    return port(lite, unlock)
  } catch (error) {
    await unlock?.()
    throw error
  }
}

// PGlite falls back to parsers of its own for types that have none here, so every type it knows is named.
const parsers = Object.fromEntries([...Object.keys(types.parsers).map(Number), ...decodedTypes()].map((oid) => [oid, decoderOf(oid)]))

function port(lite: PGlite, unlock: (() => Promise<void>) | undefined): Db {
  return {
    kind: 'pglite',
    query: (sql, parameters) => run(lite, sql, parameters),
    transaction: (work, options) => inTransaction(lite, work, options),
    async exec(sql, tx) {
      await wrap(() => (tx === undefined ? lite : (tx.native as PgliteTransaction)).exec(sql))
    },
    async listen(channel, onNotify) {
      return lite.listen(channel, onNotify)
    },
    async close() {
      await lite.close()
      await unlock?.()
    },
  }
}

// Parameters come encoded: PGlite's own serializers must leave them as they are.
const asTheyAre: Record<number, (value: unknown) => string> = new Proxy({}, { get: () => (value: unknown) => value })

async function run<Row>(client: PGlite | PgliteTransaction, sql: string, parameters: readonly Parameter[] = []): Promise<QueryResult<Row>> {
  const result = await wrap(() => client.query<Row>(sql, parameters.map(encodeParameter), { serializers: asTheyAre }))
  return { rows: result.rows, rowCount: Math.max(result.affectedRows ?? 0, result.rows.length) }
}

async function inTransaction<T>(lite: PGlite, work: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
  // Errors of the work go through as they are; PGlite's own (BEGIN, COMMIT) are wrapped.
  let outcome: { value: T } | { error: unknown } | undefined
  try {
    await lite.transaction(async (client) => {
      if (options.statementTimeout !== undefined) await client.exec(`SET LOCAL statement_timeout = ${Math.round(options.statementTimeout)}`)
      if (options.byIndex === true) await client.exec('SET LOCAL enable_seqscan = off')
      try {
        outcome = { value: await work({ inTransaction: true, native: client, query: (sql, parameters) => run(client, sql, parameters) }) }
      } catch (error) {
        outcome = { error }
        throw error
      }
    })
  } catch (error) {
    if (outcome !== undefined && 'error' in outcome) throw outcome.error
    throw toDatabaseError(error)
  }
  if (outcome === undefined || 'error' in outcome) throw new DatabaseError('the transaction did not run', { sqlstate: '40000' })
  return outcome.value
}

async function wrap<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toDatabaseError(error)
  }
}

const fieldNames = ['detail', 'hint', 'table', 'column', 'constraint'] as const

/** An error of PGlite as ours. What has no SQLSTATE is the database itself that failed: class XX. */
function toDatabaseError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const known: Partial<Record<(typeof fieldNames)[number], string>> = {}
  for (const name of fieldNames) if (typeof fields[name] === 'string') known[name] = fields[name]
  const code = typeof fields.code === 'string' && /^[0-9A-Z]{5}$/.test(fields.code) ? fields.code : 'XX000'
  return new DatabaseError(error instanceof Error ? error.message : String(error), { sqlstate: code, ...known }, error)
}
