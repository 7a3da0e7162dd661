/** Tables as PostgreSQL's catalogue describes them. Identifiers reach SQL from here only, quoted. */
import { SluiceError } from '../../errors.ts'
import type { Queryable } from '../../store/db.ts'
import { type Column, readColumns } from './column.ts'

/** A real table. */
export interface TableInfo {
  oid: number
  /** As the mapping names it. */
  name: string
  /** Quoted and qualified. */
  sql: string
  columns: ReadonlyMap<string, Column>
  /** The primary key, where it is a single column. */
  primaryKey: string | null
  /** Columns that have a unique index alone: over all rows, and checked at once. */
  uniqueColumns: ReadonlySet<string>
}

/** Quotes an identifier. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Looks a table up by `schema.table` or by its plain name (search_path, else `public`); null when there is none. */
export async function findTable(db: Queryable, name: string): Promise<TableInfo | null> {
  const { schema, table } = splitName(name)
  const { rows } = await db.query<{ oid: number; schema: string; table: string; unique: string[]; primary: string | null }>(
    `SELECT c.oid, n.nspname::text AS schema, c.relname::text AS "table", k.primary, coalesce(k.unique, '{}') AS "unique"
     FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (
       SELECT pg_catalog.array_agg(a.attname::text) FILTER (WHERE i.indimmediate) AS "unique",
         pg_catalog.min(a.attname::text) FILTER (WHERE i.indisprimary) AS "primary"
       FROM pg_catalog.pg_index i
       JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1
     ) k
     WHERE c.relname = $2 AND c.relkind IN ('r', 'p', 'f', 'v')
       AND (n.nspname = $1 OR $1 IS NULL AND (pg_catalog.pg_table_is_visible(c.oid) OR n.nspname = 'public'))
     ORDER BY pg_catalog.pg_table_is_visible(c.oid) DESC LIMIT 1`,
    [schema, table],
  )
  const row = rows[0]
  if (row === undefined) return null
  return {
    oid: row.oid,
    name,
    sql: `${quote(row.schema)}.${quote(row.table)}`,
    columns: await readColumns(db, row.oid),
    primaryKey: row.primary,
    uniqueColumns: new Set(row.unique),
  }
}

/** `schema.table` in its parts; a plain name has no schema. */
export function splitName(name: string): { schema: string | null; table: string } {
  const dot = name.indexOf('.')
  return dot === -1 ? { schema: null, table: name } : { schema: name.slice(0, dot), table: name.slice(dot + 1) }
}

/** A table that must be there. Throws SluiceError `target_mismatch`. */
export async function requireTable(db: Queryable, name: string): Promise<TableInfo> {
  const table = await findTable(db, name)
  if (table === null) throw mismatch(`there is no table "${name}". Create it; "sluice doctor --ddl" prints a statement that would.`)
  return table
}

/** A column that must be there. Throws SluiceError `target_mismatch`. */
export function columnOf(table: TableInfo, name: string): Column {
  const column = table.columns.get(name)
  if (column !== undefined) return column
  throw mismatch(`table "${table.name}" has no column "${name}". It has: ${[...table.columns.keys()].join(', ')}.`)
}

/** A column that the mapping writes. Throws SluiceError `target_mismatch` when it is missing, or the database fills it itself. */
export function writableColumn(table: TableInfo, name: string): Column {
  const column = columnOf(table, name)
  if (column.isWritable) return column
  throw mismatch(`column "${name}" of table "${table.name}" is generated and can't be written. Leave it out of the mapping.`)
}

/** What references to a table's rows hold: the primary key where it is a single column, else the key column. */
export function refColumnOf(table: TableInfo, key: Column): Column {
  return (table.primaryKey === null ? undefined : table.columns.get(table.primaryKey)) ?? key
}

/** Column of `to` that a foreign key of `from.column` points at; null when there is none over this column alone. */
export async function foreignColumn(db: Queryable, from: TableInfo, column: string, to: TableInfo): Promise<string | null> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT t.attname::text AS name
     FROM pg_catalog.pg_constraint c
     JOIN pg_catalog.pg_attribute f ON f.attrelid = c.conrelid AND f.attnum = c.conkey[1]
     JOIN pg_catalog.pg_attribute t ON t.attrelid = c.confrelid AND t.attnum = c.confkey[1]
     WHERE c.contype = 'f' AND c.conrelid = $1 AND c.confrelid = $2 AND f.attname = $3 AND pg_catalog.cardinality(c.conkey) = 1 LIMIT 1`,
    [from.oid, to.oid, column],
  )
  return rows[0]?.name ?? null
}

/** The error of a mapping that the database doesn't fit. */
export function mismatch(message: string): SluiceError {
  return new SluiceError('target_mismatch', message)
}
