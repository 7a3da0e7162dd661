/** Values on their way to and from PostgreSQL, the same for every driver. The conventions stand in `db.ts`. */
import type { Parameter } from './db.ts'

type Decode = (text: string) => unknown

const asNumber: Decode = Number

// Type OIDs of pg_type.dat. What is not here stays text: int8, numeric, json, jsonb, date, timestamp, uuid …
const decoders = new Map<number, Decode>([
  [16, decodeBoolean], // bool
  [17, decodeBytea],
  [21, asNumber], // int2
  [23, asNumber], // int4
  [26, asNumber], // oid
  [700, asNumber], // float4
  [701, asNumber], // float8
  [1184, decodeTimestamptz],
  [199, arrayOf(asText)], // json[]
  [1000, arrayOf(decodeBoolean)], // bool[]
  [1001, arrayOf(decodeBytea)], // bytea[]
  [1003, arrayOf(asText)], // name[]
  [1005, arrayOf(asNumber)], // int2[]
  [1007, arrayOf(asNumber)], // int4[]
  [1009, arrayOf(asText)], // text[]
  [1015, arrayOf(asText)], // varchar[]
  [1016, arrayOf(asText)], // int8[]
  [1021, arrayOf(asNumber)], // float4[]
  [1022, arrayOf(asNumber)], // float8[]
  [1182, arrayOf(asText)], // date[]
  [1185, arrayOf(decodeTimestamptz)], // timestamptz[]
  [1231, arrayOf(asText)], // numeric[]
  [2951, arrayOf(asText)], // uuid[]
  [3807, arrayOf(asText)], // jsonb[]
])

function decodeBoolean(text: string): boolean {
  return text === 't'
}

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

/** Whether a parameter is an array of PostgreSQL. */
export function isList(value: Parameter): value is readonly Parameter[] {
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

/** Hex, or the escapes of databases that still have `bytea_output` at that. */
function decodeBytea(text: string): Uint8Array {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex')
  const bytes = text.replace(/\\(\\|[0-7]{3})/g, (_, code: string) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
  )
  return Buffer.from(bytes, 'latin1')
}

const timestamptz = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/

/** ISO 8601 in UTC with the microseconds kept; what ISO 8601 can't say (infinity, BC, five-digit years) stays as PostgreSQL wrote it. */
function decodeTimestamptz(text: string): string {
  const match = timestamptz.exec(text)
  if (match === null) return text
  const [, date, time, fraction = '', sign, hours, minutes = '0', seconds = '0'] = match
  const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  if (offset === 0) return `${date}T${time}${fraction}Z`
  const local = Date.parse(`${date}T${time}Z`) / 1000
  const utc = sign === '+' ? local - offset : local + offset
  return `${new Date(utc * 1000).toISOString().slice(0, -5)}${fraction}Z`
}

function arrayOf(decode: Decode): Decode {
  return (text) => {
    // PostgreSQL writes the bounds where they don't begin at 1: [0:1]={a,b}
    const at = { index: text.startsWith('[') ? text.indexOf('=') + 1 : 0 }
    return decodeArray(text, at, decode)
  }
}

/** Reads the array literal at `at`, and moves on behind it. */
function decodeArray(text: string, at: { index: number }, decode: Decode): unknown[] {
  const items: unknown[] = []
  at.index++
  while (at.index < text.length && text[at.index] !== '}') {
    if (text[at.index] === ',') at.index++
    else if (text[at.index] === '{') items.push(decodeArray(text, at, decode))
    else if (text[at.index] === '"') items.push(decode(quotedItem(text, at)))
    else items.push(plainItem(text, at, decode))
  }
  at.index++
  return items
}

function quotedItem(text: string, at: { index: number }): string {
  let item = ''
  for (at.index++; at.index < text.length && text[at.index] !== '"'; at.index++) {
    if (text[at.index] === '\\') at.index++
    item += text[at.index]
  }
  at.index++
  return item
}

const plainItemEnd = /[,}]/g

function plainItem(text: string, at: { index: number }, decode: Decode): unknown {
  plainItemEnd.lastIndex = at.index
  const end = plainItemEnd.exec(text)?.index ?? text.length
  const item = text.slice(at.index, end)
  at.index = end
  return item === 'NULL' ? null : decode(item)
}
