/**
 * Which of an object's arrivals supplies which field: the newest version wins, field by field, whatever order they are
 * applied in. Pure; `store/ledger.ts` keeps the result.
 */
import type { VersionType } from './integration.ts'
import { compareVersions } from './version.ts'

/** One arrival of an object: its declared version (canonical) or null, then message sequence and ordinal. */
export interface Arrival {
  version: string | null
  messageId: string
  ordinal: number
}

/** What the ledger knows of one object. */
export interface ObjectVersions {
  /** The newest arrival that was applied; null before the first. */
  applied: Arrival | null
  /**
   * For each field that the newest arrival lacked, the older arrival that supplied it, or null when none did. A field
   * that is not here was supplied by `applied` itself.
   */
  fields: Record<string, Arrival | null>
  /** Whether the newest arrival was a deletion. */
  deleted: boolean
}

/** What is to be done with an arrival: `supply` are the fields to be written. */
export type Decision =
  | { kind: 'newest'; supply: readonly string[] }
  | { kind: 'late'; supply: readonly string[] }
  /** A newer version was applied, and nothing is left to supply. */
  | { kind: 'superseded' }

/**
 * Compares two arrivals of one object: negative when `a` is older. The declared version comes first, then the message's
 * number, then the ordinal. 0 means the same arrival.
 *
 * @param type null where the integration declares no version. An arrival from before it declared one is older.
 */
export function compareArrivals(type: VersionType | null, a: Arrival, b: Arrival): number {
  if (type !== null && a.version !== b.version) {
    if (a.version === null) return -1
    if (b.version === null) return 1
    const order = compareVersions(type, a.version, b.version)
    if (order !== 0) return order
  }
  return compareIds(a.messageId, b.messageId) || a.ordinal - b.ordinal
}

/** Compares ids of the database: whole numbers without leading zeros, as text. */
function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a === b ? 0 : a < b ? -1 : 1
}

/**
 * Decides what an arrival supplies.
 *
 * The newest (or the newest again: a retry, a replay) supplies everything it carries. An older one supplies the carried
 * fields that nobody newer supplied.
 *
 * @param carried the fields that the arrival carries
 * @param targetFields all fields of the target
 * @param canSupplyLate false when there is nothing that an older arrival could add to, such as a row deleted for good
 */
export function decide(
  type: VersionType | null,
  ledger: ObjectVersions,
  arrival: Arrival,
  carried: readonly string[],
  targetFields: readonly string[],
  canSupplyLate: boolean,
): Decision {
  const { applied, fields } = ledger
  const own = carried.every((field) => targetFields.includes(field)) ? carried : carried.filter((field) => targetFields.includes(field))
  if (applied === null || compareArrivals(type, arrival, applied) >= 0) return { kind: 'newest', supply: own }
  if (!canSupplyLate) return { kind: 'superseded' }
  const supply = own.filter((field) => {
    const supplier = Object.hasOwn(fields, field) ? (fields[field] ?? null) : applied
    return supplier === null || compareArrivals(type, arrival, supplier) >= 0
  })
  return supply.length === 0 ? { kind: 'superseded' } : { kind: 'late', supply }
}

/**
 * The ledger after an arrival was applied.
 *
 * @param decision what {@link decide} gave for this ledger and arrival
 * @param supplied the fields that were written: `supply`, or fewer
 * @param deleted whether the arrival is a deletion; counts for the newest only
 * @returns a new value; `ledger` stays as it is
 */
export function advance(
  type: VersionType | null,
  ledger: ObjectVersions,
  arrival: Arrival,
  decision: Decision,
  supplied: readonly string[],
  targetFields: readonly string[],
  deleted: boolean,
): ObjectVersions {
  const { applied } = ledger
  if (decision.kind === 'superseded') return { applied, fields: ledger.fields, deleted: ledger.deleted }
  // The common case: an object that carries every field.
  if (decision.kind === 'newest' && supplied === targetFields) return { applied: arrival, fields: {}, deleted }
  const fields = new Map(Object.entries(ledger.fields))
  if (decision.kind === 'late') {
    for (const field of supplied) fields.set(field, arrival)
    return { applied, fields: Object.fromEntries(fields), deleted: ledger.deleted }
  }
  const written = new Set(supplied)
  const isRepeated = applied !== null && compareArrivals(type, arrival, applied) === 0
  for (const field of targetFields) {
    if (written.has(field)) fields.delete(field)
    else if (!fields.has(field) && !isRepeated) fields.set(field, applied)
  }
  return { applied: arrival, fields: Object.fromEntries(fields), deleted }
}

type Encoded = [version: string | null, messageId: string, ordinal: number]

/** `fields` as compact JSON for the ledger's row; null when there are none. */
export function encodeFields(fields: Record<string, Arrival | null>): string | null {
  const entries = Object.entries(fields)
  if (entries.length === 0) return null
  return JSON.stringify(
    Object.fromEntries(
      entries.map(([field, arrival]): [string, Encoded | null] => [
        field,
        arrival === null ? null : [arrival.version, arrival.messageId, arrival.ordinal],
      ]),
    ),
  )
}

/** Reads what {@link encodeFields} wrote. */
export function decodeFields(text: string | null): Record<string, Arrival | null> {
  if (text === null) return {}
  const encoded = JSON.parse(text) as Record<string, Encoded | null>
  return Object.fromEntries(
    Object.entries(encoded).map(([field, value]): [string, Arrival | null] => {
      if (value === null) return [field, null]
      const [version, messageId, ordinal] = value
      return [field, { version, messageId, ordinal }]
    }),
  )
}
