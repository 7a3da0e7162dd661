/** The database port over `pg`. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { DatabaseError, type Db, type Parameter, type QueryResult, type Transaction, type TransactionOptions } from './db.ts'
import { decoderOf, encodeParameter } from './values.ts'

/** A pool of our own from a URL, or the application's own, which stays open when the port is closed. */
export type PostgresOptions = { url: string; connections?: number } | { pool: pg.Pool }

const types = { getTypeParser: (oid: number) => decoderOf(oid) } as unknown as pg.CustomTypesConfig

/** Opens the port. Connects with the first statement. */
export function createPostgres(options: PostgresOptions): Db {
  const isOwn = 'url' in options
  const pool = isOwn ? new pg.Pool({ connectionString: options.url, max: options.connections ?? 10 }) : options.pool
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  if (isOwn) pool.on('error', () => undefined)
  return {
    kind: 'postgres',
    query: (sql, parameters) => run(pool, sql, parameters),
    transaction: (work, transactionOptions) => inTransaction(pool, work, transactionOptions),
    async exec(sql, tx) {
      await wrap(() => (tx === undefined ? pool : (tx.native as pg.ClientBase)).query(sql))
    },
    listen: (channel, onNotify) => listen(pool, channel, onNotify),
    close: () => (isOwn ? pool.end() : Promise.resolve()),
  }
}

async function run<Row>(client: pg.Pool | pg.ClientBase, sql: string, parameters: readonly Parameter[] = []): Promise<QueryResult<Row>> {
  const result = await wrap(() => client.query({ text: sql, values: parameters.map(encodeParameter), types }))
  return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 }
}

async function inTransaction<T>(pool: pg.Pool, work: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
  const client = await wrap(() => pool.connect())
  let broken: Error | undefined
  const onError = (error: Error): void => {
    broken = error
  }
  client.on('error', onError)
  try {
    await wrap(() => client.query(begin(options)))
    const result = await work({ inTransaction: true, native: client, query: (sql, parameters) => run(client, sql, parameters) })
    const ended = await wrap(() => client.query('COMMIT'))
    if (ended.command !== 'COMMIT')
      throw new DatabaseError('the transaction had failed before, so that COMMIT rolled it back', { sqlstate: '40000' })
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError
    })
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

function begin({ statementTimeout, idleTimeout, byIndex }: TransactionOptions): string {
  const settings = ["BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL TimeZone = 'UTC'"]
  if (statementTimeout !== undefined) settings.push(`SET LOCAL statement_timeout = ${Math.round(statementTimeout)}`)
  if (idleTimeout !== undefined) settings.push(`SET LOCAL idle_in_transaction_session_timeout = ${Math.round(idleTimeout)}`)
  if (byIndex === true) settings.push('SET LOCAL enable_seqscan = off')
  return settings.join('; ')
}

/** Listens on a connection of its own; when it breaks, another one is made, with backoff. */
async function listen(pool: pg.Pool, channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
  const stopping = new AbortController()
  let current: pg.PoolClient | undefined
  const connect = async (): Promise<void> => {
    const client = await wrap(() => pool.connect())
    client.on('notification', (message) => onNotify(message.payload ?? ''))
    const lost = (): void => {
      if (current !== client) return
      current = undefined
      client.release(true)
      void reconnect()
    }
    client.on('error', lost)
    client.on('end', lost)
    await wrap(() => client.query(`LISTEN ${pg.escapeIdentifier(channel)}`))
    current = client
    if (stopping.signal.aborted) client.release(true)
  }
  const reconnect = async (): Promise<void> => {
    for (let delay = 250; !stopping.signal.aborted; delay = Math.min(delay * 2, 30_000)) {
      await sleep(delay, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
      if (stopping.signal.aborted) return
      try {
        await connect()
        // What was notified meanwhile is lost: look for work.
        onNotify('')
        return
      } catch {
        // The database is still away.
      }
    }
  }
  await connect()
  return async () => {
    stopping.abort()
    const client = current
    current = undefined
    client?.release(true)
  }
}

const sqlstate = /^[0-9A-Z]{5}$/

async function wrap<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toDatabaseError(error)
  }
}

/** An error of `pg` as ours; a connection that failed has no SQLSTATE of its own and gets 08006 (connection_failure). */
function toDatabaseError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error
  if (error instanceof pg.DatabaseError && error.code !== undefined && sqlstate.test(error.code)) {
    const { code, detail, hint, table, column, constraint, message } = error
    return new DatabaseError(
      message,
      {
        sqlstate: code,
        ...(detail === undefined ? {} : { detail }),
        ...(hint === undefined ? {} : { hint }),
        ...(table === undefined ? {} : { table }),
        ...(column === undefined ? {} : { column }),
        ...(constraint === undefined ? {} : { constraint }),
      },
      error,
    )
  }
  const text =
    error instanceof AggregateError ? error.errors.map(String).join('; ') : error instanceof Error ? error.message : String(error)
  return new DatabaseError(`no connection to PostgreSQL: ${text}`, { sqlstate: '08006' }, error)
}
