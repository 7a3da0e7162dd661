/** A transaction as its callback sees it. */
import { DatabaseError, type Parameter, type PreparedStatement, type QueryResult, type Transaction } from './db.ts'

/** How a driver runs what a transaction is given. */
interface Runner {
  query<Row>(sql: string | PreparedStatement, parameters?: readonly Parameter[]): Promise<QueryResult<Row>>
  exec(sql: string): Promise<void>
}

/**
 * Makes a transaction that refuses statements once it is over: a statement that nobody awaited would otherwise run in
 * whatever transaction the connection has next.
 */
export function openTransaction(native: unknown, run: Runner): { tx: Transaction; end(): void } {
  let isOver = false
  const refuseWhenOver = (): void => {
    if (isOver) throw new DatabaseError('the transaction is over; await every statement inside its callback', { sqlstate: '25P01' })
  }
  return {
    tx: {
      inTransaction: true,
      native,
      async query<Row>(sql: string | PreparedStatement, parameters?: readonly Parameter[]) {
        refuseWhenOver()
        return run.query<Row>(sql, parameters)
      },
      async exec(sql) {
        refuseWhenOver()
        await run.exec(sql)
      },
    },
    end() {
      isOver = true
    },
  }
}
