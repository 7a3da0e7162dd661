/** The row of an object as it is now, for people to look at. */
import type { Queryable } from '../../store/db.ts'
import type { ShownObject } from '../target.ts'
import { findRefsIn } from './references.ts'
import type { TableSchema } from './schema.ts'

/** The mapped columns of an object's row, its key and its ref; other columns of the table are none of ours. Null without a row. */
export async function showRow(db: Queryable, schema: TableSchema, externalId: string): Promise<ShownObject | null> {
  const { table, key, ref } = schema
  const found = (await findRefsIn(db, table, key, [externalId])).get(externalId)
  if (found === undefined) return null
  const columns = [ref, key, ...schema.columns, ...schema.deletion.map(({ column }) => column)]
  const names = [...new Set(columns.map((column) => `t.${column.sql}`))]
  const { rows } = await db.query<{ row: string }>(
    `SELECT row_to_json(shown)::text AS row FROM (SELECT ${names.join(', ')} FROM ${table.sql} AS t WHERE t.${ref.sql}::text = $1 LIMIT 1) AS shown`,
    [found],
  )
  return { where: table.name, ref: found, row: rows[0]?.row ?? null }
}
