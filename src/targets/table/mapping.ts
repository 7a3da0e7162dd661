/** What a user writes to map objects to a table, and the same in one plain form. */
import { SluiceError } from '../../errors.ts'
import type { ReferenceDeclaration, Wanted, WhenMissing } from '../target.ts'

/** Made by `t.ref`, `t.now` and `t.constant`. */
export type ColumnHelper = RefHelper | { helper: 'now' } | { helper: 'constant'; value: string | number | boolean | null }

export interface RefHelper {
  helper: 'ref'
  wanted: Wanted
  /** Dot path of the external ID; undefined: the set's row itself is it. */
  field: string | undefined
  missing: WhenMissing
}

/**
 * Where a column's value comes from: a field (dot path, taken from the source text with every digit), a function of the
 * schema's output (undefined: not carried), a constant, or a helper.
 */
export type ColumnSource<T> = string | ((object: T) => unknown) | number | boolean | null | ColumnHelper

/** Rows of another table that belong to an object. Owner and columns together identify a row. */
export interface SetMapping<T> {
  /** Column that holds the owner's ref: the primary key of the object's row. */
  owner: string
  /** The rows: a field that holds an array, or a function. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function may return nothing, which is not carried
  rows: string | ((object: T) => readonly unknown[] | null | undefined)
  /** Sources are relative to a row. */
  columns: Record<string, ColumnSource<Record<string, unknown>>>
}

export interface TableMapping<T> {
  /** Column that holds the external ID. Needs a unique index of its own. */
  key: string
  columns: Record<string, ColumnSource<T>>
  /** By name of the set's table. */
  sets?: Record<string, SetMapping<T>>
  /** `delete` removes the row; columns are set instead, and set back when the object comes back. Default: no deletions. */
  onDelete?: 'delete' | Record<string, ColumnSource<T>>
  /** What the deletion of an object that the table doesn't have does. Default `ignore`; `create`: a row that is deleted at once. */
  deletedUnknown?: 'ignore' | 'create'
}

/** A column's source in its plain form. */
export type Source =
  | { kind: 'field'; path: string }
  | { kind: 'call'; call: (object: unknown) => unknown }
  | { kind: 'constant'; value: string | null }
  | { kind: 'now' }
  | { kind: 'ref'; wanted: Wanted; path: string | null; missing: WhenMissing }

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
export function parseMapping(table: string, mapping: TableMapping<never>): Mapping {
  const where = `table "${table}"`
  expectKeys(where, mapping, ['key', 'columns', 'sets', 'onDelete', 'deletedUnknown'])
  if (typeof mapping.key !== 'string' || mapping.key === '') throw invalid(`${where}: "key" must name the column of the external ID`)
  const columns = parseColumns(`${where}, columns`, mapping.columns)
  const { onDelete, deletedUnknown = 'ignore' } = mapping
  if (deletedUnknown !== 'ignore' && deletedUnknown !== 'create') throw invalid(`${where}: "deletedUnknown" must be 'ignore' or 'create'`)
  if (deletedUnknown === 'create' && (onDelete === undefined || onDelete === 'delete')) {
    throw invalid(`${where}: "deletedUnknown: 'create'" needs "onDelete" with columns, to say that the row is deleted`)
  }
  const deletion = onDelete === undefined ? null : onDelete === 'delete' ? onDelete : parseColumns(`${where}, onDelete`, onDelete)
  for (const column of deletion === null || deletion === 'delete' ? [] : deletion) {
    if (column.source.kind === 'ref') throw invalid(`${where}, onDelete, "${column.name}": a reference can't say that a row is deleted`)
    if (columns.some(({ name }) => name === column.name)) throw invalid(`${where}: "${column.name}" stands in "columns" and in "onDelete"`)
  }
  if (columns.some(({ name }) => name === mapping.key)) throw invalid(`${where}: the key column "${mapping.key}" is filled by itself; leave it out of "columns"`)
  return { table, key: mapping.key, columns, sets: parseSets(where, mapping.sets ?? {}), onDelete: deletion, deletedUnknown }
}

function parseSets(where: string, sets: Record<string, SetMapping<never>>): MappedSet[] {
  return Object.entries(sets).map(([table, set]) => {
    const place = `${where}, sets, "${table}"`
    expectKeys(place, set, ['owner', 'rows', 'columns'])
    if (typeof set.owner !== 'string') throw invalid(`${place}: "owner" must name the column that refers to the object's row`)
    if (typeof set.rows !== 'string' && typeof set.rows !== 'function') throw invalid(`${place}: "rows" must be a field or a function`)
    const rows = typeof set.rows === 'string' ? { kind: 'field' as const, path: set.rows } : { kind: 'call' as const, call: set.rows as (object: unknown) => unknown }
    const columns = parseColumns(place, set.columns, true)
    if (columns.filter(({ source }) => source.kind === 'ref' && source.missing === 'defer').length > 1) {
      throw invalid(`${place}: only one reference of a set's rows may be deferred`)
    }
    if (columns.some(({ source }) => source.kind === 'now')) throw invalid(`${place}: t.now() can't identify a row; leave the column to its default`)
    return { table, owner: set.owner, rows, columns }
  })
}

function parseColumns(where: string, columns: unknown, isSet = false): MappedColumn[] {
  if (typeof columns !== 'object' || columns === null) throw invalid(`${where}: must be an object of columns`)
  return Object.entries(columns).map(([name, source]) => ({ name, source: parseSource(`${where}, "${name}"`, source, isSet) }))
}

function parseSource(where: string, source: unknown, isSet: boolean): Source {
  if (typeof source === 'string') return { kind: 'field', path: source }
  if (typeof source === 'function') return { kind: 'call', call: source as (object: unknown) => unknown }
  if (source === null || typeof source === 'number' || typeof source === 'boolean') return { kind: 'constant', value: source === null ? null : String(source) }
  const helper = source as ColumnHelper | undefined
  switch (helper?.helper) {
    case 'now':
      return { kind: 'now' }
    case 'constant':
      return { kind: 'constant', value: helper.value === null ? null : String(helper.value) }
    case 'ref':
      if (helper.field === undefined && !isSet) throw invalid(`${where}: t.ref needs the field that holds the external ID`)
      return { kind: 'ref', wanted: helper.wanted, path: helper.field ?? null, missing: helper.missing }
    default:
      throw invalid(`${where}: a source is a field, a function, a constant, or one of t.ref, t.now, t.constant`)
  }
}

/** The references that a mapping declares. */
export function referencesOf(mapping: Mapping): ReferenceDeclaration[] {
  const declared = (field: string, source: Source): ReferenceDeclaration[] =>
    source.kind === 'ref' ? [{ field, wanted: source.wanted, missing: source.missing }] : []
  return [
    ...mapping.columns.flatMap(({ name, source }) => declared(name, source)),
    ...mapping.sets.flatMap((set) => set.columns.flatMap(({ source }) => declared(set.table, source))),
  ]
}

/** Whether any callback needs the schema's output. */
export function needsOutput(mapping: Mapping): boolean {
  const columns = [...mapping.columns, ...(Array.isArray(mapping.onDelete) ? mapping.onDelete : [])]
  return columns.some(({ source }) => source.kind === 'call') || mapping.sets.some((set) => set.rows.kind === 'call')
}

function expectKeys(where: string, value: unknown, known: string[]): void {
  if (typeof value !== 'object' || value === null) throw invalid(`${where}: must be an object`)
  const unknown = Object.keys(value).filter((key) => !known.includes(key))
  if (unknown.length > 0) throw invalid(`${where}: unknown option ${unknown.map((key) => `"${key}"`).join(', ')}; there are ${known.join(', ')}`)
}

function invalid(message: string): SluiceError {
  return new SluiceError('invalid_config', message)
}
