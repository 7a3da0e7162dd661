/** JSON with every digit kept: numbers that JavaScript can't hold stay text. */

/** A number as its source wrote it, because a JavaScript number would be another one. */
export class ExactNumber {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }

  toString(): string {
    return this.source
  }

  /** For `JSON.stringify`, which can't write it: use {@link stringifyExact}. */
  toJSON(): string {
    return this.source
  }
}

export type JsonValue = string | number | boolean | null | ExactNumber | JsonValue[] | { [key: string]: JsonValue }

/**
 * A number whose digits may be lost on the way through a JavaScript number: sixteen digits or more, a fraction, an
 * exponent, a negative zero. May match inside a string too: that only costs the slower way.
 */
const risky = /\d{16}|\d\.\d|\d[eE]|-0/

/** True when parsing a text exactly may differ from `JSON.parse`. */
export function mayNeedExact(text: string): boolean {
  return risky.test(text)
}

/** Parses JSON; numbers whose text would change become {@link ExactNumber}. Throws SyntaxError. */
export function parseExact(text: string): JsonValue {
  if (!mayNeedExact(text)) return JSON.parse(text) as JsonValue
  return JSON.parse(text, keepDigits as (this: unknown, key: string, value: unknown) => unknown) as JsonValue
}

// https://tc39.es/proposal-json-parse-with-source: the third argument has the text of a primitive.
function keepDigits(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined || String(value) === context.source) return value
  return new ExactNumber(context.source)
}

/** JSON text of a value, compact, digits as they were. */
export function stringifyExact(value: JsonValue): string {
  if (value instanceof ExactNumber) return value.source
  if (Array.isArray(value)) return `[${value.map(stringifyExact).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}:${stringifyExact(item)}`)
      .join(',')}}`
  }
  return JSON.stringify(value)
}

/** The text to hand to a database column: a string as it is, a number by its digits, an array or object as JSON. */
export function toText(value: JsonValue): string | null {
  if (value === null) return null
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return stringifyExact(value)
}
