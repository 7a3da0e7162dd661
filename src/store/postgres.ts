/** The database port over `pg`. */
import pg from 'pg'
import { elementTypesOf, encodeBinaryArray } from './array-binary.ts'
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
import { listenOn } from './listen.ts'
import { openTransaction } from './open-transaction.ts'
import { decoderOf, encodeParameter, isList } from './values.ts'

/** A pool of our own from a URL, or the application's own, which stays open when the port is closed. */
export type PostgresOptions = ({ url: string; connections?: number } | { pool: pg.Pool }) & {
  /** Whether statements that come often are prepared on each connection. Default: true. */
  preparedStatements?: boolean | undefined
}

/** How long a statement waits for a connection, made or free. */
const connectMilliseconds = 30_000

// `format` is text: Sluice asks for no binary results.
const types = { getTypeParser: (oid: number) => decoderOf(oid) } as unknown as pg.CustomTypesConfig

/** Opens the port. Connects with the first statement. */
export function createPostgres(options: PostgresOptions): Db {
  const isOwn = 'url' in options
  const pool = isOwn
    ? new pg.Pool({
        connectionString: options.url,
        max: options.connections ?? 10,
        connectionTimeoutMillis: connectMilliseconds,
        keepAlive: true,
        application_name: 'sluice',
      })
    : options.pool
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  const ignore = (): void => undefined
  pool.on('error', ignore)
  const preparing: Preparing = { isOn: options.preparedStatements ?? true }
  const listeners = new Set<() => Promise<void>>()
  let closed: Promise<void> | undefined
  return {
    kind: 'postgres',
    query: (sql, parameters) => run(pool, preparing, sql, parameters),
    transaction: (work, transactionOptions) => inTransaction(pool, preparing, work, transactionOptions),
    async exec(sql) {
      await wrap(() => pool.query(sql))
    },
    async listen(channel, onNotify) {
      // Not a connection of the pool: it would be gone from there for good.
      const stop = await wrap(() => listenOn(() => new pg.Client(pool.options), channel, onNotify))
      listeners.add(stop)
      return async () => {
        listeners.delete(stop)
        await stop()
      }
    },
    close() {
      closed ??= (async () => {
        await Promise.all([...listeners].map((stop) => stop()))
        // Connections of our own pool may still break while they say goodbye, so the listener stays there.
        if (isOwn) await pool.end()
        else pool.off('error', ignore)
      })()
      return closed
    },
  }
}

/** Whether this process may prepare statements: until it is told otherwise. */
interface Preparing {
  isOn: boolean
}

/** A plan for a few rows is none for a thousand: with longer lists a statement is planned each time, which it hardly notices. */
const longestPreparedList = 128

async function run<Row>(
  client: pg.Pool | pg.ClientBase,
  preparing: Preparing,
  sql: string | PreparedStatement,
  parameters: readonly Parameter[] = [],
): Promise<QueryResult<Row>> {
  const text = typeof sql === 'string' ? sql : sql.text
  const values = encode(text, parameters)
  if (typeof sql === 'string' || !preparing.isOn || parameters.some((value) => isList(value) && value.length > longestPreparedList)) {
    return resultOf(await wrap(() => client.query({ text, values, types })))
  }
  return resultOf(
    await wrap(() => client.query({ name: sql.name, text, values, types })).catch((error: DatabaseError) => {
      if (!isNoPlace(error)) throw error
      preparing.isOn = false
      // As a failure that a second try mends, so that nobody's work is lost by it.
      const message = `${error.message}. A pooler seems to share connections between transactions: this process prepares no statements any more (database.preparedStatements)`
      throw new DatabaseError(message, { sqlstate: '40001' }, error)
    }),
  )
}

function resultOf<Row>({ rows, rowCount }: pg.QueryResult): QueryResult<Row> {
  return { rows: rows as Row[], rowCount: rowCount ?? 0 }
}

/**
 * Whether a prepared statement is not where it was prepared, or is there already: a pooler that shares connections between transactions
 * and knows nothing of them, as PgBouncer before 1.21. Or the columns that it reads are others since: a migration came.
 */
function isNoPlace({ sqlstate, message }: DatabaseError): boolean {
  const isStale = sqlstate === featureNotSupported && message.includes('cached plan')
  return sqlstate === invalidStatementName || sqlstate === duplicateStatement || isStale
}

const invalidStatementName = '26000'
const duplicateStatement = '42P05'
const featureNotSupported = '0A000'

/** Lists whose type the statement names go in the binary format, which `pg` uses for what comes as bytes. */
function encode(sql: string, parameters: readonly Parameter[]): (string | Uint8Array | null)[] {
  if (!parameters.some(isList)) return parameters.map(encodeParameter)
  const types = elementTypesOf(sql)
  return parameters.map((parameter, index) => {
    const type = types[index]
    return (type !== undefined && isList(parameter) ? encodeBinaryArray(type, parameter) : null) ?? encodeParameter(parameter)
  })
}

async function inTransaction<T>(
  pool: pg.Pool,
  preparing: Preparing,
  work: (tx: Transaction) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const client = await wrap(() => pool.connect())
  let broken: Error | undefined
  const onError = (error: Error): void => {
    broken ??= error
  }
  client.on('error', onError)
  const refuseWhenBroken = (): void => {
    // The server's last word (25P03, 57P01) says more than that the connection is gone.
    if (broken !== undefined) throw toDatabaseError(broken)
  }
  const { tx, end } = openTransaction(client, {
    async query(sql, parameters) {
      refuseWhenBroken()
      return run(client, preparing, sql, parameters)
    },
    async exec(sql) {
      refuseWhenBroken()
      await wrap(() => client.query(sql))
    },
  })
  try {
    await wrap(() => client.query(begin(options)))
    const result = await work(tx)
    end()
    await commit(client)
    return result
  } catch (error) {
    end()
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken ??= rollbackError
    })
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

async function commit(client: pg.ClientBase): Promise<void> {
  const { command } = await wrap(() => client.query('COMMIT')).catch((error: DatabaseError) => {
    if (error.sqlstate !== lostConnection) throw error
    const message = `${error.message}. It broke during COMMIT: whether the transaction was committed is not known`
    throw new DatabaseError(message, { sqlstate: '08007' }, error.cause)
  })
  if (command !== 'COMMIT') {
    throw new DatabaseError('a statement of the transaction had failed, so that COMMIT rolled it back', { sqlstate: '40000' })
  }
}

// Before PostgreSQL 18 a plan that can't do without what is switched off costs so much that it would be compiled each time.
const planByIndex = 'SET LOCAL jit = off; SET LOCAL enable_seqscan = off'
const readInOrder = `${planByIndex}; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off`

function begin({ statementTimeout, idleTimeout, byIndex, inOrder, asynchronousCommit }: TransactionOptions): string {
  const settings = ["BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = ISO"]
  if (statementTimeout !== undefined) settings.push(`SET LOCAL statement_timeout = ${Math.round(statementTimeout)}`)
  if (idleTimeout !== undefined) settings.push(`SET LOCAL idle_in_transaction_session_timeout = ${Math.round(idleTimeout)}`)
  if (byIndex === true) settings.push(planByIndex)
  if (inOrder === true) settings.push(readInOrder)
  if (asynchronousCommit === true) settings.push('SET LOCAL synchronous_commit = off')
  return settings.join('; ')
}

async function wrap<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toDatabaseError(error)
  }
}

/** connection_failure */
const lostConnection = '08006'

/** An error of `pg` as ours; a connection that failed has no SQLSTATE of its own. */
function toDatabaseError(error: unknown): DatabaseError {
  const known = fromServer(error)
  if (known !== null) return known
  const text =
    error instanceof AggregateError ? error.errors.map(String).join('; ') : error instanceof Error ? error.message : String(error)
  return new DatabaseError(`no connection to PostgreSQL: ${text}`, { sqlstate: lostConnection }, error)
}
