/**
 * The scanner: from the bytes of a message to the spans of its objects.
 *
 * A state machine over bytes. It takes them cut anywhere, parses nothing, and keeps no more than the keys of the objects
 * that are open. What it lets pass is JSON by RFC 8259 in strict UTF-8, within the caller's limits, in which no object has
 * a key twice or one that programs have taken for a prototype. So whoever parses a span later has no surprises.
 */
import type { SluiceError } from '../errors.ts'
import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  describeByte,
  escapeValue,
  hex,
  hexValue,
  isPlain,
  isWhitespace,
  letterU,
  lineFeed,
  minus,
  nine,
  openBrace,
  openBracket,
  plus,
  quote,
  space,
  zero,
} from './bytes.ts'
import { OpenKeys } from './keys.ts'
import { KeyBuffer } from './keytext.ts'
import { formatPointer } from './pointer.ts'
import { refusal, showKey } from './refusal.ts'

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

/** Inside an escape: after the backslash; from there on, before each of the four digits of `\uXXXX`. */
const noEscape = 0
const escapeLetter = 1
const firstDigit = 2
const lastDigit = 5

/** Parts of a number. From `wholeZero` on it may end. */
const refused = 0
const afterMinus = 1
const afterPoint = 2
const afterE = 3
const afterSign = 4
const wholeZero = 5
const whole = 6
const fraction = 7
const exponent = 8

const byteOrderMark = [0xef, 0xbb, 0xbf]

const expectedLetter = 'expected one of " \\ / b f n r t u after a backslash'

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
  #escape = noEscape
  /** What the digits of `\uXXXX` have come to so far. */
  #unit = 0
  /** Bytes that the character in hand still lacks, the range that the next one has to be in, and its first one. */
  #missing = 0
  #lowest = 0
  #highest = 0
  #lead = 0

  #isKey = false
  /** Index in the chunk of the first byte of the key that is not in `#keyBuffer`. */
  #keyFrom = 0
  readonly #keyBuffer = new KeyBuffer()

  constructor(format: 'json' | 'ndjson', limits: ScanLimits) {
    this.#ndjson = format === 'ndjson'
    this.#shape = this.#ndjson ? 'ndjson' : 'single'
    this.#limits = limits
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
      if (this.#state === inNumber && this.#numberPart >= wholeZero) this.#endNumber(this.#base)
      if (this.#state !== atEnd && !(this.#ndjson && this.#state === atStart)) {
        const cutCharacter = this.#state === inString && this.#missing > 0
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
      if (this.#state !== atEnd) throw this.#unexpected(lineFeed, offset)
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
        return this.#beginValue(byte, offset)
      case atColon:
        if (byte !== colon) throw this.#unexpected(byte, offset)
        this.#state = atValue
        return
      case atKey:
      case atFirstKey:
        if (byte === quote) return this.#beginKey(at)
        if (byte === closeBrace && state === atFirstKey) return this.#close(offset + 1)
        throw this.#unexpected(byte, offset)
      case atFirstElement:
        return byte === closeBracket ? this.#close(offset + 1) : this.#beginValue(byte, offset)
      case atStart:
        return this.#beginTop(byte, offset)
      default:
        throw this.#unexpected(byte, offset)
    }
  }

  /** The value at the top: a message's array holds its elements, anything else is one. */
  #beginTop(byte: number, offset: number): void {
    if (byte === byteOrderMark[0] && offset === 0) {
      this.#state = inByteOrderMark
    } else if (byte === openBracket && !this.#ndjson) {
      this.#shape = 'array'
      this.#open(offset, 0)
      this.#elementDepth = 1
    } else this.#beginValue(byte, offset)
  }

  #beginValue(byte: number, offset: number): void {
    switch (byte) {
      case quote:
        this.#beginElement('string', offset)
        this.#beginString(offset, false)
        return
      case openBrace:
        this.#beginElement('object', offset)
        return this.#open(offset, -1)
      case openBracket:
        this.#beginElement('array', offset)
        return this.#open(offset, 0)
      case 0x74:
        return this.#beginLiteral('boolean', 'true', offset)
      case 0x66:
        return this.#beginLiteral('boolean', 'false', offset)
      case 0x6e:
        return this.#beginLiteral('null', 'null', offset)
      default:
        if (byte !== minus && (byte < zero || byte > nine)) throw this.#unexpected(byte, offset)
        this.#beginElement('number', offset)
        this.#tokenStart = offset
        this.#numberPart = byte === minus ? afterMinus : byte === zero ? wholeZero : whole
        this.#state = inNumber
    }
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

  #beginLiteral(kind: SpanKind, literal: string, offset: number): void {
    this.#beginElement(kind, offset)
    this.#tokenStart = offset
    this.#literal = literal
    this.#state = inLiteral
  }

  /** The next byte of a literal or a byte order mark. */
  #scanRare(byte: number, offset: number): void {
    if (this.#state === inByteOrderMark) {
      if (byte === byteOrderMark[offset] && offset < 2) return
      this.#state = atStart
      if (byte !== byteOrderMark[2]) throw this.#unexpected(byteOrderMark[0] as number, 0)
      throw this.#refusal('json_syntax', 0, 'Unexpected byte order mark (0xEF 0xBB 0xBF)', 'send the JSON without it')
    }
    const next = offset - this.#tokenStart
    if (byte !== this.#literal.charCodeAt(next)) throw this.#unexpected(byte, offset)
    if (next + 1 === this.#literal.length) this.#endValue(offset + 1)
  }

  #scanNumber(chunk: Uint8Array, from: number): number {
    const length = chunk.length
    let part = this.#numberPart
    let at = from
    for (; at < length; at++) {
      const byte = chunk[at] as number
      if (part >= whole && byte >= zero && byte <= nine) continue
      const next = nextPart(part, byte)
      if (next === refused) break
      part = next
    }
    this.#numberPart = part
    this.#checkNumberLength(this.#base + at)
    if (at === length) return at
    if (part < wholeZero) throw this.#unexpected(chunk[at] as number, this.#base + at)
    this.#endNumber(this.#base + at)
    return at
  }

  #checkNumberLength(end: number): void {
    const limit = this.#limits.maxNumberLength
    if (end - this.#tokenStart <= limit) return
    throw this.#refusal('number_too_long', this.#tokenStart, `Number longer than ${limit} bytes`, 'send it as a string', { limit })
  }

  #endNumber(end: number): void {
    this.#checkNumberLength(end)
    this.#endValue(end)
  }

  #beginString(offset: number, isKey: boolean): void {
    this.#tokenStart = offset
    this.#isKey = isKey
    this.#state = inString
  }

  #beginKey(at: number): void {
    this.#beginString(this.#base + at, true)
    this.#keyBuffer.length = 0
    this.#keyFrom = at + 1
  }

  /** From inside a string to behind its closing quote, or to the end of the chunk. */
  #scanString(chunk: Uint8Array, from: number): number {
    const length = chunk.length
    let at = from
    while (at < length) {
      if (this.#missing > 0) {
        at = this.#scanCharacter(chunk, at)
        continue
      }
      if (this.#escape !== noEscape) {
        this.#scanEscape(chunk[at++] as number, this.#base + at - 1)
        this.#keyFrom = at
        continue
      }
      let byte = chunk[at] as number
      while (isPlain[byte] === 1 && ++at < length) byte = chunk[at] as number
      if (at === length) break
      if (byte === quote) {
        if (this.#isKey) this.#endKey(chunk, at)
        else this.#endValue(this.#base + at + 1)
        return at + 1
      }
      if (byte === backslash) {
        if (this.#isKey) this.#keepKey(chunk, at)
        this.#escape = escapeLetter
        at++
      } else if (byte >= 0x80) {
        this.#beginCharacter(byte, at)
        at++
      } else throw this.#unexpectedInString('json_syntax', byte, at, 'expected it escaped, as all control characters in strings')
    }
    if (this.#isKey) {
      if (this.#escape === noEscape) this.#keepKey(chunk, length)
      this.#keyFrom = 0
    }
    return length
  }

  /** The first byte of a character that has several (RFC 3629). */
  #beginCharacter(lead: number, at: number): void {
    if (lead < 0xc2 || lead > 0xf4) throw this.#unexpectedInString('invalid_utf8', lead, at, 'no character of UTF-8 begins with it')
    this.#missing = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    this.#lead = lead
    // Narrower ranges keep out overlong forms, surrogates and what is beyond U+10FFFF.
    this.#lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    this.#highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  }

  #scanCharacter(chunk: Uint8Array, from: number): number {
    let at = from
    for (; this.#missing > 0 && at < chunk.length; at++, this.#missing--) {
      const byte = chunk[at] as number
      if (byte < this.#lowest || byte > this.#highest) throw this.#unexpectedInString('invalid_utf8', byte, at, this.#expected())
      this.#lowest = 0x80
      this.#highest = 0xbf
    }
    return at
  }

  #scanEscape(byte: number, offset: number): void {
    if (this.#escape === escapeLetter) {
      if (byte === letterU) {
        this.#escape = firstDigit
        this.#unit = 0
        return
      }
      const value = escapeValue[byte] as number
      if (value === -1) throw this.#unexpected(byte, offset)
      this.#endEscape(value)
      return
    }
    const digit = hexValue[byte] as number
    if (digit === -1) throw this.#unexpected(byte, offset)
    this.#unit = (this.#unit << 4) | digit
    if (this.#escape === lastDigit) this.#endEscape(this.#unit)
    else this.#escape++
  }

  #endEscape(unit: number): void {
    this.#escape = noEscape
    if (!this.#isKey) return
    this.#keyBuffer.addUnit(unit)
    this.#checkKeyLength(this.#keyBuffer.length)
  }

  /** Takes the key's bytes out of the chunk, up to `end`. */
  #keepKey(chunk: Uint8Array, end: number): void {
    this.#checkKeyLength(this.#keyBuffer.length + end - this.#keyFrom)
    this.#keyBuffer.addBytes(chunk, this.#keyFrom, end)
  }

  #checkKeyLength(length: number): void {
    const limit = this.#limits.maxKeyLength
    if (length > limit) throw this.#refusal('key_too_long', this.#tokenStart, `Key longer than ${limit} bytes`, 'send a shorter one', { limit })
  }

  #endKey(chunk: Uint8Array, end: number): void {
    const kept = this.#keyBuffer
    let verdict: ReturnType<OpenKeys['add']>
    if (kept.length === 0) {
      this.#checkKeyLength(end - this.#keyFrom)
      verdict = this.#keys.add(chunk, this.#keyFrom, end)
    } else {
      this.#keepKey(chunk, end)
      verdict = this.#keys.add(kept.bytes, 0, kept.length)
    }
    this.#state = atColon
    if (verdict !== 'new') throw this.#refusedKey(verdict)
  }

  #refusedKey(verdict: 'duplicate' | 'unsafe'): SluiceError {
    const key = this.#innermostKey()
    return verdict === 'duplicate'
      ? this.#refusal('duplicate_key', this.#tokenStart, `Duplicate key ${showKey(key)}`, 'an object may have it once', { key })
      : this.#refusal('unsafe_key', this.#tokenStart, `Unsafe key ${showKey(key)}`, 'send that field under another name', { key })
  }

  #innermostKey(): string {
    return this.#keys.current(this.#frames.filter((index, depth) => depth <= this.#depth && index === -1).length - 1)
  }

  #unexpectedInString(code: string, byte: number, at: number, expected: string): SluiceError {
    // A key that is too long is told as such wherever the chunks were cut.
    if (this.#isKey) this.#checkKeyLength(this.#keyBuffer.length + at - this.#keyFrom)
    return this.#refusal(code, this.#base + at, `Unexpected ${describeByte(byte)} in a string`, expected)
  }

  #unexpected(byte: number, offset: number): SluiceError {
    const isNoCharacter = byte >= 0x80 && (byte < 0xc2 || byte > 0xf4)
    const hint = byte === 0 || isNoCharacter ? ' (a message has to be in UTF-8)' : ''
    return this.#refusal(isNoCharacter ? 'invalid_utf8' : 'json_syntax', offset, `Unexpected ${describeByte(byte)}`, this.#expected() + hint)
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
        return this.#ndjson ? 'expected the end of the line, as each line holds one value' : 'expected nothing after the value'
      case inNumber:
        return this.#numberPart === afterE ? "expected a digit, '+' or '-'" : 'expected a digit'
      case inLiteral:
        return `expected ${this.#literal}`
      default:
        return this.#expectedInString()
    }
  }

  #expectedInString(): string {
    if (this.#missing > 0) {
      return `expected ${hex(this.#lowest)} to ${hex(this.#highest)} in the UTF-8 character that ${hex(this.#lead)} begins`
    }
    if (this.#escape === escapeLetter) return expectedLetter
    if (this.#escape !== noEscape) return 'expected four hexadecimal digits after \\u'
    return `expected the closing '"' of the string that begins at column ${this.#tokenStart - this.#lineStart + 1}`
  }

  #pointer(): string {
    const readsValue = this.#state === atValue || this.#state === atColon || this.#state > atEnd
    const readsMember = readsValue && !(this.#state === inString && this.#isKey)
    const segments: (string | number)[] = []
    if (this.#elementDepth === 0 && (this.#depth > 0 || this.#state > atEnd)) segments.push(this.#objects)
    const named = readsMember ? this.#depth : this.#depth - 1
    for (let depth = 1, level = 0; depth <= named; depth++) {
      const index = this.#frames[depth] as number
      segments.push(index >= 0 ? index : this.#keys.current(level++))
    }
    return formatPointer(segments)
  }
}

/** The grammar of numbers: what part the next byte begins or continues. */
function nextPart(part: number, byte: number): number {
  if (byte >= zero && byte <= nine) {
    if (part === afterMinus) return byte === zero ? wholeZero : whole
    if (part === wholeZero) return refused
    return part === afterPoint ? fraction : part === whole || part === fraction ? part : exponent
  }
  if (byte === 0x2e) return part === wholeZero || part === whole ? afterPoint : refused
  if (byte === 0x65 || byte === 0x45) return part >= wholeZero && part !== exponent ? afterE : refused
  return (byte === plus || byte === minus) && part === afterE ? afterSign : refused
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
