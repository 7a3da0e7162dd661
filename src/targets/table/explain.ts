/** Which column refused an object, and why, in words: asked only after the object failed alone. */
import { pathToPointer } from '../../json/pointer.ts'
import { DatabaseError, type Transaction } from '../../store/db.ts'
import type { ApplyItem } from '../target.ts'
import type { Column } from './column.ts'
import type { MappedColumn, MappedSet } from './mapping.ts'
import type { TablePlan } from './plan.ts'
import type { TableSchema } from './schema.ts'
import type { Text } from './text.ts'

/** What is known of a failure beside the database's own words. */
export interface Explanation {
  column?: string
  pointer?: string
  message?: string
}

/** A text that was to be written, and where it came from. */
interface Written {
  column: Column
  /** As the mapping says it: of a set, with the set's table. */
  name: string
  text: string
  pointer: string | undefined
}

/** The column, the place in the object and a text for people; null when the database said all there is to say. */
export async function explain(tx: Transaction, schema: TableSchema, item: ApplyItem, error: unknown): Promise<Explanation | null> {
  if (!(error instanceof DatabaseError)) return null
  // The check of a domain is of no table.
  if (error.sqlstate.startsWith('22') || error.table === undefined) {
    for (const texts of Map.groupBy(textsOf(schema, item), ({ column }) => column).values()) {
      const refused = await firstRefused(tx, texts)
      if (refused !== null) return { ...placeOf(refused), message: cannotHold(refused) }
    }
  }
  const column = error.column ?? (await constrainedColumn(tx, error))
  if (column === undefined) return null
  const place = columnPlace(schema, item, error.table, column)
  if (error.sqlstate !== '23502') return place
  return { ...place, message: `column "${place.column}" can't be empty, and the object has no value for it` }
}

function columnPlace(schema: TableSchema, item: ApplyItem, table: string | undefined, name: string): Explanation & { column: string } {
  const set = schema.sets.find(({ table: { sql } }) => table !== undefined && sql.endsWith(`."${table.replaceAll('"', '""')}"`))
  if (set !== undefined && set.table.sql !== schema.table.sql) return { column: `${set.mapping.table}.${name}` }
  const own = [...schema.mapping.columns, ...(Array.isArray(schema.mapping.onDelete) ? schema.mapping.onDelete : [])].find(
    (column) => column.name === name,
  )
  const pointer = own === undefined ? undefined : pointerOf(item, own)
  return { column: name, ...(pointer === undefined ? {} : { pointer }) }
}

/** The column of a constraint or unique index that is about a single one. */
async function constrainedColumn(tx: Transaction, { constraint, table }: DatabaseError): Promise<string | undefined> {
  if (constraint === undefined || table === undefined) return undefined
  const { rows } = await tx.query<{ name: string }>(
    `SELECT a.attname::text AS name FROM (
       SELECT conrelid AS relation, conkey AS columns FROM pg_catalog.pg_constraint WHERE conname = $1 AND conrelid <> 0
       UNION ALL
       SELECT i.indrelid, i.indkey::int2[] FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE x.relname = $1 AND i.indnkeyatts = 1
     ) k
     JOIN pg_catalog.pg_class c ON c.oid = k.relation AND c.relname = $2
     JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(k.columns)
     WHERE pg_catalog.cardinality(k.columns) = 1 LIMIT 1`,
    [constraint, table],
  )
  return rows[0]?.name
}

function* textsOf(schema: TableSchema, item: ApplyItem): Generator<Written> {
  yield { column: schema.key, name: schema.key.name, text: item.object.externalId, pointer: undefined }
  const { columns, deletion, sets } = item.plan.payload as TablePlan
  const onDelete = Array.isArray(schema.mapping.onDelete) ? schema.mapping.onDelete : []
  for (const [index, column] of schema.columns.entries()) yield* written(column, columns[index], schema.mapping.columns[index], item)
  for (const [index, { column }] of schema.deletion.entries()) yield* written(column, deletion[index], onDelete[index], item)
  for (const [at, set] of schema.sets.entries()) {
    for (const [row, { values }] of (sets[at] ?? []).entries()) {
      for (const [index, column] of set.columns.entries()) {
        const text = textOf(values[index], item)
        const mapped = set.mapping.columns[index]
        if (text !== null && mapped !== undefined) {
          yield { column, name: `${set.mapping.table}.${column.name}`, text, pointer: setPointer(item, set.mapping, row, mapped) }
        }
      }
    }
  }
}

function* written(
  column: Column,
  value: TablePlan['columns'][number],
  mapped: MappedColumn | undefined,
  item: ApplyItem,
): Generator<Written> {
  const text = textOf(value, item)
  if (text !== null && mapped !== undefined) yield { column, name: column.name, text, pointer: pointerOf(item, mapped) }
}

function textOf(value: TablePlan['columns'][number], item: ApplyItem): Text {
  if (typeof value === 'object' && value !== null) return item.references[value.reference] ?? null
  return value ?? null
}

/** The first of a column's texts that it can't hold; null when it holds them all. A set may have thousands. */
async function firstRefused(tx: Transaction, texts: readonly Written[]): Promise<Written | null> {
  const [first] = texts
  if (first === undefined || (await canHold(tx, first.column, texts))) return null
  if (texts.length === 1) return first
  const middle = texts.length >> 1
  return (await firstRefused(tx, texts.slice(0, middle))) ?? firstRefused(tx, texts.slice(middle))
}

async function canHold(tx: Transaction, column: Column, texts: readonly Written[]): Promise<boolean> {
  const { maxLength } = column
  if (maxLength !== null && texts.some(({ text }) => [...text].length > maxLength)) return false
  const cast = column.domain === null ? column.cast : `${column.cast}::${column.domain}`
  await tx.query('SAVEPOINT explain')
  try {
    await tx.query(`SELECT pg_catalog.count(u.v::${cast}) FROM unnest($1::text[]) AS u (v)`, [texts.map(({ text }) => text)])
    return true
  } catch (error) {
    await tx.query('ROLLBACK TO SAVEPOINT explain')
    if (error instanceof DatabaseError) return false
    throw error
  } finally {
    await tx.query('RELEASE SAVEPOINT explain')
  }
}

const longestShown = 60

function cannotHold({ name, column, text }: Written): string {
  const shown = text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
  return `column "${name}" (${column.type}) can't hold ${JSON.stringify(shown)}`
}

function placeOf({ name, pointer }: Written): Explanation {
  return { column: name, ...(pointer === undefined ? {} : { pointer }) }
}

function pointerOf(item: ApplyItem, { source }: MappedColumn): string | undefined {
  const path = source.kind === 'field' || source.kind === 'ref' ? source.path : null
  return path === null ? undefined : `/${item.object.ordinal}${pathToPointer(path)}`
}

function setPointer(item: ApplyItem, { rows }: MappedSet, row: number, { source }: MappedColumn): string | undefined {
  if (rows.kind !== 'field') return undefined
  const path = source.kind === 'field' || source.kind === 'ref' ? source.path : null
  return `/${item.object.ordinal}${pathToPointer(rows.path)}/${row}${path === null ? '' : pathToPointer(path)}`
}
