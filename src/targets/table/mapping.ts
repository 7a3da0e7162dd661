/** What a user writes to map objects to a table, and the same in one plain form. */
import { invalid, options } from '../options.ts'
import type { ReferenceDeclaration, Wanted, WhenMissing } from '../target.ts'

/** Made by `t.ref`. */
export interface RefHelper {
  readonly helper: 'ref'
  readonly wanted: Wanted
  /** Dot path of the external ID; undefined: the set's row itself is it. */
  readonly field: string | undefined
  readonly missing: WhenMissing
}

/** Made by `t.now` and `t.constant`. */
export type ValueHelper = { readonly helper: 'now' } | { readonly helper: 'constant'; readonly value: Constant }

export type Constant = string | number | bigint | boolean | null

/**
 * Where a column's value comes from:
 *
 * - a text: a field by its dot path, taken from the source text with every digit. Not carried where the path leads nowhere;
 * - a function of the schema's output. Not carried where it returns undefined; null is null;
 * - a number, a boolean or null: a constant (a text is `t.constant('…')`);
 * - `t.ref(…)`, `t.now()`, `t.constant(…)`.
 */
export type ColumnSource<T> = string | ((object: T) => unknown) | number | boolean | null | RefHelper | ValueHelper

/** Rows of another table that belong to an object; the rows in a message replace the rows in the table. */
export interface SetMapping<T, Row = unknown> {
  /** Column that refers to the object's row. */
  owner: string
  /** The rows: a field that holds an array, or a function of the schema's output. Null is no rows; undefined: not carried. */
  rows: string | ((object: T) => readonly Row[] | null | undefined)
  /**
   * Owner and all columns together identify a row. Dot paths start at the row. A function's parameter is annotated:
   * `(row: Phone) => …` is checked against `rows`.
   */
  columns: Record<string, ColumnSource<Row>>
}

/** What `t.table` takes beside the table's name. */
export interface TableMapping<T, Sets = Record<string, unknown>> {
  /** Column that holds the external ID. It needs a unique index of its own. */
  key: string
  columns: Record<string, ColumnSource<T>>
  /** By name of the set's table. */
  sets?: { [Table in keyof Sets]: SetMapping<T, Sets[Table]> }
  /**
   * What a deletion does: `delete` removes the row and the rows of its sets; columns are set to say that it is deleted, and
   * set back when the object comes back. Default: objects are never deleted.
   */
  onDelete?: 'delete' | Record<string, ColumnSource<T>>
  /** What a deletion of an object does that the table doesn't have: `ignore` (default), or `create` a row that is deleted at once. */
  deletedUnknown?: 'ignore' | 'create'
}

/** A column's source in its plain form. */
export type Source =
  | { kind: 'field'; path: string }
  | { kind: 'call'; call: (object: unknown) => unknown }
  | { kind: 'constant'; value: Constant }
  | { kind: 'now' }
  | RefSource

export interface RefSource {
  kind: 'ref'
  wanted: Wanted
  /** Null: the set's row itself is the external ID. */
  path: string | null
  missing: WhenMissing
}

export interface MappedColumn {
  name: string
  source: Source
}

export interface MappedSet {
  table: string
  owner: string
  rows: { kind: 'field'; path: string } | { kind: 'call'; call: (object: unknown) => unknown }
  columns: MappedColumn[]
}

/** A table mapping in its plain form. */
export interface Mapping {
  table: string
  key: string
  columns: MappedColumn[]
  sets: MappedSet[]
  onDelete: 'delete' | MappedColumn[] | null
  deletedUnknown: 'ignore' | 'create'
}

/** Checks a mapping and brings it into its plain form. Throws SluiceError `invalid_config` naming the place. */
export function parseMapping(table: unknown, given: unknown): Mapping {
  const where = `table ${JSON.stringify(table)}`
  if (!isName(table)) throw invalid(`${where}: the first argument of t.table must be the table's name, such as "public.employee"`)
  const {
    key,
    columns: givenColumns,
    sets,
    onDelete,
    deletedUnknown = 'ignore',
  } = options(where, given, ['key', 'columns', 'sets', 'onDelete', 'deletedUnknown'])
  if (!isName(key)) throw invalid(`${where}: "key" must name the column of the external ID`)
  if (deletedUnknown !== 'ignore' && deletedUnknown !== 'create') throw invalid(`${where}: "deletedUnknown" must be "ignore" or "create"`)
  const columns = parseColumns(`${where}, columns`, givenColumns, false)
  const mapping: Mapping = { table, key, columns, sets: parseSets(where, sets), onDelete: parseDeletion(where, onDelete), deletedUnknown }
  checkNames(where, mapping)
  return mapping
}

function parseDeletion(where: string, onDelete: unknown): Mapping['onDelete'] {
  if (onDelete === undefined) return null
  if (onDelete === 'delete') return 'delete'
  if (typeof onDelete !== 'object') throw invalid(`${where}: "onDelete" must be "delete" or an object of columns`)
  const columns = parseColumns(`${where}, onDelete`, onDelete, false)
  if (columns.length === 0) throw invalid(`${where}: "onDelete" names no column`)
  for (const { name, source } of columns) {
    if (source.kind === 'ref') throw invalid(`${where}, onDelete, "${name}": a reference can't say that a row is deleted`)
    if (source.kind === 'constant' && source.value === null)
      throw invalid(`${where}, onDelete, "${name}": null can't say that a row is deleted`)
  }
  return columns
}

function checkNames(where: string, { key, columns, sets, onDelete, deletedUnknown }: Mapping): void {
  const names = new Set(columns.map(({ name }) => name))
  const deletion = Array.isArray(onDelete) ? onDelete : []
  if (deletedUnknown === 'create' && deletion.length === 0) {
    throw invalid(`${where}: "deletedUnknown": "create" needs "onDelete" with columns that say that the row is deleted`)
  }
  if (names.has(key) || deletion.some(({ name }) => name === key)) {
    throw invalid(`${where}: the key column "${key}" holds the external ID; leave it out of the other columns`)
  }
  const twice = deletion.find(({ name }) => names.has(name))
  if (twice !== undefined) throw invalid(`${where}: "${twice.name}" stands in "columns" and in "onDelete"`)
  // Versions are kept per field, and a set is a field under its table's name.
  const clash = sets.find((set) => names.has(set.table))
  if (clash !== undefined)
    throw invalid(
      `${where}: "${clash.table}" is a column and a set; write the set's table with its schema, such as "public.${clash.table}"`,
    )
}

function parseSets(where: string, sets: unknown): MappedSet[] {
  if (sets === undefined) return []
  if (typeof sets !== 'object' || sets === null) throw invalid(`${where}: "sets" must be an object of tables`)
  return Object.entries(sets).map(([table, set]) => {
    const place = `${where}, sets, "${table}"`
    const { owner, rows, columns: given } = options(place, set, ['owner', 'rows', 'columns'])
    if (!isName(owner)) throw invalid(`${place}: "owner" must name the column that refers to the object's row`)
    const columns = parseColumns(place, given, true)
    if (columns.length === 0) throw invalid(`${place}: "columns" names no column`)
    if (columns.some(({ name }) => name === owner))
      throw invalid(`${place}: the owner column "${owner}" is filled by itself; leave it out of "columns"`)
    if (columns.some(({ source }) => source.kind === 'now'))
      throw invalid(`${place}: t.now() can't identify a row; give the column a default in the table`)
    if (columns.filter(({ source }) => source.kind === 'ref' && source.missing === 'defer').length > 1) {
      throw invalid(`${place}: only one reference of a row may be deferred; the others have to wait`)
    }
    if (isName(rows)) return { table, owner, rows: { kind: 'field', path: rows }, columns }
    if (typeof rows === 'function') return { table, owner, rows: { kind: 'call', call: rows as (object: unknown) => unknown }, columns }
    throw invalid(`${place}: "rows" must be a field that holds an array, or a function that returns one`)
  })
}

function parseColumns(where: string, columns: unknown, isSet: boolean): MappedColumn[] {
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns)) throw invalid(`${where}: must be an object of columns`)
  return Object.entries(columns).map(([name, source]) => ({ name, source: parseSource(`${where}, "${name}"`, source, isSet) }))
}

function parseSource(where: string, source: unknown, isSet: boolean): Source {
  if (source === '') throw invalid(`${where}: a field's path must not be empty; an empty text is t.constant('')`)
  if (typeof source === 'string') return { kind: 'field', path: source }
  if (typeof source === 'function') return { kind: 'call', call: source as (object: unknown) => unknown }
  if (source === null || typeof source === 'number' || typeof source === 'boolean') return { kind: 'constant', value: source }
  const helper = source as RefHelper | ValueHelper | undefined
  switch (helper?.helper) {
    case 'now':
      return { kind: 'now' }
    case 'constant':
      return { kind: 'constant', value: helper.value }
    case 'ref':
      if (helper.field === undefined && !isSet)
        throw invalid(`${where}: t.ref needs the field that holds the external ID, as its second argument`)
      return { kind: 'ref', wanted: helper.wanted, path: helper.field ?? null, missing: helper.missing }
    default:
      throw invalid(`${where}: a source is a field, a function, a constant, or one of t.ref, t.now, t.constant`)
  }
}

/** The references that a mapping declares. */
export function referencesOf(mapping: Mapping): ReferenceDeclaration[] {
  const declared = (field: string, { source }: MappedColumn): ReferenceDeclaration[] =>
    source.kind === 'ref' ? [{ field, wanted: source.wanted, missing: source.missing }] : []
  return [
    ...mapping.columns.flatMap((column) => declared(column.name, column)),
    ...mapping.sets.flatMap((set) => set.columns.flatMap((column) => declared(set.table, column))),
  ]
}

/** Whether a callback needs the schema's output. Those of a set's columns get rows, which may come from the source. */
export function needsOutput(mapping: Mapping): boolean {
  const columns = [...mapping.columns, ...(Array.isArray(mapping.onDelete) ? mapping.onDelete : [])]
  return columns.some(({ source }) => source.kind === 'call') || mapping.sets.some((set) => set.rows.kind === 'call')
}

/** A mapping as plain data, for people. A function is only said to be one. */
export function describeMapping(mapping: Mapping): Record<string, unknown> {
  return {
    table: mapping.table,
    key: mapping.key,
    columns: describeColumns(mapping.columns),
    sets: Object.fromEntries(
      mapping.sets.map(({ table, owner, rows, columns }) => [
        table,
        { owner, rows: rows.kind === 'field' ? { field: rows.path } : { function: true }, columns: describeColumns(columns) },
      ]),
    ),
    onDelete: Array.isArray(mapping.onDelete) ? describeColumns(mapping.onDelete) : mapping.onDelete,
    deletedUnknown: mapping.deletedUnknown,
  }
}

function describeColumns(columns: readonly MappedColumn[]): Record<string, unknown> {
  return Object.fromEntries(columns.map(({ name, source }) => [name, describeSource(source)]))
}

function describeSource(source: Source): Record<string, unknown> {
  switch (source.kind) {
    case 'field':
      return { field: source.path }
    case 'call':
      return { function: true }
    case 'constant':
      return { constant: typeof source.value === 'bigint' ? String(source.value) : source.value }
    case 'now':
      return { now: true }
    case 'ref':
      return {
        ref: 'integration' in source.wanted ? source.wanted.integration : source.wanted,
        field: source.path,
        missing: source.missing,
      }
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
