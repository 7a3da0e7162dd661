/** As much of Payload's Local API as the adapter uses, by shape: Payload itself is the site's, and is not imported here. */

/** A document as the Local API gives it with `depth: 0`. */
export type Doc = Record<string, unknown> & { id: string | number }

export interface LocalApi {
  config: { localization?: unknown }
  collections: Record<string, { config: unknown } | undefined>
  find(options: {
    collection: string
    where: Record<string, unknown>
    depth: 0
    /** 0: all. */
    limit: number
    pagination: false
    trash: boolean
    draft: boolean
    req?: InTransaction
  }): Promise<{ docs: unknown[] }>
  create(options: {
    collection: string
    data: Record<string, unknown>
    depth: 0
    draft: boolean
    context: WriteContext
    req?: InTransaction
  }): Promise<unknown>
  update(options: {
    collection: string
    id: string | number
    data: Record<string, unknown>
    depth: 0
    draft: boolean
    /** Whether a page in the trash is written to, too. */
    trash: boolean
    context: WriteContext
    req?: InTransaction
  }): Promise<unknown>
  db: {
    /** `postgres`, `sqlite`, `mongoose` */
    name?: string
    defaultIDType: 'number' | 'text'
    /** Null where the database of the site has no transactions switched on, as SQLite's by default. */
    beginTransaction(): Promise<TransactionId | null>
    commitTransaction(id: TransactionId): Promise<void>
    rollbackTransaction(id: TransactionId): Promise<void>
    /** The open transactions. One that a failing operation has rolled back is gone from here, and committing it does nothing. */
    sessions?: Record<TransactionId, Session>
    /** With PostgreSQL: the tables, as drizzle wants them. */
    schema?: unknown
    /** With PostgreSQL: node-postgres' own. */
    pool?: {
      query(sql: string): Promise<{ rows: unknown[] }>
      on(event: 'error', listener: () => void): unknown
      on(event: 'acquire', listener: (client: { on(event: 'error', listener: () => void): unknown }) => void): unknown
    }
  }
}

export type TransactionId = number | string

/** An open transaction: drizzle's, and what Payload calls to end it. */
export interface Session {
  db: unknown
  resolve(): Promise<void>
  reject(): Promise<void>
}

/** Makes an operation part of a transaction. Once that is over, the operation is committed by itself, and nobody is told. */
export interface InTransaction {
  transactionID: TransactionId
}

/** Tells the plugin's hooks which message a write comes from, and which page it writes over: as it was when it was read. */
export interface WriteContext {
  sluice?: string
  /** The key of the page that is written. */
  sluiceKey?: string
  sluiceRead?: { id: string | number; updatedAt: unknown }
}
