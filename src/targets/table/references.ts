/** Which external IDs a table has, and what references to them resolve to. */
import type { Queryable } from '../../store/db.ts'
import { columnOf, findTable, mismatch, refColumnOf, type TableInfo } from './catalogue.ts'
import type { Column } from './column.ts'

/** External IDs to refs, looked up in a table's own rows. IDs that the key column can't hold are not there. */
export async function findRefsIn(db: Queryable, table: TableInfo, key: Column, ids: readonly string[]): Promise<Map<string, string>> {
  const possible = ids.filter((id) => canHold(key, id))
  if (possible.length === 0) return new Map()
  const { rows } = await db.query<{ id: string; ref: string }>(
    `SELECT u.id, t.${refColumnOf(table, key).sql}::text AS ref FROM unnest($1::text[]) AS u (id) JOIN ${table.sql} AS t ON ${sameKey(key)}`,
    [possible],
  )
  return new Map(rows.map((row) => [row.id, row.ref]))
}

/** The condition that a row `t` has the key of the ID `u.id`. A type that we know nothing of is compared as text: slow, but no ID can fail the query. */
export function sameKey(key: Column): string {
  if (key.kind === 'other') return `t.${key.sql}::text = u.id`
  return `t.${key.sql} = u.id::${key.kind === 'integer' ? 'bigint' : key.cast}`
}

/** Whether a key column may have an ID at all. */
export function canHold(key: Column, id: string): boolean {
  if (key.kind === 'integer') return /^-?\d{1,18}$/.test(id)
  if (key.kind === 'uuid') return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(id)
  return true
}

/**
 * Makes the function that looks references up in tables which nobody feeds. It looks at each table once; what it found is
 * forgotten when a query on it fails, for the table may have changed.
 *
 * @throws SluiceError `target_mismatch` when the table or its key column is not there
 */
export function createTableLookup(): (db: Queryable, table: string, key: string, ids: readonly string[]) => Promise<Map<string, string>> {
  const known = new Map<string, TableInfo>()
  return async (db, name, keyName, ids) => {
    const table = known.get(name) ?? (await findTable(db, name))
    if (table === null) throw mismatch(`there is no table "${name}", which a mapping refers to. Create it, or run "sluice doctor --ddl".`)
    const key = columnOf(table, keyName)
    known.set(name, table)
    try {
      return await findRefsIn(db, table, key, ids)
    } catch (error) {
      known.delete(name)
      throw error
    }
  }
}
