/** What one object asks of its table: texts for columns, rows for sets, references. Pure. */
import { messageOf } from '../../errors.ts'
import { ExactNumber, type JsonValue, mayDropZeros, parseDigits, parsePlain, withoutZeros } from '../../json/exact.ts'
import { getPath, pathToPointer } from '../../json/pointer.ts'
import { findUnstorable, mayBeUnstorable, unstorableReason } from '../../json/storable.ts'
import { ObjectError, type ObjectToApply, type Plan, type PlannedReference } from '../target.ts'
import type { Column } from './column.ts'
import type { MappedColumn, MappedSet, Mapping, RefSource, Source } from './mapping.ts'
import { columnText, type Text } from './text.ts'

/** A column's part of a plan: a text, or the index of the plan's reference that it holds. Undefined: not carried. */
export type PlannedValue = Text | { reference: number } | undefined

/** The table target's own part of a plan. Each list stands in the order of the mapping. */
export interface TablePlan {
  columns: PlannedValue[]
  /** Of `onDelete`; only a deletion has them. */
  deletion: (Text | undefined)[]
  /** Rows of sets; undefined: the set is not carried. */
  sets: (PlannedRow[] | undefined)[]
}

export interface PlannedRow {
  values: Exclude<PlannedValue, undefined>[]
  /** What the row's deferred reference takes along, if it has one. */
  details: LinkDetails | null
}

/** What a deferred link of a set needs beside its reference: the row's other columns. */
export type LinkDetails = { column: string; row: Record<string, Text> }

/** The real columns behind a mapping, in its order. */
export interface MappingColumns {
  columns: readonly Column[]
  deletion: readonly Column[]
  sets: readonly (readonly Column[])[]
}

/** Maps one object. Throws ObjectError. */
export function planObject(mapping: Mapping, real: MappingColumns, object: ObjectToApply): Plan {
  const planner = new Planner(object)
  // A deletion that passes the schema only as a deletion says nothing of its fields.
  const isBare = object.deleted && object.output === undefined
  const fields: string[] = []
  const columns = mapping.columns.map(({ name, source }, index): PlannedValue => {
    if (isBare || source.kind === 'now') return undefined
    const place = { name, source }
    const value = planner.value(source, planner.source, object.output, place)
    if (value === undefined) return undefined
    fields.push(name)
    if (source.kind === 'ref' && value !== null) return { reference: planner.refer(name, source, value, place) }
    return planner.text(columnAt(real.columns, index), value, source, place)
  })
  const deletion = object.deleted && Array.isArray(mapping.onDelete) ? planDeletion(planner, mapping.onDelete, real.deletion, object) : []
  const sets = mapping.sets.map((set, index): PlannedRow[] | undefined => {
    if (isBare) return undefined
    const rows = planner.rows(set, object, planner.source)
    const plainRows = planner.source === object.source ? rows : planner.rows(set, object, object.source)
    if (rows === undefined) return undefined
    fields.push(set.table)
    return planner.setRows(set, rows, plainRows ?? rows, real.sets[index] ?? [])
  })
  return { fields, references: planner.references, payload: { columns, deletion, sets } satisfies TablePlan }
}

function planDeletion(
  planner: Planner,
  onDelete: readonly MappedColumn[],
  real: readonly Column[],
  object: ObjectToApply,
): (Text | undefined)[] {
  // As the integration's own `deleted`, a function gets the bare object where the schema gave none out.
  const output = object.output ?? (onDelete.some(({ source }) => source.kind === 'call') ? parsePlain(object.text) : undefined)
  const texts = onDelete.map(({ name, source }, index): Text | undefined => {
    if (source.kind === 'now') return undefined
    const place = { name, source }
    const value = planner.value(source, planner.source, output, place)
    return value === undefined ? undefined : planner.text(columnAt(real, index), value, source, place)
  })
  if (onDelete.every(({ source }, index) => source.kind !== 'now' && (texts[index] ?? null) === null)) {
    const [first] = onDelete
    throw planner.error(
      'missing_deletion_value',
      `the object is a deletion, but has no value for ${onDelete.map(({ name }) => `"${name}"`).join(' or ')} to say so`,
      { name: first?.name ?? '', source: first?.source ?? null },
    )
  }
  return texts
}

/** Where a value comes from and goes to, for errors. */
interface Place {
  name: string
  /** Its pointer is made when an error needs it. */
  source: Source | MappedSet['rows'] | null
  /** What stands before that pointer. Default: nothing. Undefined: there is no pointer. */
  base?: string | undefined
}

class Planner {
  readonly references: PlannedReference[] = []
  /** The object's source with every digit. */
  readonly source: JsonValue
  readonly #object: ObjectToApply
  readonly #mayBeUnstorable: boolean

  constructor(object: ObjectToApply) {
    this.#object = object
    this.source = mayDropZeros(object.text, object.source) ? parseDigits(object.text) : object.source
    this.#mayBeUnstorable = mayBeUnstorable(object.text)
  }

  /** A column's value; undefined when the object doesn't carry it. */
  value(source: Source, from: unknown, output: unknown, place: Place): unknown {
    switch (source.kind) {
      case 'field':
        return getPath(from as JsonValue, source.path)
      case 'call':
        return this.#call(source.call, output, place)
      case 'constant':
        return source.value
      case 'ref':
        return source.path === null ? from : getPath(from as JsonValue, source.path)
      case 'now':
        return undefined
    }
  }

  text(column: Column, value: unknown, source: Source, place: Place): Text {
    let text: Text
    try {
      text = columnText(column, value)
    } catch (error) {
      throw this.error('invalid_value', `"${place.name}" has no text for the database: ${messageOf(error)}`, place)
    }
    // What the source text can't hide needs no second look; a function may have cut a character in two.
    if (text !== null && (this.#mayBeUnstorable || source.kind === 'call')) this.#expectStorable(text, value, place)
    return text
  }

  /** Adds a reference; gives its index. */
  refer(field: string, source: RefSource, value: unknown, place: Place, details?: LinkDetails): number {
    const wantedId = externalId(value)
    if (wantedId === null) {
      throw this.error(
        'invalid_reference',
        `"${place.name}" refers to an object by its external ID, which is a text or an integer, not ${kindOf(value)}`,
        place,
      )
    }
    if (this.#mayBeUnstorable) this.#expectStorable(wantedId, value, place)
    this.references.push({ field, wanted: source.wanted, wantedId, missing: source.missing, ...(details === undefined ? {} : { details }) })
    return this.references.length - 1
  }

  /** The rows of a set in one reading of the object; undefined when it doesn't carry it. */
  rows({ rows, table }: MappedSet, object: ObjectToApply, source: JsonValue): readonly unknown[] | undefined {
    const place = { name: table, source: rows }
    const value = rows.kind === 'field' ? getPath(source, rows.path) : this.#call(rows.call, object.output, place)
    if (value === null) return []
    if (value === undefined || Array.isArray(value)) return value
    throw this.error('invalid_set', `the rows of "${table}" are an array, not ${kindOf(value)}`, place)
  }

  /** @param plainRows the same rows as functions get them: with the numbers that JavaScript makes of them */
  setRows(set: MappedSet, rows: readonly unknown[], plainRows: readonly unknown[], real: readonly Column[]): PlannedRow[] {
    const base = pointerOf(set.rows)
    return rows.map((row, index) => this.#setRow(set, row, plainRows[index], real, base === undefined ? undefined : `${base}/${index}`))
  }

  #setRow(set: MappedSet, row: unknown, plainRow: unknown, real: readonly Column[], base: string | undefined): PlannedRow {
    const details: LinkDetails = { column: '', row: {} }
    const values = set.columns.map(({ name, source }, index): PlannedRow['values'][number] => {
      const place = { name: `${set.table}.${name}`, source, base }
      const value = this.value(source, row, plainRow, place)
      const isItself = source.kind === 'ref' && source.path === null
      if (source.kind === 'ref' && (isItself || (value !== null && value !== undefined))) {
        if (source.missing === 'wait') return { reference: this.refer(set.table, source, value, place) }
        details.column = name
        return { reference: this.refer(set.table, source, value, place, details) }
      }
      const text = this.text(columnAt(real, index), value, source, place)
      details.row[name] = text
      return text
    })
    return { values, details: details.column === '' ? null : details }
  }

  error(code: string, message: string, place: Place, more = ''): ObjectError {
    const pointer = pointerAt(place)
    return new ObjectError(code, message, {
      column: place.name,
      ...(pointer === undefined ? {} : { pointer: `/${this.#object.ordinal}${pointer}${more}` }),
    })
  }

  #call(call: (object: unknown) => unknown, argument: unknown, place: Place): unknown {
    let value: unknown
    try {
      value = call(argument)
    } catch (error) {
      throw this.error('mapping_failed', `the function for "${place.name}" threw an error: ${messageOf(error)}`, place)
    }
    if (!(value instanceof Promise)) return value
    // It is refused as a value; left alone, its rejection would end the process.
    value.catch(() => undefined)
    throw this.error(
      'mapping_failed',
      `the function for "${place.name}" is asynchronous: a mapping has its values at once. Use t.handler instead.`,
      place,
    )
  }

  #expectStorable(text: string, value: unknown, place: Place): void {
    // Inside JSON it is escaped, which a text can hold; but no jsonb, nor what reads the JSON later.
    const isJson = typeof value === 'object' && mayBeUnstorable(text)
    const found = isJson ? findUnstorable(value as JsonValue) : null
    const reason = found?.reason ?? unstorableReason(text)
    if (reason === null) return
    const what = reason === 'nul' ? 'the character U+0000' : 'half of a surrogate pair'
    throw this.error('unstorable_text', `"${place.name}" has ${what} in it, which PostgreSQL can't hold as text`, place, found?.pointer)
  }
}

function columnAt(columns: readonly Column[], index: number): Column {
  const column = columns[index]
  if (column === undefined) throw new Error(`column ${index} of the mapping was not looked up`)
  return column
}

/** In a set's row the base is the row's own place, so that a value without a path is the row itself. */
function pointerAt(place: Place): string | undefined {
  const own = place.source === null ? undefined : pointerOf(place.source)
  if (!('base' in place)) return own
  return place.base === undefined ? undefined : `${place.base}${own ?? ''}`
}

function pointerOf(source: Source | MappedSet['rows']): string | undefined {
  if (source.kind === 'field') return pathToPointer(source.path)
  return source.kind === 'ref' && source.path !== null ? pathToPointer(source.path) : undefined
}

function externalId(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) return String(value)
  if (!(value instanceof ExactNumber)) return null
  const digits = withoutZeros(value.source)
  return /^-?\d+$/.test(digits) ? digits : null
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (value instanceof ExactNumber || typeof value === 'number') return `the number ${value}`
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
