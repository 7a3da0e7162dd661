/** Values on their way into a column: the texts that the database casts. */
import { ExactNumber, type JsonValue, stringifyExact, toText, withoutZeros } from '../../json/exact.ts'
import { encodeParameter } from '../../store/values.ts'
import type { Column } from './column.ts'

/** A text for the database, or null. */
export type Text = string | null

/**
 * The text of a value for a column. A `json` column holds the value as JSON; an array column takes arrays, nested ones
 * too; any other column takes an array or object as its JSON text. What only functions return is understood as well: dates,
 * bigints, bytes.
 *
 * @throws TypeError for what has no text, such as a function, a symbol or a circular object
 */
export function columnText(column: Pick<Column, 'isArray' | 'isJson' | 'keepsZeros'>, value: unknown): Text {
  if (value === null || value === undefined) return null
  if (column.isArray && Array.isArray(value)) return arrayLiteral(column, value)
  return scalarText(column, value)
}

function scalarText({ isJson, keepsZeros }: Pick<Column, 'isJson' | 'keepsZeros'>, value: unknown): Text {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`a ${typeof value} is no value for a column`)
  if (isJson) return stringifyExact(value as JsonValue)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`
  if (value instanceof ExactNumber && !keepsZeros) return withoutZeros(value.source)
  return toText(value as JsonValue)
}

type Nested = Text | Nested[]

function arrayLiteral(column: Pick<Column, 'isJson' | 'keepsZeros'>, items: readonly unknown[]): string {
  const texts = (item: unknown): Nested => (Array.isArray(item) ? item.map(texts) : scalarText(column, item))
  return encodeParameter(items.map(texts)) as string
}
