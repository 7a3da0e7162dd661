/** The inside of strings: strict UTF-8 (RFC 3629), escapes, and the bytes of keys. */
import type { SluiceError } from '../errors.ts'
import { backslash, escapeValue, hex, hexValue, isPlain, letterU, quote } from './bytes.ts'
import type { KeyVerdict, OpenKeys } from './keys.ts'
import { KeyBuffer } from './keytext.ts'

/** Makes the errors, as only the message's scanner knows the place. `at` is an index in the chunk. */
export interface StringRefusals {
  unexpected(code: 'json_syntax' | 'invalid_utf8', byte: number, at: number, expected: string): SluiceError
  keyTooLong(): SluiceError
}

/** Inside an escape: after the backslash; from there on, before each of the four digits of `\uXXXX`. */
const noEscape = 0
const escapeLetter = 1
const firstDigit = 2
const lastDigit = 5

/** Scans one string after another, each cut anywhere. */
export class StringScanner {
  /** The string in hand is a key: its bytes are wanted. */
  isKey = false
  readonly #maxKeyLength: number
  readonly #refusals: StringRefusals
  #escape = noEscape
  /** What the digits of `\uXXXX` have come to so far. */
  #unit = 0
  /** How many bytes the character in hand still lacks, the range that the next one has to be in, and its first one. */
  #missing = 0
  #lowest = 0
  #highest = 0
  #lead = 0
  /** The key's bytes that are no longer, or not so, in the chunk; the others begin at `#keyFrom`. */
  readonly #kept = new KeyBuffer()
  #keyFrom = 0

  constructor(maxKeyLength: number, refusals: StringRefusals) {
    this.#maxKeyLength = maxKeyLength
    this.#refusals = refusals
  }

  /** A string begins: its first byte, behind the quote, is at `from`. */
  begin(isKey: boolean, from: number): void {
    this.isKey = isKey
    if (!isKey) return
    this.#kept.length = 0
    this.#keyFrom = from
  }

  /** The next bytes of the string. Gives the index of its closing quote, or -1 when the chunk ends before it. */
  scan(chunk: Uint8Array, from: number): number {
    const length = chunk.length
    let at = from
    if (from === 0) this.#keyFrom = 0
    while (at < length) {
      if (this.#missing > 0) {
        at = this.#scanCharacter(chunk, at)
        continue
      }
      if (this.#escape !== noEscape) {
        this.#scanEscape(chunk[at] as number, at)
        this.#keyFrom = ++at
        continue
      }
      let byte = chunk[at] as number
      while (isPlain[byte] === 1 && ++at < length) byte = chunk[at] as number
      if (at === length) break
      if (byte === quote) return at
      if (byte === backslash) {
        if (this.isKey) this.#keep(chunk, at)
        this.#escape = escapeLetter
      } else if (byte >= 0x80) this.#beginCharacter(byte, at)
      else throw this.#unexpected('json_syntax', byte, at, 'expected it escaped, as every control character of a string')
      at++
    }
    if (this.isKey && this.#escape === noEscape) this.#keep(chunk, length)
    return -1
  }

  /** Adds the key that ends before `end` to those of the innermost open object. */
  addKey(keys: OpenKeys, chunk: Uint8Array, end: number): KeyVerdict {
    if (this.#kept.length === 0) {
      this.#checkLength(end - this.#keyFrom)
      return keys.add(chunk, this.#keyFrom, end)
    }
    this.#keep(chunk, end)
    return keys.add(this.#kept.bytes, 0, this.#kept.length)
  }

  /** True inside a character of several bytes. */
  get isInCharacter(): boolean {
    return this.#missing > 0
  }

  /** What has to come next, and nothing else; null where any character may come. */
  get expected(): string | null {
    if (this.#missing > 0) {
      return `expected ${hex(this.#lowest)} to ${hex(this.#highest)} in the UTF-8 character that ${hex(this.#lead)} begins`
    }
    if (this.#escape === escapeLetter) return 'expected one of " \\ / b f n r t u after a backslash'
    return this.#escape === noEscape ? null : 'expected four hexadecimal digits after \\u'
  }

  #beginCharacter(lead: number, at: number): void {
    if (lead < 0xc2 || lead > 0xf4) throw this.#unexpected('invalid_utf8', lead, at, 'no character of UTF-8 begins with it')
    this.#missing = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
    this.#lead = lead
    // The narrower ranges keep out overlong forms, surrogates and what is beyond U+10FFFF.
    this.#lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
    this.#highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  }

  #scanCharacter(chunk: Uint8Array, from: number): number {
    let at = from
    for (; this.#missing > 0 && at < chunk.length; at++, this.#missing--) {
      const byte = chunk[at] as number
      if (byte < this.#lowest || byte > this.#highest) throw this.#unexpected('invalid_utf8', byte, at, this.expected ?? '')
      this.#lowest = 0x80
      this.#highest = 0xbf
    }
    return at
  }

  #scanEscape(byte: number, at: number): void {
    if (this.#escape === escapeLetter) {
      if (byte === letterU) {
        this.#escape = firstDigit
        this.#unit = 0
        return
      }
      const value = escapeValue[byte] as number
      if (value === -1) throw this.#refusals.unexpected('json_syntax', byte, at, this.expected ?? '')
      this.#endEscape(value)
      return
    }
    const digit = hexValue[byte] as number
    if (digit === -1) throw this.#refusals.unexpected('json_syntax', byte, at, this.expected ?? '')
    this.#unit = (this.#unit << 4) | digit
    if (this.#escape === lastDigit) this.#endEscape(this.#unit)
    else this.#escape++
  }

  #endEscape(unit: number): void {
    this.#escape = noEscape
    if (!this.isKey) return
    this.#kept.addUnit(unit)
    this.#checkLength(this.#kept.length)
  }

  /** Takes the key's bytes out of the chunk, up to `end`. */
  #keep(chunk: Uint8Array, end: number): void {
    this.#checkLength(this.#kept.length + end - this.#keyFrom)
    this.#kept.addBytes(chunk, this.#keyFrom, end)
  }

  #checkLength(length: number): void {
    if (length > this.#maxKeyLength) throw this.#refusals.keyTooLong()
  }

  #unexpected(code: 'json_syntax' | 'invalid_utf8', byte: number, at: number, expected: string): SluiceError {
    // A key that is too long is told as such wherever the chunks were cut.
    if (this.isKey) this.#checkLength(this.#kept.length + at - this.#keyFrom)
    return this.#refusals.unexpected(code, byte, at, expected)
  }
}
