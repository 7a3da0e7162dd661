/**
 * Parsing texts whose keys have escapes.
 *
 * V8 (Node 24 and 26, https://github.com/nodejs/node/issues/63785) may take such a key for another that it has seen in a
 * like object before, whoever sent it: after `{"a":1,"\\":2}` it reads `{"a":1,"\n":2}` as if that were the first. What the
 * scanner and PostgreSQL take for one object must not be another to us, so that these texts are put together here, and V8
 * reads only their strings.
 */
import { backslash, closeBrace, closeBracket, colon, comma, isWhitespace, nine, openBrace, openBracket, quote, zero } from './bytes.ts'
import type { JsonValue } from './value.ts'

/** Whether a key of this JSON has an escape. */
export function hasEscapedKey(text: string): boolean {
  for (let at = text.indexOf('\\'); at !== -1; at = text.indexOf('\\', at)) {
    at = skipWhitespace(text, endOfString(text, at))
    if (text.charCodeAt(at) === colon) return true
  }
  return false
}

/**
 * Parses as `JSON.parse` does, keys with escapes included.
 *
 * @param toNumber makes a value of a number's text
 */
export function parseCarefully(text: string, toNumber: (source: string) => JsonValue): JsonValue {
  // What is no JSON throws here; below it need not be looked for.
  JSON.parse(text)
  return new CarefulParser(text, toNumber).value()
}

/** Reads what is known to be JSON. */
class CarefulParser {
  readonly #text: string
  readonly #toNumber: (source: string) => JsonValue
  #at = 0

  constructor(text: string, toNumber: (source: string) => JsonValue) {
    this.#text = text
    this.#toNumber = toNumber
  }

  value(): JsonValue {
    const first = this.#peek()
    if (first === openBrace) return this.#object()
    if (first === openBracket) return this.#array()
    if (first === quote) return this.#string()
    return this.#word()
  }

  #object(): JsonValue {
    const object: { [key: string]: JsonValue } = {}
    this.#at++
    while (this.#peek() !== closeBrace) {
      const key = this.#string()
      this.#skip(colon)
      const value = this.value()
      // An assignment to this one would set the prototype.
      if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
      else object[key] = value
      this.#skip(comma)
    }
    this.#at++
    return object
  }

  #array(): JsonValue {
    const array: JsonValue[] = []
    this.#at++
    while (this.#peek() !== closeBracket) {
      array.push(this.value())
      this.#skip(comma)
    }
    this.#at++
    return array
  }

  #string(): string {
    const start = this.#at
    this.#at = endOfString(this.#text, start + 1)
    return JSON.parse(this.#text.slice(start, this.#at)) as string
  }

  #word(): JsonValue {
    const [word = ''] = this.#text.slice(this.#at, this.#at + 5).match(/^(?:true|false|null)/) ?? []
    if (word !== '') {
      this.#at += word.length
      return word === 'null' ? null : word === 'true'
    }
    const start = this.#at
    while (isInNumber(this.#text.charCodeAt(this.#at))) this.#at++
    return this.#toNumber(this.#text.slice(start, this.#at))
  }

  /** The next character that is no whitespace. */
  #peek(): number {
    this.#at = skipWhitespace(this.#text, this.#at)
    return this.#text.charCodeAt(this.#at)
  }

  #skip(character: number): void {
    if (this.#peek() === character) this.#at++
  }
}

/** Where a string ends, behind its quote, seen from a place inside it that is not inside an escape. */
function endOfString(text: string, from: number): number {
  let at = from
  for (; at < text.length && text.charCodeAt(at) !== quote; at++) if (text.charCodeAt(at) === backslash) at++
  return at + 1
}

function skipWhitespace(text: string, from: number): number {
  let at = from
  while (isWhitespace[text.charCodeAt(at)] === 1) at++
  return at
}

/** Digits, a sign, a point, an exponent. */
function isInNumber(character: number): boolean {
  return (character >= zero && character <= nine) || numberSigns.has(character)
}

const numberSigns = new Set([...'+-.eE'].map((sign) => sign.charCodeAt(0)))
