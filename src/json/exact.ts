/** JSON with every number's value kept: what JavaScript can't hold stays text. */

// https://tc39.es/proposal-json-parse-with-source, in Node since 21; TypeScript's library doesn't have it yet.
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown }

/** A number as its source wrote it, because a JavaScript number would be another one. */
export class ExactNumber {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }

  toString(): string {
    return this.source
  }

  /** Lets `JSON.stringify` write the source's digits. */
  toJSON(): unknown {
    return rawJSON(this.source)
  }
}

/** A JSON value. Numbers that JavaScript holds exactly are plain. */
export type JsonValue = string | number | boolean | null | ExactNumber | JsonValue[] | { [key: string]: JsonValue }

/**
 * A number that JavaScript may change: sixteen digits or more (fifteen always survive), an exponent, more than six zeros
 * behind the point (JavaScript would write an exponent), a negative zero. Only looks behind what may stand before a value;
 * what it finds inside a string costs time and changes nothing.
 */
const risky = /(?:^|[ \t\n\r:,[])(?:-?(?:\d{16}|[\d.]{17}|[\d.]+[eE]|0\.0{6})|-0(?:\.0+)?(?![\d.]))/

/** False when `JSON.parse` gives exactly what {@link parseExact} does. */
export function mayNeedExact(text: string): boolean {
  return risky.test(text)
}

/**
 * Parses JSON; a number that `String` would not give back with its value (`9007199254740993`, `1e400`, `-0`) or without an
 * exponent that it didn't have becomes an {@link ExactNumber}. `1.50` is a plain 1.5. Throws SyntaxError.
 */
export function parseExact(text: string): JsonValue {
  if (!mayNeedExact(text)) return JSON.parse(text) as JsonValue
  return JSON.parse(text, keepExact as (this: unknown, key: string, value: unknown) => unknown) as JsonValue
}

function keepExact(_key: string, value: unknown, context: { source?: string }): unknown {
  const { source } = context
  if (typeof value !== 'number' || source === undefined) return value
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
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return `${sign}0`
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
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
