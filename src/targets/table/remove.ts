/** Hard deletion: the rows of an object's sets, then its own. Only where the mapping asks for it. */
import type { Result } from '../../model/outcome.ts'
import type { Transaction } from '../../store/db.ts'
import { Rows } from './rows.ts'
import type { TableSchema } from './schema.ts'
import { removeOwners } from './sets.ts'
import type { Text } from './text.ts'
import { addKey, foundRow, refSql } from './upsert.ts'
import type { DesiredRow } from './writes.ts'

/** Removes objects that are there. Gives a result for each of them. */
export async function removeObjects(tx: Transaction, schema: TableSchema, desired: readonly DesiredRow[]): Promise<[number, Result][]> {
  if (desired.length === 0) return []
  const rows = new Rows(desired)
  const key = addKey(rows, schema)
  const { rows: locked } = await tx.query<{ n: number; ref: string; owners: Text[] | null }>(
    `SELECT u.n, ${refSql(schema)} FROM ${rows.sql} JOIN ${schema.table.sql} AS t ON t.${schema.key.sql} = ${key}
     ORDER BY t.${schema.key.sql} FOR UPDATE OF t`,
    rows.parameters,
  )
  if (locked.length === 0) return []
  const found = locked.map((row) => foundRow(schema, row))
  for (const [index, set] of schema.sets.entries()) {
    await removeOwners(
      tx,
      set,
      found.map((row) => row.owners[index] ?? null),
    )
  }
  await tx.query(
    `DELETE FROM ${schema.table.sql} AS t USING unnest($1::text[]) AS u (r) WHERE t.${schema.ref.sql} = u.r::${schema.ref.cast}`,
    [found.map((row) => row.ref)],
  )
  return found.map((row) => [row.index, { outcome: 'deleted' }])
}
