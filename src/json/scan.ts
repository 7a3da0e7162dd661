/**
 * The scanner: from the bytes of a message to the spans of its objects.
 *
 * A state machine over bytes. It takes them cut anywhere, parses nothing, and keeps no more than the keys of the objects
 * that are open. What it lets pass is JSON by RFC 8259 in strict UTF-8, within the caller's limits, in which no object has
 * a key twice or one that programs have taken for a prototype. So whoever parses a span later has no surprises.
 */
import type { SluiceError } from '../errors.ts'
import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  describeByte,
  isWhitespace,
  lineFeed,
  openBrace,
  openBracket,
  quote,
  space,
} from './bytes.ts'
import { OpenKeys } from './keys.ts'
import { afterE, firstPart, mayEnd, nextPart, refused } from './number.ts'
import { formatPointer } from './pointer.ts'
import { refusal, showKey } from './refusal.ts'
import { StringScanner } from './string.ts'

/** What a message may have at most. No defaults here: the config has them. */
export interface ScanLimits {
  /** Nesting of arrays and objects. The array that holds a message's objects counts as one; a line of NDJSON begins at none. */
  maxDepth: number
  /** Elements of a message. */
  maxObjects: number
  /** A key's bytes, as UTF-8, escapes decoded. */
  maxKeyLength: number
  /** A number's bytes. */
  maxNumberLength: number
}

/** What an element is. */
export type SpanKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/** Where an element stands in its message: offsets in bytes, `end` exclusive, no whitespace around it. */
export interface Span {
  start: number
  end: number
  kind: SpanKind
}

/** `array`: a span per element; `single`: any other JSON value, one span; `ndjson`: a span per line that is not blank. */
export type MessageShape = 'single' | 'array' | 'ndjson'

/** What is known of a message once it has ended. */
export interface ScanSummary {
  shape: MessageShape
  /** How many spans it had. */
  objects: number
  /** Its length. */
  bytes: number
}

/** Between tokens: what has to come next. */
const atStart = 0
const atValue = 1
const atFirstElement = 2
const atFirstKey = 3
const atKey = 4
const atColon = 5
const afterValue = 6
const atEnd = 7
/** Inside a token. */
const inString = 8
const inNumber = 9
const inLiteral = 10
const inByteOrderMark = 11

const literals = new Map(['true', 'false', 'null'].map((literal) => [literal.charCodeAt(0), literal]))

const byteOrderMark = [0xef, 0xbb, 0xbf]

/**
 * Scans one message.
 *
 * `push` its bytes in any pieces, `takeSpans` whenever you like, `end` once. The first refusal is final: every later call
 * throws it again.
 */
export class MessageScanner {
  readonly #ndjson: boolean
  readonly #limits: ScanLimits
  #failure: unknown = null

  #state = atStart
  /** Offset of the first byte of the chunk in hand. */
  #base = 0
  #line = 1
  #lineStart = 0

  /** Per depth, from 1: the index of the element in hand, or -1 for an object. */
  readonly #frames: number[] = []
  #depth = 0
  readonly #keys = new OpenKeys()

  #shape: MessageShape
  /** The depth at which the message's elements stand. */
  #elementDepth = 0
  #elementStart = 0
  #elementKind: SpanKind = 'null'
  #objects = 0
  #spans: Span[] = []

  /** Where the string, number or literal in hand began. */
  #tokenStart = 0
  #literal = ''
  #numberPart = refused
  readonly #string: StringScanner

  constructor(format: 'json' | 'ndjson', limits: ScanLimits) {
    this.#ndjson = format === 'ndjson'
    this.#shape = this.#ndjson ? 'ndjson' : 'single'
    this.#limits = limits
    this.#string = new StringScanner(limits.maxKeyLength, {
      unexpected: (code, byte, at, expected) =>
        this.#refusal(code, this.#base + at, `Unexpected ${describeByte(byte)} in a string`, expected),
      keyTooLong: () => this.#tokenTooLong('key_too_long', 'Key', limits.maxKeyLength, 'send a shorter one'),
    })
  }

  /**
   * The next bytes of the message.
   *
   * @throws SluiceError `json_syntax`, `invalid_utf8`, `too_deep`, `too_many_objects`, `duplicate_key`, `unsafe_key`,
   *   `key_too_long`, `number_too_long`; `details` are `{ offset, line, column, pointer }`, and `key` or `limit`
   */
  push(chunk: Uint8Array): void {
    this.#guarded(() => {
      this.#scan(chunk)
      this.#base += chunk.length
    })
  }

  /** No more bytes. Throws as {@link push} does when the message is not complete. */
  end(): ScanSummary {
    return this.#guarded(() => {
      if (this.#state === inNumber && mayEnd(this.#numberPart)) this.#endValue(this.#base)
      if (this.#state !== atEnd && !(this.#ndjson && this.#state === atStart)) {
        const cutCharacter = this.#state === inString && this.#string.isInCharacter
        throw this.#refusal(cutCharacter ? 'invalid_utf8' : 'json_syntax', this.#base, 'Unexpected end of the message', this.#expected())
      }
      return { shape: this.#shape, objects: this.#objects, bytes: this.#base }
    })
  }

  /** The spans of the elements that have ended since the last call. */
  takeSpans(): Span[] {
    const spans = this.#spans
    this.#spans = []
    return spans
  }

  #guarded<T>(work: () => T): T {
    if (this.#failure !== null) throw this.#failure
    try {
      return work()
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  #scan(chunk: Uint8Array): void {
    const length = chunk.length
    let at = 0
    while (at < length) {
      const state = this.#state
      if (state === inString) {
        at = this.#scanString(chunk, at)
      } else if (state === inNumber) {
        at = this.#scanNumber(chunk, at)
      } else {
        const byte = chunk[at] as number
        if (state >= inLiteral) this.#scanRare(byte, this.#base + at)
        else if (byte <= space && isWhitespace[byte] === 1) {
          if (byte === lineFeed) this.#nextLine(this.#base + at)
        } else this.#scanStructure(byte, at, state)
        at++
      }
    }
  }

  #nextLine(offset: number): void {
    if (this.#ndjson && this.#state !== atStart) {
      if (this.#state !== atEnd) throw this.#unexpected(lineFeed, offset, ' (NDJSON has a whole value on each line)')
      this.#state = atStart
    }
    this.#line++
    this.#lineStart = offset + 1
  }

  /** A byte between tokens that is no whitespace. */
  #scanStructure(byte: number, at: number, state: number): void {
    const offset = this.#base + at
    switch (state) {
      case afterValue: {
        const index = this.#frames[this.#depth] as number
        if (byte === comma) {
          if (index >= 0) this.#frames[this.#depth] = index + 1
          this.#state = index >= 0 ? atValue : atKey
        } else if (byte === (index >= 0 ? closeBracket : closeBrace)) this.#close(offset + 1)
        else throw this.#unexpected(byte, offset)
        return
      }
      case atValue:
        this.#beginValue(byte, at)
        return
      case atColon:
        if (byte !== colon) throw this.#unexpected(byte, offset)
        this.#state = atValue
        return
      case atKey:
      case atFirstKey:
        if (byte === quote) this.#beginString(true, at)
        else if (byte === closeBrace && state === atFirstKey) this.#close(offset + 1)
        else throw this.#unexpected(byte, offset)
        return
      case atFirstElement:
        if (byte === closeBracket) this.#close(offset + 1)
        else this.#beginValue(byte, at)
        return
      case atStart:
        this.#beginTop(byte, at)
        return
      default:
        throw this.#unexpected(byte, offset)
    }
  }

  /** The value at the top: a message's array holds its elements, anything else is one. */
  #beginTop(byte: number, at: number): void {
    const offset = this.#base + at
    if (byte === byteOrderMark[0] && offset === 0) {
      this.#state = inByteOrderMark
    } else if (byte === openBracket && !this.#ndjson) {
      this.#shape = 'array'
      this.#open(offset, 0)
      this.#elementDepth = 1
    } else this.#beginValue(byte, at)
  }

  #beginValue(byte: number, at: number): void {
    const offset = this.#base + at
    if (byte === quote) {
      this.#beginElement('string', offset)
      this.#beginString(false, at)
    } else if (byte === openBrace) {
      this.#beginElement('object', offset)
      this.#open(offset, -1)
    } else if (byte === openBracket) {
      this.#beginElement('array', offset)
      this.#open(offset, 0)
    } else this.#beginWord(byte, offset)
  }

  /** A literal or a number. */
  #beginWord(byte: number, offset: number): void {
    const literal = literals.get(byte)
    if (literal !== undefined) {
      this.#beginElement(literal === 'null' ? 'null' : 'boolean', offset)
      this.#literal = literal
      this.#state = inLiteral
    } else {
      const part = firstPart(byte)
      if (part === refused) throw this.#unexpected(byte, offset)
      this.#beginElement('number', offset)
      this.#numberPart = part
      this.#state = inNumber
    }
    this.#tokenStart = offset
  }

  #beginElement(kind: SpanKind, offset: number): void {
    if (this.#depth !== this.#elementDepth) return
    if (this.#objects === this.#limits.maxObjects) {
      const limit = this.#limits.maxObjects
      throw this.#refusal('too_many_objects', offset, `More than ${limit} objects`, 'send them in several messages', {
        pointer: `/${limit}`,
        limit,
      })
    }
    this.#elementStart = offset
    this.#elementKind = kind
  }

  #endValue(end: number): void {
    if (this.#depth === this.#elementDepth) {
      this.#spans.push({ start: this.#elementStart, end, kind: this.#elementKind })
      this.#objects++
    }
    this.#state = this.#depth === 0 ? atEnd : afterValue
  }

  #open(offset: number, index: 0 | -1): void {
    const limit = this.#limits.maxDepth
    if (this.#depth === limit) {
      this.#state = atValue
      throw this.#refusal('too_deep', offset, `Nested deeper than ${limit} levels`, 'send flatter objects', { limit })
    }
    this.#frames[++this.#depth] = index
    if (index === -1) this.#keys.open()
    this.#state = index === -1 ? atFirstKey : atFirstElement
  }

  #close(end: number): void {
    if (this.#frames[this.#depth] === -1) this.#keys.close()
    this.#depth--
    if (this.#depth < this.#elementDepth) this.#state = atEnd
    else this.#endValue(end)
  }

  /** The next byte of a literal or a byte order mark. */
  #scanRare(byte: number, offset: number): void {
    if (this.#state === inByteOrderMark) {
      const fits = byte === byteOrderMark[offset]
      if (fits && offset < 2) return
      this.#state = atStart
      if (!fits) throw this.#unexpected(byteOrderMark[0] as number, 0)
      throw this.#refusal('json_syntax', 0, 'Unexpected byte order mark (0xEF 0xBB 0xBF)', 'send the JSON without it')
    }
    const next = offset - this.#tokenStart
    if (byte !== this.#literal.charCodeAt(next)) throw this.#unexpected(byte, offset)
    if (next + 1 === this.#literal.length) this.#endValue(offset + 1)
  }

  #scanNumber(chunk: Uint8Array, from: number): number {
    let at = from
    for (; at < chunk.length; at++) {
      const part = nextPart(this.#numberPart, chunk[at] as number)
      if (part === refused) break
      this.#numberPart = part
    }
    const limit = this.#limits.maxNumberLength
    if (this.#base + at - this.#tokenStart > limit) throw this.#tokenTooLong('number_too_long', 'Number', limit, 'send it as a string')
    if (at === chunk.length) return at
    if (!mayEnd(this.#numberPart)) throw this.#unexpected(chunk[at] as number, this.#base + at)
    this.#endValue(this.#base + at)
    return at
  }

  #beginString(isKey: boolean, at: number): void {
    this.#tokenStart = this.#base + at
    this.#string.begin(isKey, at + 1)
    this.#state = inString
  }

  #scanString(chunk: Uint8Array, from: number): number {
    const end = this.#string.scan(chunk, from)
    if (end === -1) return chunk.length
    if (this.#string.isKey) {
      const verdict = this.#string.addKey(this.#keys, chunk, end)
      this.#state = atColon
      if (verdict !== 'new') throw this.#refusedKey(verdict)
    } else this.#endValue(this.#base + end + 1)
    return end + 1
  }

  #refusedKey(verdict: 'duplicate' | 'unsafe'): SluiceError {
    const key = this.#keys.newest()
    return verdict === 'duplicate'
      ? this.#refusal('duplicate_key', this.#tokenStart, `Duplicate key ${showKey(key)}`, 'an object may have it once', { key })
      : this.#refusal('unsafe_key', this.#tokenStart, `Unsafe key ${showKey(key)}`, 'send that field under another name', { key })
  }

  #tokenTooLong(code: string, what: string, limit: number, advice: string): SluiceError {
    return this.#refusal(code, this.#tokenStart, `${what} longer than ${limit} bytes`, advice, { limit })
  }

  #unexpected(byte: number, offset: number, hint = ''): SluiceError {
    const isNoCharacter = byte >= 0x80 && (byte < 0xc2 || byte > 0xf4)
    const expected = this.#expected() + (byte === 0 || isNoCharacter ? ' (a message has to be in UTF-8)' : hint)
    return this.#refusal(isNoCharacter ? 'invalid_utf8' : 'json_syntax', offset, `Unexpected ${describeByte(byte)}`, expected)
  }

  #refusal(code: string, offset: number, before: string, after: string, more: Record<string, unknown> = {}): SluiceError {
    const place = { offset, line: this.#line, column: offset - this.#lineStart + 1, pointer: this.#pointer() }
    return refusal(code, place, before, after, more)
  }

  /** What has to come next. */
  #expected(): string {
    const inArray = (this.#frames[this.#depth] ?? -1) >= 0
    switch (this.#state) {
      case atStart:
      case inByteOrderMark:
        return 'expected a JSON value'
      case atValue:
        return `expected a value after '${inArray ? ',' : ':'}'`
      case atFirstElement:
        return "expected a value or ']'"
      case atFirstKey:
        return "expected a key in double quotes or '}'"
      case atKey:
        return "expected a key in double quotes after ','"
      case atColon:
        return "expected ':' after a key"
      case afterValue:
        return inArray ? "expected ',' or ']'" : "expected ',' or '}'"
      case atEnd:
        return this.#ndjson
          ? 'expected the end of the line, as each holds one value'
          : 'expected nothing more (several values need an array, or NDJSON)'
      case inNumber:
        return this.#numberPart === afterE ? "expected a digit, '+' or '-'" : 'expected a digit'
      case inLiteral:
        return `expected ${this.#literal}`
      default:
        return (
          this.#string.expected ?? `expected the closing '"' of the string that begins at column ${this.#tokenStart - this.#lineStart + 1}`
        )
    }
  }

  #pointer(): string {
    const readsValue = this.#state === atValue || this.#state === atColon || this.#state > atEnd
    const readsMember = readsValue && !(this.#state === inString && this.#string.isKey)
    const segments: (string | number)[] = []
    if (this.#elementDepth === 0 && (this.#depth > 0 || this.#state > atEnd)) segments.push(this.#objects)
    const named = readsMember ? this.#depth : this.#depth - 1
    for (let depth = 1, level = 0; depth <= named; depth++) {
      const index = this.#frames[depth] as number
      segments.push(index >= 0 ? index : this.#keys.newest(level++))
    }
    return formatPointer(segments)
  }
}

/**
 * Scans a message that is there in one piece. Throws as {@link MessageScanner.push} does.
 */
export function scanMessage(bytes: Uint8Array, format: 'json' | 'ndjson', limits: ScanLimits): { shape: MessageShape; spans: Span[] } {
  const scanner = new MessageScanner(format, limits)
  scanner.push(bytes)
  const { shape } = scanner.end()
  return { shape, spans: scanner.takeSpans() }
}
