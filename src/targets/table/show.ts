/** The row of an object as it is now, for people to look at. */
import type { Queryable } from '../../store/db.ts'
import type { ShownObject } from '../target.ts'
import { canHold, sameKey } from './references.ts'
import type { TableSchema } from './schema.ts'

/** The mapped columns of an object's row, its key and its ref; other columns of the table are none of ours. Null without a row. */
export async function showRow(db: Queryable, schema: TableSchema, externalId: string): Promise<ShownObject | null> {
  const { table, key, ref } = schema
  if (!canHold(key, externalId)) return null
  const columns = [ref, key, ...schema.columns, ...schema.deletion.map(({ column }) => column)]
  const names = [...new Set(columns.map((column) => `t.${column.sql}`))]
  const { rows } = await db.query<{ ref: string; row: string }>(
    `SELECT t.${ref.sql}::text AS ref, (SELECT row_to_json(shown) FROM (SELECT ${names.join(', ')}) AS shown)::text AS row
     FROM unnest($1::text[]) AS u (id) JOIN ${table.sql} AS t ON ${sameKey(key)} LIMIT 1`,
    [[externalId]],
  )
  const [found] = rows
  return found === undefined ? null : { where: table.name, ...found }
}
