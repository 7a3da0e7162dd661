/** Bytes of JSON by name, and the tables that the scanner looks them up in. */

export const lineFeed = 0x0a
export const space = 0x20
export const quote = 0x22
export const plus = 0x2b
export const comma = 0x2c
export const minus = 0x2d
export const zero = 0x30
export const nine = 0x39
export const colon = 0x3a
export const openBracket = 0x5b
export const backslash = 0x5c
export const closeBracket = 0x5d
export const letterU = 0x75
export const openBrace = 0x7b
export const closeBrace = 0x7d

/** 1 for the four bytes that are whitespace between tokens. */
export const isWhitespace = table(Uint8Array, (byte) => (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d ? 1 : 0))

/** 1 for the bytes of a string that mean themselves: ASCII without control characters, `"` and `\`. */
export const isPlain = table(Uint8Array, (byte) => (byte >= space && byte < 0x80 && byte !== quote && byte !== backslash ? 1 : 0))

/** Value of a hexadecimal digit, -1 for any other byte. */
export const hexValue = table(Int8Array, (byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16)
  return Number.isNaN(digit) ? -1 : digit
})

const escapes = new Map([...'"\\/'].map((character) => [character.charCodeAt(0), character.charCodeAt(0)]))
for (const [letter, meaning] of Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13 })) escapes.set(letter.charCodeAt(0), meaning)

/** What the letter after a backslash stands for; -1 where it stands for nothing (`u` is no single letter). */
export const escapeValue = table(Int8Array, (byte) => escapes.get(byte) ?? -1)

function table<T extends Uint8Array | Int8Array>(Kind: new (length: number) => T, value: (byte: number) => number): T {
  const values = new Kind(256)
  for (let byte = 0; byte < 256; byte++) values[byte] = value(byte)
  return values
}

const named = new Map([
  [0x09, 'tab'],
  [0x0a, 'end of line'],
  [0x0d, 'carriage return'],
  [0x20, 'space'],
  [0x27, '"\'"'],
])

/** A byte as an error message shows it: `'x'`, `tab`, `byte 0xC3`. */
export function describeByte(byte: number): string {
  const name = named.get(byte)
  if (name !== undefined) return name
  return byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte ${hex(byte)}`
}

/** `0x0A` */
export function hex(byte: number): string {
  return `0x${byte.toString(16).toUpperCase().padStart(2, '0')}`
}
