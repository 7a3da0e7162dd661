/** Whether anything was written since the last look. */
import type { Queryable } from '../db.ts'

/**
 * A mark that moves with every transaction that writes, in whichever database of the server: which transactions are over. It
 * reads no table.
 */
export async function readWriteMark(db: Queryable): Promise<string> {
  const { rows } = await db.query<{ mark: string }>('SELECT pg_current_snapshot()::text AS mark')
  return rows[0]?.mark ?? ''
}
