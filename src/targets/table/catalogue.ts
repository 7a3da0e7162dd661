/** Tables as PostgreSQL's catalogue describes them. Identifiers reach SQL from here only, quoted. */
import { SluiceError } from '../../errors.ts'
import type { Queryable } from '../../store/db.ts'

/** A column of a real table. */
export interface Column {
  name: string
  /** Quoted. */
  sql: string
  /** As people know it, such as `character varying(40)`. */
  type: string
  /**
   * What a text is cast to: the type with its precision, but strings without their length. An explicit cast to
   * varchar(3) would cut the text silently; the assignment must refuse it.
   */
  cast: string
  /** Longest text, in characters; null when there is no limit. */
  maxLength: number | null
  isArray: boolean
  /** How two values are compared: as they are, or through another type where the type has no equality. */
  compareAs: '' | '::jsonb' | '::text'
  isWritable: boolean
  notNull: boolean
  isBoolean: boolean
  kind: 'text' | 'integer' | 'uuid' | 'other'
}

/** A real table. */
export interface TableInfo {
  /** Quoted and qualified. */
  sql: string
  /** As the mapping names it. */
  name: string
  columns: ReadonlyMap<string, Column>
  /** The column that references hold: the primary key where it is a single column. */
  primaryKey: string | null
  /** Columns that have a unique index alone, not a partial one. */
  uniqueColumns: ReadonlySet<string>
}

/** Quotes an identifier. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Looks a table up by `schema.table` or by its plain name (search_path, else `public`); null when there is none. */
export async function findTable(db: Queryable, name: string): Promise<TableInfo | null> {
  const [schema, table] = name.includes('.') ? [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)] : [null, name]
  const found = await db.query<{ oid: number; schema: string; table: string }>(
    `SELECT c.oid, n.nspname::text AS schema, c.relname::text AS "table"
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = $2 AND c.relkind IN ('r', 'p', 'f', 'v')
       AND (n.nspname = $1 OR ($1 IS NULL AND (pg_catalog.pg_table_is_visible(c.oid) OR n.nspname = 'public')))
     ORDER BY pg_catalog.pg_table_is_visible(c.oid) DESC LIMIT 1`,
    [schema, table],
  )
  const row = found.rows[0]
  if (row === undefined) return null
  const keys = await db.query<{ columns: string[]; primary: boolean }>(
    `SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey::smallint[]) AS k (n) JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n) AS columns,
       i.indisprimary AS primary
     FROM pg_catalog.pg_index i
     WHERE i.indrelid = $1 AND i.indisunique AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indisvalid AND i.indexprs IS NULL`,
    [row.oid],
  )
  const single = keys.rows.map((key) => ({ column: key.columns[0] ?? '', primary: key.primary }))
  return {
    sql: `${quote(row.schema)}.${quote(row.table)}`,
    name,
    columns: await readColumns(db, row.oid),
    primaryKey: single.find((key) => key.primary)?.column ?? null,
    uniqueColumns: new Set(single.map((key) => key.column)),
  }
}

interface ColumnRow {
  name: string
  type: string
  element: number
  isArray: boolean
  notNull: boolean
  generated: string
  identity: string
  category: string
  typmod: number
}

async function readColumns(db: Queryable, table: number): Promise<Map<string, Column>> {
  // A domain behaves as the type below it; its own checks run at the assignment.
  const { rows } = await db.query<ColumnRow>(
    `SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN b.typelem <> 0 AND b.typlen = -1 AND b.typcategory = 'A' THEN b.typelem ELSE b.oid END AS element,
       b.typcategory = 'A' AS "isArray", a.attnotnull AS "notNull", a.attgenerated::text AS generated, a.attidentity::text AS identity,
       b.typcategory::text AS category, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod
     FROM pg_catalog.pg_attribute a
     JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [table],
  )
  return new Map(rows.map((row) => [row.name, toColumn(row)]))
}

// OIDs of pg_type.dat.
const json = 114
const xml = 142
const strings: Record<number, string> = { 1042: 'bpchar', 1043: 'character varying', 1560: 'bit varying', 1562: 'bit varying' }
const integers = new Set([20, 21, 23])
const texts = new Set([25, 1043, 1042])
const uuid = 2950

function toColumn(row: ColumnRow): Column {
  const { element, isArray, name, notNull, type } = row
  const stripped = strings[element]
  const isString = element === 1042 || element === 1043
  const hasNoEquality = element === xml || (element === json && isArray) || row.category === 'G'
  return {
    name,
    sql: quote(name),
    type,
    cast: stripped === undefined ? type : `${stripped}${isArray ? '[]' : ''}`,
    maxLength: isString && !isArray && row.typmod > 4 ? row.typmod - 4 : null,
    isArray,
    compareAs: hasNoEquality ? '::text' : element === json ? '::jsonb' : '',
    isWritable: row.generated === '' && row.identity !== 'a',
    notNull,
    isBoolean: element === 16 && !isArray,
    kind: isArray ? 'other' : texts.has(element) ? 'text' : integers.has(element) ? 'integer' : element === uuid ? 'uuid' : 'other',
  }
}

/** A column of a table that the mapping writes. Throws SluiceError `target_mismatch` when it is missing or can't be written. */
export function columnOf(table: TableInfo, name: string): Column {
  const column = table.columns.get(name)
  if (column === undefined) {
    throw mismatch(`table "${table.name}" has no column "${name}". It has: ${[...table.columns.keys()].join(', ')}.`)
  }
  if (!column.isWritable) throw mismatch(`column "${name}" of table "${table.name}" is generated and can't be written. Leave it out of the mapping.`)
  return column
}

/** The error of a mapping that the database doesn't fit. */
export function mismatch(message: string): SluiceError {
  return new SluiceError('target_mismatch', message)
}
