/** Fields that not everybody may see: which they are, and what of a text has to go so that they don't show. */
import { ExactNumber, type JsonValue, parseExact, stringifyExact, toText } from '../json/exact.ts'

/** What stands where a value was. */
export const mask = '•••'

/** A JSON Schema, as far as it is read here. */
type Node = Readonly<Record<string, unknown>>

/** The sensitive fields of an integration. */
export class SensitiveFields {
  readonly #root: Node
  readonly #nodes: readonly Node[]

  /** @param root a JSON Schema; what a schema in it with `"sensitive": true` describes is sensitive */
  constructor(root: Node) {
    this.#root = root
    this.#nodes = this.#expand([root])
  }

  /** Whether what stands at a dot path is sensitive. */
  covers(path: string): boolean {
    let nodes = this.#nodes
    for (const key of path.split('.')) {
      if (isSensitive(nodes)) return true
      nodes = this.#membersOf(nodes, key)
    }
    return isSensitive(nodes)
  }

  /** An object's text with every sensitive value masked; what is null stays null. */
  maskObject(text: string): string {
    return stringifyExact(this.#change(parseExact(text), this.#nodes, maskAll))
  }

  /**
   * What masks the sensitive values of an object in any text, wherever they stand in it. Values of one or two characters are masked
   * where they stand alone: in a word they are chance. The object is read once, with the first text.
   *
   * @param object the object's text
   */
  maskerOf(object: string): (text: string) => string {
    let values: readonly string[] | undefined
    return (text) => {
      values ??= this.#valuesOf(object)
      return values.reduce(maskValue, text)
    }
  }

  /** Longest first, so that one that holds another goes whole. */
  #valuesOf(object: string): string[] {
    const values = new Set<string>()
    const note = (value: JsonValue): JsonValue => {
      for (const leaf of leavesOf(value)) for (const form of formsOf(leaf)) values.add(form)
      return value
    }
    this.#change(parseExact(object), this.#nodes, note)
    return [...values].sort((a, b) => b.length - a.length)
  }

  /** A copy of a value with what is sensitive in it changed. */
  #change(value: JsonValue, nodes: readonly Node[], change: (value: JsonValue) => JsonValue): JsonValue {
    if (nodes.length === 0) return value
    if (isSensitive(nodes)) return change(value)
    if (Array.isArray(value)) {
      const inside = this.#expand(nodes.flatMap((node) => ofElements.map((keyword) => node[keyword])))
      return value.map((element) => this.#change(element, inside, change))
    }
    if (!isObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, this.#change(member, this.#membersOf(nodes, key), change)]),
    )
  }

  #membersOf(nodes: readonly Node[], key: string): Node[] {
    return this.#expand(
      nodes.flatMap((node) => {
        const own = ownOf(node.properties, key)
        const others = own === undefined ? [node.additionalProperties, node.unevaluatedProperties] : [own]
        return [...others, ...Object.values(node.patternProperties ?? {})]
      }),
    )
  }

  /** All that describes the same value as these: references, alternatives, conditions. */
  #expand(from: readonly unknown[]): Node[] {
    const found = new Set<Node>()
    const visit = (node: unknown): void => {
      if (Array.isArray(node)) for (const each of node) visit(each)
      if (typeof node !== 'object' || node === null || Array.isArray(node) || found.has(node as Node)) return
      const schema = node as Node
      found.add(schema)
      // What can't be found here may be anything.
      if (typeof schema.$ref === 'string') visit(resolve(this.#root, schema.$ref) ?? { sensitive: true })
      if (typeof schema.$dynamicRef === 'string') visit(resolve(this.#root, schema.$dynamicRef) ?? { sensitive: true })
      for (const keyword of ofSameValue) visit(schema[keyword])
      for (const each of Object.values(schema.dependentSchemas ?? {})) visit(each)
    }
    visit(from)
    return [...found]
  }
}

const ofSameValue = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else', 'not']
const ofElements = ['items', 'prefixItems', 'contains', 'unevaluatedItems']

function isSensitive(nodes: readonly Node[]): boolean {
  return nodes.some(({ sensitive }) => sensitive === true)
}

function ownOf(members: unknown, key: string): unknown {
  return typeof members === 'object' && members !== null && Object.hasOwn(members, key) ? (members as Node)[key] : undefined
}

/**
 * The sensitive fields of an integration; null when it has none.
 *
 * @param declared dot paths; in an array, of its elements; `*` stands for any field
 * @param jsonSchema where a schema with `"sensitive": true` says that what it describes is sensitive; null where there is none
 */
export function sensitiveFields(declared: readonly string[], jsonSchema: Node | null): SensitiveFields | null {
  const isMarked = jsonSchema !== null && JSON.stringify(jsonSchema).includes('"sensitive":true')
  if (!isMarked && declared.length === 0) return null
  const own = declared.map((path) => path.split('.').reduceRight<Node>(inside, { sensitive: true }))
  return new SensitiveFields({ ...(isMarked ? jsonSchema : {}), allOf: [...own, ...(isMarked ? [jsonSchema.allOf] : [])].flat() })
}

/** The schema of what has a field, or has elements that have it. */
function inside(field: Node, key: string): Node {
  const node: Record<string, unknown> = key === '*' ? { additionalProperties: field } : { properties: { [key]: field } }
  node.items = node
  return node
}

/** The text of a JSON value in which every string, number and boolean is masked. Says that something was there, not what. */
export function maskLeaves(text: string): string {
  return stringifyExact(maskAll(parseExact(text)))
}

function maskAll(value: JsonValue): JsonValue {
  if (value === null) return null
  if (Array.isArray(value)) return value.map(maskAll)
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, maskAll(member)]))
  return mask
}

function* leavesOf(value: JsonValue): Generator<JsonValue> {
  if (Array.isArray(value)) for (const element of value) yield* leavesOf(element)
  else if (isObject(value)) for (const member of Object.values(value)) yield* leavesOf(member)
  else yield value
}

/** How a value may stand in a text: as it is, as JSON, a number as JavaScript writes it. What is true or false says nothing in a text. */
function formsOf(value: JsonValue): string[] {
  if (value === null || typeof value === 'boolean') return []
  const text = toText(value) ?? ''
  const forms =
    value instanceof ExactNumber || typeof value === 'number' ? [text, String(Number(text))] : [text, JSON.stringify(text).slice(1, -1)]
  return forms.filter((form) => form.trim() !== '')
}

const shortestAnywhere = 3

function maskValue(text: string, value: string): string {
  if (value.length >= shortestAnywhere) return text.replaceAll(value, mask)
  const escaped = value.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  return text.replaceAll(new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'gu'), mask)
}

function isObject(value: JsonValue): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
}

/** What a JSON Pointer of the document means; undefined where there is nothing, and for other references. */
function resolve(root: Node, reference: string): unknown {
  if (reference !== '#' && !reference.startsWith('#/')) return undefined
  const segments = decodeURIComponent(reference.slice(1)).split('/').slice(1)
  return segments.reduce<unknown>(
    (node, segment) => (node as Node | undefined)?.[segment.replaceAll('~1', '/').replaceAll('~0', '~')],
    root,
  )
}
