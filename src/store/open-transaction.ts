/** A transaction as its callback sees it. */
import { DatabaseError, type Parameter, type QueryResult, type Transaction } from './db.ts'

type Run = <Row>(sql: string, parameters?: readonly Parameter[]) => Promise<QueryResult<Row>>

/**
 * Makes a transaction that refuses statements once it is over: a statement that nobody awaited would otherwise run in
 * whatever transaction the connection has next.
 */
export function openTransaction(native: unknown, run: Run): { tx: Transaction; end(): void } {
  let isOver = false
  return {
    tx: {
      inTransaction: true,
      native,
      async query<Row>(sql: string, parameters?: readonly Parameter[]) {
        if (isOver) {
          throw new DatabaseError('the transaction is over; await every statement inside its callback', { sqlstate: '25P01' })
        }
        return run<Row>(sql, parameters)
      },
    },
    end() {
      isOver = true
    },
  }
}
