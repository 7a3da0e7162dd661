/**
 * The port to a database: everything that Sluice needs of PostgreSQL, and all that `postgres.ts` and `pglite.ts` provide.
 *
 * Values: `bigint`, `numeric`, `json` and `jsonb` come back as their text, `timestamptz` as an ISO 8601 text in UTC,
 * `bytea` as a `Uint8Array`, `boolean`, `int2` and `int4` as themselves, arrays of these as arrays. Parameters go in as
 * text, number, boolean, null, `Uint8Array` or arrays of those; JSON goes in as text.
 */

import { createHash } from 'node:crypto'

/** A value that may stand for `$1`. */
export type Parameter = string | number | bigint | boolean | null | Uint8Array | readonly Parameter[]

/** What a statement gave back. */
export interface QueryResult<Row> {
  rows: Row[]
  /** Rows that the statement touched or returned. */
  rowCount: number
}

/**
 * A statement that PostgreSQL parses once a connection, and plans anew only while that pays. For those of every message, on Sluice's own
 * tables alone: a plan outlives no change of what a table's columns are, and a user's tables change.
 */
export interface PreparedStatement {
  readonly text: string
  /** The same for the same text, whoever prepared it on a connection that several processes come to use. */
  readonly name: string
}

/** Makes a {@link PreparedStatement}. */
export function prepared(text: string): PreparedStatement {
  return { text, name: `sluice_${createHash('sha256').update(text).digest('hex').slice(0, 16)}` }
}

/** Something that runs statements: the database, or a transaction of it. */
export interface Queryable {
  /** Runs one statement. Throws {@link DatabaseError}. */
  query<Row = Record<string, unknown>>(sql: string | PreparedStatement, parameters?: readonly Parameter[]): Promise<QueryResult<Row>>
}

/** An open transaction. It ends with the callback of {@link Db.transaction}. */
export interface Transaction extends Queryable {
  readonly inTransaction: true
  /** The driver's own client (a `pg` client or a PGlite transaction), for a user's handlers. */
  readonly native: unknown
  /** Runs several statements, separated by semicolons, without parameters, in one go. Throws {@link DatabaseError}. */
  exec(sql: string): Promise<void>
}

export interface TransactionOptions {
  /** Longest that one statement may run, in milliseconds. Default: the server's setting. */
  statementTimeout?: number
  /** Longest that the transaction may sit idle, in milliseconds. Default: the server's setting. */
  idleTimeout?: number
  /**
   * Plans with index scans (`enable_seqscan` off). For statements that join a thousand keys with a large table: before a
   * table's first ANALYZE the planner takes it for small and reads all of it, batch after batch. Default: false.
   */
  byIndex?: boolean
  /**
   * Plans that read an index in its order and stop, rather than sort all that there is (sequential and bitmap scans and sorts off).
   * For the next row of a queue: the planner's idea of how long the queue is comes late. Default: false.
   */
  inOrder?: boolean
  /**
   * Commits without waiting for the disk (`synchronous_commit` off): a crash of the server right after may undo it. Only for what
   * is done again by itself from what was durable before, and that no fence rests on. PGlite waits as it always does. Default: false.
   */
  asynchronousCommit?: boolean
}

export interface Db extends Queryable {
  readonly kind: 'postgres' | 'pglite'
  /**
   * Runs `work` in a READ COMMITTED transaction with TimeZone UTC: committed when it returns, rolled back when it throws.
   * Serialization failures and deadlocks (40001, 40P01) are thrown like any other error: see `store/retry.ts`.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
  /** Runs several statements, separated by semicolons, without parameters. */
  exec(sql: string): Promise<void>
  /**
   * Calls back for every NOTIFY on a channel, until the returned function is called. A hint only: notifications get lost
   * while the connection is, and behind some poolers there are none.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>
  /** Closes what this port opened; a pool that the user handed in stays open. */
  close(): Promise<void>
}

/** An error from PostgreSQL, whichever driver brought it. */
export class DatabaseError extends Error {
  /** SQLSTATE, five characters; `08000` for a connection that failed without one. */
  readonly sqlstate: string
  readonly detail: string | undefined
  readonly hint: string | undefined
  readonly table: string | undefined
  readonly column: string | undefined
  readonly constraint: string | undefined

  constructor(
    message: string,
    fields: { sqlstate: string; detail?: string; hint?: string; table?: string; column?: string; constraint?: string },
    cause?: unknown,
  ) {
    super(message, { cause })
    this.name = 'DatabaseError'
    this.sqlstate = fields.sqlstate
    this.detail = fields.detail
    this.hint = fields.hint
    this.table = fields.table
    this.column = fields.column
    this.constraint = fields.constraint
  }
}
