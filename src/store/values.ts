/** Values on their way to and from PostgreSQL, the same for every driver. The conventions stand in `db.ts`. */
import type { Parameter } from './db.ts'

type Decode = (text: string) => unknown

const asNumber: Decode = Number

// Type OIDs of pg_type.dat. What is not here stays text: int8, numeric, json, jsonb, date, timestamp, uuid …
const decoders = new Map<number, Decode>([
  [16, (text) => text === 't'], // bool
  [17, decodeBytea],
  [21, asNumber], // int2
  [23, asNumber], // int4
  [26, asNumber], // oid
  [700, asNumber], // float4
  [701, asNumber], // float8
  [1184, decodeTimestamptz],
  [1000, (text) => decodeArray(text, (item) => item === 't')], // bool[]
  [1005, (text) => decodeArray(text, asNumber)], // int2[]
  [1007, (text) => decodeArray(text, asNumber)], // int4[]
  [1009, (text) => decodeArray(text, asText)], // text[]
  [1015, (text) => decodeArray(text, asText)], // varchar[]
  [1003, (text) => decodeArray(text, asText)], // name[]
  [1016, (text) => decodeArray(text, asText)], // int8[]
])

function asText(text: string): string {
  return text
}

/** How values of a type are decoded from their text. */
export function decoderOf(oid: number): Decode {
  return decoders.get(oid) ?? asText
}

/** OIDs of every type that is not left as text. */
export function decodedTypes(): Iterable<number> {
  return decoders.keys()
}

/** A parameter as the drivers send it: text, bytes or null. Arrays become array literals. */
export function encodeParameter(value: Parameter): string | Uint8Array | null {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value
  if (isList(value)) return encodeArray(value)
  return String(value)
}

function isList(value: Parameter): value is readonly Parameter[] {
  return Array.isArray(value)
}

function encodeArray(items: readonly Parameter[]): string {
  return `{${items.map(encodeItem).join(',')}}`
}

const needsQuotes = /["\\{},\s]|^$|^null$/i

function encodeItem(item: Parameter): string {
  if (item === null) return 'NULL'
  if (isList(item)) return encodeArray(item)
  if (item instanceof Uint8Array) return `"\\\\x${Buffer.from(item.buffer, item.byteOffset, item.length).toString('hex')}"`
  if (typeof item !== 'string') return String(item)
  return needsQuotes.test(item) ? `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : item
}

function decodeBytea(text: string): Uint8Array {
  return Buffer.from(text.slice(2), 'hex')
}

const timestamptz = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?([+-]\d\d)(?::(\d\d))?(?::\d\d)?$/

/** ISO 8601 in UTC with the microseconds kept; what ISO 8601 can't say (infinity, BC) stays as PostgreSQL wrote it. */
function decodeTimestamptz(text: string): string {
  const match = timestamptz.exec(text)
  if (match === null) return text
  const [, date, time, fraction = '', hours, minutes = '00'] = match
  if (hours === '+00' && minutes === '00') return `${date}T${time}${fraction}Z`
  return `${new Date(`${date}T${time}${hours}:${minutes}`).toISOString().slice(0, 19)}${fraction}Z`
}

/** One-dimensional array literals, which is all that Sluice's own statements return. */
function decodeArray(text: string, decode: Decode): unknown[] {
  const items: unknown[] = []
  let at = 1
  while (at < text.length - 1) {
    if (text[at] === '"') {
      let item = ''
      for (at++; text[at] !== '"'; at++) {
        if (text[at] === '\\') at++
        item += text[at]
      }
      items.push(decode(item))
      at += 2
    } else {
      const end = text.indexOf(',', at) === -1 ? text.length - 1 : text.indexOf(',', at)
      const item = text.slice(at, end)
      items.push(item === 'NULL' ? null : decode(item))
      at = end + 1
    }
  }
  return items
}
