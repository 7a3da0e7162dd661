/** The rows of objects: compared with the table as it is, inserted, updated, deleted; many at once. */
import type { Changes } from '../../model/outcome.ts'
import type { Transaction } from '../../store/db.ts'
import type { ApplyItem } from '../target.ts'
import type { Column, TableInfo } from './catalogue.ts'
import type { Mapping } from './mapping.ts'
import type { TablePlan, Text } from './plan.ts'
import { differs, type RowColumn, typedRows } from './rows.ts'

/** What a statement needs to know of the target. */
export interface TableSchema {
  mapping: Mapping
  table: TableInfo
  key: Column
  /** The column that references hold. */
  ref: Column
  /** Every column that the mapping names, by name. */
  columns: ReadonlyMap<string, Column>
}

/** What became of one object's row. */
export interface RowResult {
  state: 'missing' | 'created' | 'changed' | 'same'
  ref: string | null
  wasDeleted: boolean
  changes: Changes
}

/** Objects that write the same columns: one statement serves them all. */
export interface Group {
  deletion: ApplyItem['deletion']
  /** Columns to compare and write, in a fixed order. */
  columns: string[]
  /** Deletion columns that get the time, if the row isn't deleted yet. */
  stamps: string[]
  items: ApplyItem[]
  /** By column, in the order of the items. */
  texts: Map<string, Text[]>
}

/** Groups objects by the columns they write, so that what an object lacks is left as it is and gets its default on insert. */
export function groupItems(schema: TableSchema, items: readonly ApplyItem[]): Group[] {
  const groups = new Map<string, Group>()
  for (const item of items) {
    const { values, stamps } = writes(schema, item)
    const name = JSON.stringify([item.deletion, [...values.keys()], stamps])
    let group = groups.get(name)
    if (group === undefined) {
      group = { deletion: item.deletion, columns: [...values.keys()], stamps, items: [], texts: new Map([...values.keys()].map((column) => [column, []])) }
      groups.set(name, group)
    }
    group.items.push(item)
    for (const [column, text] of values) group.texts.get(column)?.push(text)
  }
  return [...groups.values()]
}

/** The texts that an object writes, by column. */
function writes(schema: TableSchema, item: ApplyItem): { values: Map<string, Text>; stamps: string[] } {
  const plan = item.plan.payload as TablePlan
  const values = new Map<string, Text>()
  for (const { name } of schema.mapping.columns) {
    if (!item.fields.has(name)) continue
    const reference = plan.references.get(name)
    values.set(name, reference === undefined ? (plan.values.get(name) ?? null) : (item.references[reference] ?? null))
  }
  const stamps: string[] = []
  const { onDelete } = schema.mapping
  if (Array.isArray(onDelete) && item.deletion !== 'keep') {
    for (const { name, source } of onDelete) {
      if (item.deletion === 'live') values.set(name, revived(schema, name))
      else if (source.kind === 'now') stamps.push(name)
      else if (plan.deletion.has(name)) values.set(name, plan.deletion.get(name) ?? null)
    }
  }
  return { values, stamps }
}

/** What a deletion column holds while the object is there: null, or the opposite of its constant flag. */
function revived(schema: TableSchema, name: string): Text {
  const column = Array.isArray(schema.mapping.onDelete) ? schema.mapping.onDelete.find((each) => each.name === name) : undefined
  if (column?.source.kind === 'constant' && schema.columns.get(name)?.isBoolean === true) return String(column.source.value) === 'true' ? 'false' : 'true'
  return null
}

/** Condition that a row is deleted, by its deletion columns as they are. */
function isDeletedSql(schema: TableSchema): string {
  const { onDelete } = schema.mapping
  if (!Array.isArray(onDelete) || onDelete.length === 0) return 'false'
  return onDelete
    .map(({ name, source }) => {
      const column = schema.columns.get(name)
      if (source.kind === 'constant' && column?.isBoolean === true) return `t.${column.sql} = ${String(source.value) === 'true'}`
      return `t.${column?.sql} IS NOT NULL`
    })
    .join(' AND ')
}

/**
 * Inserts a group's rows that are not there, and compares and locks those that are. What the ledger doesn't know is
 * inserted first and only compared if that finds a row; what it knows is compared first.
 */
export async function compareAndInsert(tx: Transaction, schema: TableSchema, group: Group): Promise<RowResult[]> {
  const results: RowResult[] = group.items.map(() => ({ state: 'missing', ref: null, wasDeleted: false, changes: {} }))
  const missing = (among: (item: ApplyItem) => boolean): number[] =>
    group.items.flatMap((item, index) => (results[index]?.state === 'missing' && among(item) ? [index] : []))
  const mayCreate = group.deletion === 'live' || (group.deletion === 'deleted' && schema.mapping.deletedUnknown === 'create')
  if (mayCreate) await insert(tx, schema, group, missing((item) => !item.isKnown), results)
  await compare(tx, schema, group, missing(() => true), results)
  if (mayCreate) await insert(tx, schema, group, missing(() => true), results)
  return results
}

async function compare(tx: Transaction, schema: TableSchema, group: Group, indexes: readonly number[], results: RowResult[]): Promise<void> {
  if (indexes.length === 0) return
  const columns = group.columns.map((name) => columnNamed(schema, name))
  const rows = typedRows(rowColumns(schema, group, indexes))
  const isChanged = columns.map((column, index) => differs(column, `t.${column.sql}`, `d.c${index}`))
  const stamped = group.stamps.map((name) => `t.${columnNamed(schema, name).sql} IS NULL`)
  const any = [...isChanged, ...stamped].join(' OR ') || 'false'
  const before = columns.map((column) => `t.${column.sql}::text`)
  const after = columns.map((_, index) => `d.c${index}::text`)
  const sql = `SELECT d.n, t.${schema.ref.sql}::text AS ref, ${isDeletedSql(schema)} AS "wasDeleted", ${any} AS changed,
      CASE WHEN ${any} THEN ARRAY[${isChanged.join(', ')}]::boolean[] END AS which,
      CASE WHEN ${any} THEN ARRAY[${before.join(', ')}]::text[] END AS before, CASE WHEN ${any} THEN ARRAY[${after.join(', ')}]::text[] END AS after
    FROM ${rows.sql} AS d JOIN ${schema.table.sql} AS t ON t.${schema.key.sql} = d.k
    ORDER BY t.${schema.key.sql} FOR UPDATE OF t`
  const found = await tx.query<{
    n: number
    ref: string
    wasDeleted: boolean | null
    changed: boolean
    which: boolean[] | null
    before: Text[] | null
    after: Text[] | null
  }>(sql, rows.parameters)
  for (const row of found.rows) {
    const result = results[row.n]
    if (result === undefined) continue
    result.state = row.changed ? 'changed' : 'same'
    result.ref = row.ref
    result.wasDeleted = row.wasDeleted === true
    for (const [index, name] of group.columns.entries()) {
      if (row.which?.[index] === true) result.changes[name] = { before: row.before?.[index] ?? null, after: row.after?.[index] ?? null }
    }
  }
}

async function insert(tx: Transaction, schema: TableSchema, group: Group, indexes: readonly number[], results: RowResult[]): Promise<void> {
  if (indexes.length === 0) return
  const rows = typedRows(rowColumns(schema, group, indexes))
  const stamps = [...stampColumns(schema), ...group.stamps].map((name) => columnNamed(schema, name).sql)
  const targets = [schema.key.sql, ...group.columns.map((name) => columnNamed(schema, name).sql), ...stamps]
  const sources = ['d.k', ...group.columns.map((_, index) => `d.c${index}`), ...stamps.map(() => 'now()')]
  const sql = `WITH d AS MATERIALIZED ${rows.sql}, i AS (
      INSERT INTO ${schema.table.sql} (${targets.join(', ')}) SELECT ${sources.join(', ')} FROM d ORDER BY d.k
      ON CONFLICT (${schema.key.sql}) DO NOTHING RETURNING ${schema.key.sql} AS k, ${schema.ref.sql}::text AS ref)
    SELECT d.n, i.ref FROM d JOIN i ON i.k = d.k`
  const inserted = await tx.query<{ n: number; ref: string }>(sql, rows.parameters)
  for (const row of inserted.rows) {
    const result = results[row.n]
    if (result !== undefined) Object.assign(result, { state: 'created', ref: row.ref })
  }
}

/** Writes the rows that changed, in one statement. */
export async function update(tx: Transaction, schema: TableSchema, group: Group, indexes: readonly number[]): Promise<void> {
  if (indexes.length === 0) return
  const rows = typedRows(rowColumns(schema, group, indexes))
  const assignments = [
    ...group.columns.map((name, index) => `${columnNamed(schema, name).sql} = d.c${index}`),
    ...group.stamps.map((name) => `${columnNamed(schema, name).sql} = coalesce(t.${columnNamed(schema, name).sql}, now())`),
    ...stampColumns(schema).map((name) => `${columnNamed(schema, name).sql} = now()`),
  ]
  if (assignments.length === 0) return
  await tx.query(`UPDATE ${schema.table.sql} AS t SET ${assignments.join(', ')} FROM ${rows.sql} AS d WHERE t.${schema.key.sql} = d.k`, rows.parameters)
}

/** Removes rows by what references to them hold. */
export async function remove(tx: Transaction, schema: TableSchema, refs: readonly string[]): Promise<void> {
  if (refs.length === 0) return
  await tx.query(
    `DELETE FROM ${schema.table.sql} AS t USING ${typedRows([{ alias: 'r', cast: schema.ref.cast, texts: refs }]).sql} AS d WHERE t.${schema.ref.sql} = d.r`,
    [refs],
  )
}

/** Columns of t.now(): written with another change, never compared. */
function stampColumns(schema: TableSchema): string[] {
  return schema.mapping.columns.filter(({ source }) => source.kind === 'now').map(({ name }) => name)
}

/** The number of the object, its key, and its columns, of some of a group's objects. */
function rowColumns(schema: TableSchema, group: Group, indexes: readonly number[]): RowColumn[] {
  const pick = (texts: readonly Text[]): Text[] => indexes.map((index) => texts[index] ?? null)
  return [
    { alias: 'n', cast: 'integer', texts: indexes.map(String) },
    { alias: 'k', cast: schema.key.cast, texts: indexes.map((index) => group.items[index]?.object.externalId ?? null) },
    ...group.columns.map((name, index) => ({ alias: `c${index}`, cast: columnNamed(schema, name).cast, texts: pick(group.texts.get(name) ?? []) })),
  ]
}

function columnNamed(schema: TableSchema, name: string): Column {
  const column = schema.columns.get(name)
  if (column === undefined) throw new Error(`column "${name}" was not looked up`)
  return column
}
