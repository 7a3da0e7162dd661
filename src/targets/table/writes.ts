/** What rows become: SQL of each column's value afterwards, and of whether that is another one. */
import type { ApplyItem } from '../target.ts'
import { type Column, differs } from './column.ts'
import type { Rows } from './rows.ts'
import { type DeletionColumn, isDeletedSql, type TableSchema } from './schema.ts'
import type { Text } from './text.ts'

/** What one object wants its row to be. Undefined: left as it is, or to its default. */
export interface DesiredRow {
  /** Of the item in the batch. */
  index: number
  key: string
  mode: ApplyItem['deletion']
  /** In the order of the mapping. */
  columns: readonly (Text | undefined)[]
  deletion: readonly (Text | undefined)[]
}

/** A column that some of the rows write. The row in the table is `t`, the object `u`. */
export interface Write {
  column: Column
  /** SQL of its value afterwards. */
  next: string
  /** SQL: whether that is another one. */
  differs: string
}

/** The time of the transaction, for a column. */
export function now(column: Column): string {
  return `pg_catalog.now()::${column.cast}`
}

/** The columns that rows write. @param only names of the columns wanted; default: all that any row carries */
export function writesOf(rows: Rows<DesiredRow>, schema: TableSchema, only?: ReadonlySet<string>): Write[] {
  const isWanted = (column: Column): boolean => only?.has(column.name) ?? true
  const writes = schema.columns.flatMap((column, index): Write[] => {
    const given = isWanted(column) ? addGiven(rows, `c${index}`, column, (row) => row.columns[index]) : null
    if (given === null) return []
    const different = differs(column, `t.${column.sql}`, given.value)
    return [
      { column, next: nextValue(column, given), differs: given.when === null ? `(${different})` : `(${given.when} AND ${different})` },
    ]
  })
  return [...writes, ...deletionWrites(rows, schema, isWanted)]
}

function deletionWrites(rows: Rows<DesiredRow>, schema: TableSchema, isWanted: (column: Column) => boolean): Write[] {
  if (!schema.deletion.some(({ column }) => isWanted(column))) return []
  const modes = new Set(rows.items.map((row) => row.mode))
  const mode = rows.text('mode', 'text', (row) => row.mode)
  return schema.deletion.flatMap((deletion, index): Write[] => {
    const { column, live, isMarked } = deletion
    if (!isWanted(column)) return []
    const current = `t.${column.sql}`
    const deleted = modes.has('deleted') ? deletedValue(rows, schema, deletion, index) : null
    const cases = [
      ...(modes.has('live') ? [`WHEN 'live' THEN CASE WHEN ${isMarked} THEN ${live} ELSE ${current} END`] : []),
      ...(deleted === null ? [] : [`WHEN 'deleted' THEN ${deleted}`]),
    ]
    if (cases.length === 0) return []
    const next = `CASE ${mode} ${cases.join(' ')} ELSE ${current} END`
    return [{ column, next, differs: `(${differs(column, current, next)})` }]
  })
}

/** SQL of a deletion column in a row that is deleted; null where no object has a value for it. */
function deletedValue(rows: Rows<DesiredRow>, schema: TableSchema, { column, source }: DeletionColumn, index: number): string | null {
  if (source.kind === 'now') {
    // The time of the deletion stays that of the first.
    return `CASE WHEN ${isDeletedSql(schema)} AND t.${column.sql} IS NOT NULL THEN t.${column.sql} ELSE ${now(column)} END`
  }
  const given = addGiven(rows, `d${index}`, column, (row) => row.deletion[index])
  return given === null ? null : nextValue(column, given)
}

/** A column's texts as SQL. `when` is a condition where only some rows have one. */
interface Given {
  value: string
  when: string | null
}

/** Null: no row has one. */
function addGiven(rows: Rows<DesiredRow>, name: string, column: Column, text: (row: DesiredRow) => Text | undefined): Given | null {
  const count = rows.items.reduce((sum, row) => sum + (text(row) === undefined ? 0 : 1), 0)
  if (count === 0) return null
  const value = rows.text(name, column.cast, (row) => text(row) ?? null)
  return { value, when: count === rows.items.length ? null : rows.flag(`has_${name}`, (row) => text(row) !== undefined) }
}

function nextValue(column: Column, { value, when }: Given): string {
  return when === null ? value : `CASE WHEN ${when} THEN ${value} ELSE t.${column.sql} END`
}
