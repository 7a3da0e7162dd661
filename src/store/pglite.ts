/** The database port over PGlite: PostgreSQL in this process, with one connection. Transactions and statements take turns. */
import { mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { PGlite, type Transaction as PgliteTransaction, type QueryOptions, TransactionAbortedError, types } from '@electric-sql/pglite'
import {
  DatabaseError,
  type Db,
  type Parameter,
  type PreparedStatement,
  type QueryResult,
  type Transaction,
  type TransactionOptions,
} from './db.ts'
import { fromServer } from './driver-error.ts'
import { lockFolder } from './lock-file.ts'
import { openTransaction } from './open-transaction.ts'
import { decodedTypes, decoderOf, encodeParameter } from './values.ts'

/**
 * Opens an embedded database.
 *
 * @param options.folder where its files are; without it everything is in memory and gone with the process
 * @throws SluiceError `database_locked` when another process has the folder
 */
export async function createPglite(options: { folder?: string | undefined } = {}): Promise<Db> {
  const { folder } = options
  if (folder !== undefined) await mkdir(dirname(resolve(folder)), { recursive: true })
  const unlock = folder === undefined ? undefined : await lockFolder(folder)
  try {
    const lite = folder === undefined ? new PGlite() : new PGlite(folder)
    await lite.waitReady
    await lite.exec("SET TimeZone = 'UTC'")
    return port(lite, unlock)
  } catch (error) {
    await unlock?.()
    throw error
  }
}

function port(lite: PGlite, unlock: (() => Promise<void>) | undefined): Db {
  let closed: Promise<void> | undefined
  return {
    kind: 'pglite',
    query: (sql, parameters) => run(lite, sql, parameters),
    transaction: (work, options) => inTransaction(lite, work, options),
    async exec(sql) {
      await wrap(() => lite.exec(sql))
    },
    async listen(channel, onNotify) {
      return wrap(() => lite.listen(channel, onNotify))
    },
    close() {
      closed ??= lite.close().finally(() => unlock?.())
      return closed
    },
  }
}

// Given with every statement, so that a handler that uses PGlite itself finds it as it is documented.
const conventions: QueryOptions = {
  // PGlite falls back to parsers of its own for types that have none here, so every type it knows is named.
  parsers: Object.fromEntries([...Object.keys(types.parsers).map(Number), ...decodedTypes()].map((oid) => [oid, decoderOf(oid)])),
  // Parameters come encoded.
  serializers: new Proxy({}, { get: () => (value: unknown) => value }),
}

async function run<Row>(
  client: PGlite | PgliteTransaction,
  sql: string | PreparedStatement,
  parameters: readonly Parameter[] = [],
): Promise<QueryResult<Row>> {
  const text = typeof sql === 'string' ? sql : sql.text
  const result = await wrap(() => client.query<Row>(text, parameters.map(encodeParameter), conventions))
  await breathe()
  return { rows: result.rows, rowCount: Math.max(result.affectedRows ?? 0, result.rows.length) }
}

/** Longest that statements follow on each other before the rest of the process has its turn, in milliseconds. */
const longestBout = 10

let lastTurn = performance.now()

/**
 * PGlite computes in this thread and answers by promises alone, so that a worker's statements would follow on each other without
 * a turn of the event loop: no request would be read until the worker has nothing left to do. After a statement, so that the
 * order in which statements were given stays theirs.
 */
async function breathe(): Promise<void> {
  if (performance.now() - lastTurn < longestBout) return
  await turn()
  lastTurn = performance.now()
}

async function inTransaction<T>(lite: PGlite, work: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
  // Errors of the work go through as they are; PGlite's own (BEGIN, COMMIT) are wrapped.
  let outcome: { value: T } | { error: unknown } | undefined
  try {
    await lite.transaction(async (client) => {
      if (options.statementTimeout !== undefined) await client.exec(`SET LOCAL statement_timeout = ${Math.round(options.statementTimeout)}`)
      if (options.byIndex === true) await client.exec('SET LOCAL enable_seqscan = off')
      if (options.inOrder === true)
        await client.exec('SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off')
      const { tx, end } = openTransaction(client, {
        query: (sql, parameters) => run(client, sql, parameters),
        async exec(sql) {
          await wrap(() => client.exec(sql))
        },
      })
      try {
        outcome = { value: await work(tx) }
      } catch (error) {
        outcome = { error }
        throw error
      } finally {
        end()
      }
    })
  } catch (error) {
    if (outcome !== undefined && 'error' in outcome) throw outcome.error
    if (error instanceof TransactionAbortedError) {
      throw new DatabaseError('a statement of the transaction had failed, so that COMMIT rolled it back', { sqlstate: '40000' }, error)
    }
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

/** An error of PGlite as ours. What has no SQLSTATE is the database itself that failed: class XX. */
function toDatabaseError(error: unknown): DatabaseError {
  const text = error instanceof Error ? error.message : String(error)
  return fromServer(error) ?? new DatabaseError(text, { sqlstate: 'XX000' }, error)
}
