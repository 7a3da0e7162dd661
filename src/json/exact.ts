/** JSON with every number's value kept: what JavaScript can't hold stays text. */
import { hasEscapedKey, parseCarefully } from './careful.ts'
import { ExactNumber, type JsonValue } from './value.ts'

export { ExactNumber, type JsonValue }

/**
 * A number that JavaScript may change: sixteen digits or more (fifteen always survive), an exponent, six zeros or more
 * behind the point (JavaScript would write an exponent), a negative zero. Only looks behind what may stand before a value;
 * what it finds inside a string costs time and changes nothing.
 */
const risky = /(?:^|[ \t\n\r:,[])(?:-?(?:\d{16}|[\d.]{17}|[\d.]+[eE]|0\.0{6})|-0(?:\.0+)?(?![\d.]))/

/**
 * Parses JSON; a number that `String` would not give back with its value (`9007199254740993`, `1e400`, `-0`) or without an
 * exponent that it didn't have becomes an {@link ExactNumber}. `1.50` is a plain 1.5 (see {@link parseDigits}). Throws SyntaxError.
 */
export function parseExact(text: string): JsonValue {
  return parseBoth(text).exact
}

/** Parses JSON as {@link parseExact} and as {@link parsePlain} do. Both are one value where no number differs. */
export function parseBoth(text: string): { exact: JsonValue; plain: JsonValue } {
  const isCareful = hasEscapedKey(text)
  const plain = isCareful ? parseCarefully(text, Number) : (JSON.parse(text) as JsonValue)
  // Most objects have no number at all, which is seen sooner than that none of their digits would be lost.
  if (!hasNumber(plain) || !risky.test(text)) return { exact: plain, plain }
  return { exact: isCareful ? parseCarefully(text, exactNumber) : parseKeeping(text), plain }
}

/** A decimal that ends in zeros: `1.50`. Only looks behind what may stand before a value, as {@link risky} does. */
const endsInZeros = /(?:^|[ \t\n\r:,[])-?\d+\.\d*0(?=[ \t\n\r,\]}]|$)/

/** False when {@link parseDigits} would give what {@link parseExact} gave. */
export function mayDropZeros(text: string, parsed: JsonValue): boolean {
  return hasNumber(parsed) && endsInZeros.test(text)
}

/** Parses JSON as {@link parseExact} does, but a decimal that ends in zeros is an {@link ExactNumber} too. Throws SyntaxError. */
export function parseDigits(text: string): JsonValue {
  if (hasEscapedKey(text)) return parseCarefully(text, writtenNumber)
  return JSON.parse(text, ((_key: string, value: unknown, { source }: { source?: string }) =>
    typeof value === 'number' && source !== undefined ? writtenNumber(source) : value) as (
    key: string,
    value: unknown,
  ) => unknown) as JsonValue
}

function writtenNumber(source: string): number | ExactNumber {
  return /^-?\d+\.\d*0$/.test(source) ? new ExactNumber(source) : exactNumber(source)
}

/** The digits of a number without the zeros at the end of its fraction: `1.50` is `1.5`, `2.0` is `2`. */
export function withoutZeros(digits: string): string {
  if (!/^-?\d+\.\d+$/.test(digits)) return digits
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, digits[end - 1] === '.' ? end - 1 : end)
}

function hasNumber(value: JsonValue): boolean {
  if (typeof value === 'number') return true
  if (typeof value !== 'object' || value === null) return false
  return Array.isArray(value) ? value.some(hasNumber) : Object.values(value).some(hasNumber)
}

function parseKeeping(text: string): JsonValue {
  return JSON.parse(text, keepExact as (this: unknown, key: string, value: unknown) => unknown) as JsonValue
}

/** Parses JSON with the numbers that JavaScript makes of it. Throws SyntaxError. */
export function parsePlain(text: string): JsonValue {
  return hasEscapedKey(text) ? parseCarefully(text, Number) : (JSON.parse(text) as JsonValue)
}

function keepExact(_key: string, value: unknown, context: { source?: string }): unknown {
  return typeof value === 'number' && context.source !== undefined ? exactNumber(context.source) : value
}

function exactNumber(source: string): number | ExactNumber {
  const value = Number(source)
  const written = String(value)
  if (written === source) return value
  if (written.includes('e') && !/[eE]/.test(source)) return new ExactNumber(source)
  return canonical(written) === canonical(source) ? value : new ExactNumber(source)
}

/** Equal texts for equal numbers: sign, digits without zeros around them, exponent. */
function canonical(number: string): string {
  const [mantissa = '', exponent = '0'] = number.toLowerCase().split('e')
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.slice(sign.length).split('.')
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return `${sign}0`
  // Not by a regexp: /0+$/ takes quadratic time over zeros in the middle.
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return `${sign}${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`
}

/** Compact JSON text of a value, every number by its digits. */
export function stringifyExact(value: JsonValue): string {
  return JSON.stringify(value)
}

/** The text to hand to a database column: a string as it is, a number by its digits, an array or object as JSON. */
export function toText(value: JsonValue): string | null {
  if (value === null) return null
  if (typeof value === 'string') return value
  if (typeof value === 'object' && !(value instanceof ExactNumber)) return stringifyExact(value)
  return String(value)
}
