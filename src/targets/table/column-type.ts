/** Column types out of a JSON Schema: for statements that a person reads before they run. */
import { getPointer } from '../../json/pointer.ts'
import type { JsonValue } from '../../json/value.ts'

/** A JSON Schema, or a part of one. */
export type SchemaNode = Readonly<Record<string, unknown>>

const mostReferences = 20
/** Stands among types for what is none of them. */
const unknown = 'unknown'

/** The schema of what stands at a dot path; null where the document doesn't tell. */
export function schemaAt(document: SchemaNode | null, path: string, from: SchemaNode | null = document): SchemaNode | null {
  let node = from
  for (const name of path.split('.')) {
    if (document === null || node === null) return null
    const { properties, items, prefixItems } = one(document, node) ?? {}
    if (isNode(properties) && Object.hasOwn(properties, name)) node = nodeOf(properties[name])
    else if (/^\d+$/.test(name)) node = nodeOf(Array.isArray(prefixItems) ? prefixItems[Number(name)] : items)
    else return null
  }
  return node
}

/** The schema of the elements of the array at a dot path; null where the document doesn't tell. */
export function itemsAt(document: SchemaNode | null, path: string): SchemaNode | null {
  const list = schemaAt(document, path)
  return document === null || list === null ? null : nodeOf(one(document, list)?.items)
}

/**
 * The type of a column that can hold whatever a schema lets through: `bigint`, `numeric`, `boolean`, `date`, `timestamptz` or
 * `text`; null where the schema doesn't say that it is one of these.
 */
export function columnType(document: SchemaNode | null, node: SchemaNode | null): string | null {
  if (document === null || node === null) return null
  const found = new Set(branches(document, node).flatMap((branch) => typesOf(branch)))
  if (found.size === 2 && found.has('bigint') && found.has('numeric')) return 'numeric'
  const [type = null] = found
  return found.size === 1 && type !== unknown ? type : null
}

/** The ways that a value may take, null aside. */
function branches(document: SchemaNode, node: SchemaNode, depth = 0): SchemaNode[] {
  const found = one(document, node)
  const ways = found?.anyOf ?? found?.oneOf
  if (found === null || !Array.isArray(ways) || depth > mostReferences) return found === null ? [] : [found]
  return ways.flatMap((way) => branches(document, nodeOf(way) ?? {}, depth + 1))
}

/** What a node comes to: `$ref` followed, and a choice of one, null aside, made. */
function one(document: SchemaNode, node: SchemaNode): SchemaNode | null {
  let found: SchemaNode | null = node
  for (let count = 0; found !== null && count < mostReferences; count++) {
    const ways: unknown = found.allOf ?? found.anyOf ?? found.oneOf
    const rest: unknown[] = Array.isArray(ways) ? ways.filter((way) => nodeOf(way)?.type !== 'null') : []
    if (typeof found.$ref === 'string') found = target(document, found.$ref)
    else if (rest.length === 1) found = nodeOf(rest[0])
    else return found
  }
  return null
}

function target(document: SchemaNode, reference: string): SchemaNode | null {
  return /^#(\/|$)/.test(reference) ? nodeOf(getPointer(document as JsonValue, reference.slice(1))) : null
}

/** The column types of one way. */
function typesOf({ type, format, enum: values, const: value }: SchemaNode): string[] {
  const names = type === undefined ? (Array.isArray(values) ? values : [value]).map(nameOf) : [type].flat()
  return names.filter((name) => name !== 'null').map((name) => typeFor(name, format) ?? unknown)
}

function nameOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : 'number'
  return typeof value
}

function typeFor(name: unknown, format: unknown): string | null {
  if (name === 'integer') return 'bigint'
  if (name === 'number') return 'numeric'
  if (name === 'boolean') return 'boolean'
  if (name !== 'string') return null
  if (format === 'date-time') return 'timestamptz'
  return format === 'date' ? 'date' : 'text'
}

function nodeOf(value: unknown): SchemaNode | null {
  return isNode(value) ? value : null
}

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
