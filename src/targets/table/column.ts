/** Columns: what a text is cast to on its way into one, and how two of its values are compared. */
import type { Queryable } from '../../store/db.ts'

/** A column of a real table. */
export interface Column {
  name: string
  /** Quoted. */
  sql: string
  /** As people know it, such as `character varying(40)`. */
  type: string
  /**
   * What a text is cast to: the base type with its precision, but strings without their length. An explicit cast to
   * varchar(3) would cut the text silently; the assignment refuses it.
   */
  cast: string
  /** Its domain, quoted, where it has one: the domain's checks run when a value is assigned. */
  domain: string | null
  /** Longest text, in characters; null when there is no limit. */
  maxLength: number | null
  isArray: boolean
  /** The column, or each element of its arrays, holds JSON: a text is written as a JSON string. */
  isJson: boolean
  isBoolean: boolean
  /** Whether `1.50` is more to it than `1.5`: texts, JSON and decimals. To an integer column `2.0` is `2`. */
  keepsZeros: boolean
  /** False where the database fills it itself. */
  isWritable: boolean
  notNull: boolean
  /** SQL of its default; null when there is none. An identity column has one that can't be said. */
  default: string | null
  hasDefault: boolean
  /** What stands behind a value to make it comparable: see {@link comparable}. */
  compareAs: string
  /** How external IDs are looked up in it. */
  kind: 'text' | 'integer' | 'uuid' | 'other'
}

/** SQL of a value of a column as it is compared: through a type that has an equality which sees every difference. */
export function comparable(column: Column, value: string): string {
  return column.compareAs === '' ? value : `(${value})${column.compareAs}`
}

/** SQL: two values of a column differ, null being a value like any other. */
export function differs(column: Column, a: string, b: string): string {
  return `${comparable(column, a)} IS DISTINCT FROM ${comparable(column, b)}`
}

/** SQL: two values of a column are the same. Where null can't be, by the operator that a join can hash. */
export function equals(column: Column, a: string, b: string): string {
  return `${comparable(column, a)} ${column.notNull ? '=' : 'IS NOT DISTINCT FROM'} ${comparable(column, b)}`
}

interface ColumnRow {
  name: string
  type: string
  /** OID of the base type, or of its elements if it is an array. */
  element: number
  /** Schema and name of the element's type, quoted; null for PostgreSQL's own. */
  qualified: string | null
  domain: string | null
  /** Type of the element with and without precision. */
  precise: string
  plain: string
  category: string
  isArray: boolean
  hasOrder: boolean
  length: number
  notNull: boolean
  default: string | null
  hasDefault: boolean
  isWritable: boolean
}

/** The columns of a table, in its order. A domain behaves as the type below it; its own checks run at the assignment. */
export async function readColumns(db: Queryable, table: number): Promise<Map<string, Column>> {
  const { rows } = await db.query<ColumnRow>(
    `WITH RECURSIVE below AS (
       SELECT a.attnum, a.atttypid AS type, a.atttypmod AS typmod, a.attnotnull AS not_null, NULL::text COLLATE "C" AS domain_default, 0 AS depth
       FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
       UNION ALL
       SELECT b.attnum, t.typbasetype, t.typtypmod, b.not_null OR t.typnotnull, coalesce(b.domain_default, t.typdefault), b.depth + 1
       FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
     ), base AS (
       SELECT DISTINCT ON (b.attnum) b.*, CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END AS element,
         t.typcategory = 'A' AND t.typelem <> 0 AS is_array
       FROM below b JOIN pg_catalog.pg_type t ON t.oid = b.type ORDER BY b.attnum, b.depth DESC
     )
     SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, b.element,
       CASE WHEN n.nspname <> 'pg_catalog' THEN pg_catalog.format('%I.%I', n.nspname, e.typname) END AS qualified,
       CASE WHEN b.depth > 0 THEN pg_catalog.format('%I.%I', dn.nspname, dt.typname) END AS domain,
       pg_catalog.format_type(b.element, b.typmod) AS precise, pg_catalog.format_type(b.element, -1) AS plain,
       e.typcategory::text AS category, b.is_array AS "isArray", b.typmod AS length, b.not_null AS "notNull",
       e.typtype IN ('e', 'r', 'm') OR EXISTS (
         SELECT FROM pg_catalog.pg_opclass o WHERE o.opcdefault AND o.opcmethod = 403 AND (o.opcintype = e.oid OR EXISTS (
           SELECT FROM pg_catalog.pg_cast c WHERE c.castsource = e.oid AND c.casttarget = o.opcintype AND c.castmethod = 'b' AND c.castcontext = 'i'))
       ) AS "hasOrder",
       coalesce(CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END, b.domain_default) AS default,
       a.atthasdef OR a.attidentity <> '' OR b.domain_default IS NOT NULL AS "hasDefault",
       a.attgenerated = '' AND a.attidentity <> 'a' AS "isWritable"
     FROM base b
     JOIN pg_catalog.pg_attribute a ON a.attrelid = $1 AND a.attnum = b.attnum
     JOIN pg_catalog.pg_type e ON e.oid = b.element
     JOIN pg_catalog.pg_namespace n ON n.oid = e.typnamespace
     JOIN pg_catalog.pg_type dt ON dt.oid = a.atttypid
     JOIN pg_catalog.pg_namespace dn ON dn.oid = dt.typnamespace
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     ORDER BY a.attnum`,
    [table],
  )
  return new Map(rows.map((row) => [row.name, toColumn(row)]))
}

// OIDs of pg_type.dat.
const bool = 16
const text = 25
const json = 114
const bpchar = 1042
const varchar = 1043
const bit = 1560
const interval = 1186
const jsonb = 3802
const uuid = 2950
const integers = new Set([20, 21, 23])
const numeric = 1700
const zeroKeepers = new Set([json, jsonb, numeric])
/** An explicit cast cuts or pads these to their length. */
const cutTypes = new Set([bpchar, varchar, bit, 1562])
/** Bytes before a length in its typmod. */
const header = 4

function toColumn(row: ColumnRow): Column {
  const { element, isArray, name } = row
  return {
    name,
    sql: `"${name.replaceAll('"', '""')}"`,
    type: row.type,
    cast: castOf(row),
    domain: row.domain,
    maxLength: !isArray && (element === bpchar || element === varchar) && row.length > header ? row.length - header : null,
    isArray,
    isJson: element === json || element === jsonb,
    isBoolean: element === bool && !isArray,
    keepsZeros: row.category === 'S' || zeroKeepers.has(element),
    isWritable: row.isWritable,
    notNull: row.notNull,
    default: row.default,
    hasDefault: row.hasDefault,
    compareAs: compareAs(row),
    kind: kindOf(row),
  }
}

function castOf({ element, qualified, precise, plain, isArray }: ColumnRow): string {
  const precision = precise.slice(plain.length)
  const type = cutTypes.has(element) ? plain : qualified === null ? precise : `${qualified}${precision}`
  return `${type}${isArray ? '[]' : ''}`
}

function compareAs({ element, category, hasOrder, isArray }: ColumnRow): string {
  const many = isArray ? '[]' : ''
  // A collation or a type (citext) may take "a" and "A" for the same: whoever changed the one to the other meant it.
  if (category === 'S') return `::text${many} COLLATE "C"`
  if (element === json) return `::jsonb${many}`
  // For an interval 30 days are a month; geometric types compare sizes.
  return hasOrder && element !== interval && category !== 'G' ? '' : '::text'
}

function kindOf({ element, isArray }: ColumnRow): Column['kind'] {
  if (isArray) return 'other'
  if (element === text || element === varchar || element === bpchar) return 'text'
  if (integers.has(element)) return 'integer'
  return element === uuid ? 'uuid' : 'other'
}
