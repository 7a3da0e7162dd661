/** What one object asks of its table: texts for columns, rows for sets, references. Pure. */
import { ExactNumber, type JsonValue, toText } from '../../json/exact.ts'
import { getPath, pathToPointer } from '../../json/pointer.ts'
import { mayBeUnstorable, unstorableReason } from '../../json/storable.ts'
import { encodeParameter } from '../../store/values.ts'
import { ObjectError, type ObjectToApply, type Plan, type PlannedReference } from '../target.ts'
import type { Column } from './catalogue.ts'
import type { MappedColumn, MappedSet, Mapping, Source } from './mapping.ts'

/** A text for the database, or null. */
export type Text = string | null

/** A row of a set: texts in the order of the set's columns; a reference stands at `references` instead. */
export interface PlannedRow {
  values: Text[]
  /** Index of the column → index of the plan's reference. */
  references: Map<number, number>
}

/** The table target's own part of a plan. */
export interface TablePlan {
  /** By column; references stand in `references`. */
  values: Map<string, Text>
  /** Column → index of the plan's reference. */
  references: Map<string, number>
  /** By table of the set. */
  sets: Map<string, PlannedRow[]>
  /** Of `onDelete`, apart from t.now(). */
  deletion: Map<string, Text>
}

/** The real columns that a mapping writes, by name. */
export interface PlanColumns {
  columns: ReadonlyMap<string, Column>
  sets: ReadonlyMap<string, ReadonlyMap<string, Column>>
}

/** Maps one object. Throws ObjectError. */
export function planObject(mapping: Mapping, real: PlanColumns, object: ObjectToApply): Plan {
  const planner = new Planner(object)
  const plan: TablePlan = { values: new Map(), references: new Map(), sets: new Map(), deletion: new Map() }
  const fields: string[] = []
  // A deletion that passes the schema only as a deletion says nothing of its fields.
  const isBare = object.deleted && object.output === undefined
  for (const { name, source } of isBare ? [] : mapping.columns) {
    if (source.kind === 'now') continue
    const value = planner.value(source, object.source, object.output)
    if (value === undefined) continue
    fields.push(name)
    if (source.kind === 'ref' && value !== null) plan.references.set(name, planner.refer(name, source, value, pointerOf(source)))
    else plan.values.set(name, planner.text(value, real.columns.get(name), name, pointerOf(source)))
  }
  for (const set of isBare ? [] : mapping.sets) {
    const rows = planner.rows(set, object)
    if (rows === undefined) continue
    fields.push(set.table)
    plan.sets.set(set.table, planner.setRows(set, rows, real.sets.get(set.table) ?? new Map()))
  }
  if (object.deleted && Array.isArray(mapping.onDelete)) {
    for (const { name, source } of mapping.onDelete) {
      if (source.kind === 'now') continue
      const value = planner.value(source, object.source, object.output ?? object.source)
      if (value !== undefined) plan.deletion.set(name, planner.text(value, real.columns.get(name), name, pointerOf(source)))
    }
  }
  return { fields, references: planner.references, payload: plan }
}

function pointerOf(source: Source | MappedSet['rows']): string | undefined {
  if (source.kind === 'field') return pathToPointer(source.path)
  return source.kind === 'ref' && source.path !== null ? pathToPointer(source.path) : undefined
}

class Planner {
  readonly references: PlannedReference[] = []
  readonly #object: ObjectToApply
  readonly #checksTexts: boolean

  constructor(object: ObjectToApply) {
    this.#object = object
    this.#checksTexts = mayBeUnstorable(object.text)
  }

  /** A column's value; undefined when the object doesn't carry it. */
  value(source: Source, from: JsonValue, output: unknown): unknown {
    switch (source.kind) {
      case 'field':
        return getPath(from, source.path)
      case 'call':
        return source.call(output)
      case 'constant':
        return source.value
      case 'ref':
        return source.path === null ? from : getPath(from, source.path)
      case 'now':
        return undefined
    }
  }

  text(value: unknown, column: Column | undefined, name: string, pointer: string | undefined): Text {
    if (value === null || value === undefined) return null
    if (value instanceof Date) return value.toISOString()
    if (typeof value === 'bigint') return String(value)
    const json = value as JsonValue
    const text = column?.isArray === true && Array.isArray(json) ? arrayLiteral(json) : toText(json)
    if (text !== null && this.#checksTexts) this.#expectStorable(text, name, pointer)
    return text
  }

  refer(field: string, source: Source & { kind: 'ref' }, value: unknown, pointer: string | undefined, details?: JsonValue): number {
    const id = externalId(value)
    if (id === null) {
      throw new ObjectError('invalid_reference', `"${field}" must be an external ID: a string or an integer`, { ...this.#at(pointer), column: field })
    }
    if (this.#checksTexts) this.#expectStorable(id, field, pointer)
    this.references.push({ field, wanted: source.wanted, wantedId: id, missing: source.missing, ...(details === undefined ? {} : { details }) })
    return this.references.length - 1
  }

  /** The rows of a set; undefined when the object doesn't carry it. */
  rows(set: MappedSet, object: ObjectToApply): unknown[] | undefined {
    const value = set.rows.kind === 'field' ? getPath(object.source, set.rows.path) : set.rows.call(object.output)
    if (value === undefined) return undefined
    if (value === null) return []
    if (!Array.isArray(value)) throw new ObjectError('invalid_set', `the rows of "${set.table}" must be an array`, this.#at(pointerOf(set.rows)))
    return value
  }

  setRows(set: MappedSet, rows: readonly unknown[], columns: ReadonlyMap<string, Column>): PlannedRow[] {
    const base = pointerOf(set.rows)
    return rows.map((row, index) => this.#setRow(set, row, columns, base === undefined ? undefined : `${base}/${index}`))
  }

  #setRow(set: MappedSet, row: unknown, columns: ReadonlyMap<string, Column>, base: string | undefined): PlannedRow {
    const planned: PlannedRow = { values: [], references: new Map() }
    const pending: { index: number; column: MappedColumn & { source: { kind: 'ref' } }; value: unknown; pointer: string | undefined }[] = []
    for (const [index, column] of set.columns.entries()) {
      const { name, source } = column
      const own = pointerOf(source)
      const pointer = base === undefined ? undefined : `${base}${own ?? ''}`
      const value = this.value(source, row as JsonValue, row)
      const isReference = source.kind === 'ref' && value !== null && value !== undefined
      planned.values.push(isReference ? null : this.text(value, columns.get(name), name, pointer))
      if (isReference) pending.push({ index, column: column as MappedColumn & { source: { kind: 'ref' } }, value, pointer })
    }
    for (const { index, column, value, pointer } of pending) {
      const details = column.source.missing === 'defer' ? { column: column.name, values: planned.values } : undefined
      planned.references.set(index, this.refer(set.table, column.source, value, pointer, details))
    }
    return planned
  }

  #expectStorable(text: string, name: string, pointer: string | undefined): void {
    const reason = unstorableReason(text)
    if (reason === null) return
    const what = reason === 'nul' ? 'the character U+0000' : 'half of a surrogate pair'
    throw new ObjectError('unstorable_text', `"${name}" has ${what} in it, which PostgreSQL can't hold as text`, { ...this.#at(pointer), column: name })
  }

  #at(pointer: string | undefined): { pointer?: string } {
    return pointer === undefined ? {} : { pointer: `/${this.#object.ordinal}${pointer}` }
  }
}

function externalId(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  if (value instanceof ExactNumber && /^-?\d+$/.test(value.source)) return value.source
  return null
}

function arrayLiteral(items: readonly JsonValue[]): string {
  const nested = (item: JsonValue): Parameters<typeof encodeParameter>[0] => (Array.isArray(item) ? item.map(nested) : toText(item))
  return encodeParameter(items.map(nested)) as string
}
