/** A database port whose transactions are savepoints of an open transaction. */
import type { Db, Transaction } from './db.ts'

/**
 * Makes an open transaction look like a database, so that what opens transactions of its own can run inside it and be
 * rolled back with it. Not for concurrent use.
 */
export function nestedDb(db: Db, tx: Transaction): Db {
  let depth = 0
  return {
    kind: db.kind,
    query: (sql, parameters) => tx.query(sql, parameters),
    async transaction(work) {
      const savepoint = `nested_${++depth}`
      await tx.query(`SAVEPOINT ${savepoint}`)
      try {
        const result = await work(tx)
        await tx.query(`RELEASE SAVEPOINT ${savepoint}`)
        return result
      } catch (error) {
        await tx.query(`ROLLBACK TO SAVEPOINT ${savepoint}`)
        throw error
      } finally {
        depth--
      }
    },
    exec: (sql) => tx.exec(sql),
    listen: (channel, onNotify) => db.listen(channel, onNotify),
    close: () => Promise.resolve(),
  }
}
