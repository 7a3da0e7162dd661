/**
 * Arrays in PostgreSQL's binary format, as `array_recv` reads it (src/backend/utils/adt/arrayfuncs.c): no item is quoted
 * or escaped on this side and none is parsed on the other. A thousand JSON texts cost about a fifth of what their array
 * literal does here, and two thirds there.
 */
import type { Parameter } from './db.ts'

/** Element types that are sent so, by the name that a cast gives them, with their OIDs in pg_type.dat. */
const elementOids = { boolean: 16, bytea: 17, bigint: 20, integer: 23, text: 25 } as const

export type ElementType = keyof typeof elementOids

const placeholder = /\$(\d+)(?:::(boolean|bytea|bigint|integer|text)\[\])?/g

/**
 * The element types of a statement's parameters, by their number less one: `$1::text[]` says that the first is an array of
 * text. One that has no such cast, or has it in some places only, is undefined: its type is for the server to tell.
 */
export function elementTypesOf(sql: string): readonly (ElementType | undefined)[] {
  const types: (ElementType | undefined)[] = []
  for (const [, number, type] of sql.matchAll(placeholder)) {
    const index = Number(number) - 1
    if (!(index in types)) types[index] = type as ElementType | undefined
    else if (types[index] !== type) types[index] = undefined
  }
  return types
}

/** Encodes a list; null when an item can't be one of that type, so that the server has to say so. */
export function encodeBinaryArray(type: ElementType, items: readonly Parameter[]): Buffer | null {
  if (type === 'text') return encodeTexts(items)
  return type === 'bytea' ? encodeBytes(items) : encodeFixed(type, items)
}

/** Dimensions, a flag for nulls, element type; then length and lower bound of the one dimension. */
const headerLength = 20

function writeHeader(bytes: Buffer, type: ElementType, length: number): void {
  bytes.writeInt32BE(1, 0)
  bytes.writeInt32BE(1, 4)
  bytes.writeInt32BE(elementOids[type], 8)
  bytes.writeInt32BE(length, 12)
  bytes.writeInt32BE(1, 16)
}

const nullLength = -1

/** Shorter texts are copied faster here than by a call into Node. */
const shortText = 24

function encodeTexts(items: readonly Parameter[]): Buffer | null {
  let size = headerLength
  for (const item of items) {
    if (typeof item === 'object' && item !== null) return null
    size += 4 + (item === null ? 0 : mostBytes(String(item)))
  }
  const bytes = Buffer.allocUnsafe(size)
  writeHeader(bytes, 'text', items.length)
  let at = headerLength
  for (const item of items) {
    const length = item === null ? nullLength : writeText(bytes, String(item), at + 4)
    bytes.writeInt32BE(length, at)
    at += 4 + Math.max(length, 0)
  }
  return bytes.subarray(0, at)
}

function encodeBytes(items: readonly Parameter[]): Buffer | null {
  const header = Buffer.allocUnsafe(headerLength)
  writeHeader(header, 'bytea', items.length)
  const parts: Uint8Array[] = [header]
  for (const item of items) {
    if (item !== null && !(item instanceof Uint8Array)) return null
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(item === null ? nullLength : item.length)
    parts.push(length)
    if (item !== null) parts.push(item)
  }
  return Buffer.concat(parts)
}

/** UTF-8 has at most three bytes for a UTF-16 code unit. */
function mostBytes(text: string): number {
  return text.length <= shortText ? text.length * 3 : Buffer.byteLength(text)
}

function writeText(bytes: Buffer, text: string, from: number): number {
  const { length } = text
  if (length > shortText) return bytes.write(text, from, 'utf8')
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index)
    if (unit > 0x7f) return bytes.write(text, from, 'utf8')
    bytes[from + index] = unit
  }
  return length
}

const lengths = { boolean: 1, bigint: 8, integer: 4 } as const

function encodeFixed(type: keyof typeof lengths, items: readonly Parameter[]): Buffer | null {
  const length = lengths[type]
  const bytes = Buffer.allocUnsafe(headerLength + items.length * (4 + length))
  writeHeader(bytes, type, items.length)
  let at = headerLength
  for (const item of items) {
    bytes.writeInt32BE(item === null ? nullLength : length, at)
    at += 4
    if (item === null) continue
    if (!writeFixed(bytes, type, item, at)) return null
    at += length
  }
  return bytes.subarray(0, at)
}

const digits = /^-?\d{1,18}$/

/** False when the item is none of that type. */
function writeFixed(bytes: Buffer, type: keyof typeof lengths, item: Parameter, at: number): boolean {
  if (type === 'boolean') {
    if (typeof item !== 'boolean') return false
    bytes[at] = item ? 1 : 0
    return true
  }
  if (type === 'integer') {
    if (typeof item !== 'number' || (item | 0) !== item) return false
    bytes.writeInt32BE(item, at)
    return true
  }
  if (!(typeof item === 'string' ? digits.test(item) : Number.isSafeInteger(item))) return false
  bytes.writeBigInt64BE(BigInt(item as string | number), at)
  return true
}
