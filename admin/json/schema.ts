/** A JSON Schema as a list of fields, for reading. */

export interface SchemaField {
  /** Dot path; `[]` stands for the elements of an array. */
  path: string
  type: string
  isRequired: boolean
  /** What else the schema says of it: choices, formats, limits. */
  notes: string
}

type Schema = Record<string, unknown>

/** Deeper than that a schema is a tree of itself. */
const deepest = 8

/** The fields of an object that a schema describes, in its order. References within the schema are followed. */
export function fieldsOf(schema: Schema): SchemaField[] {
  const fields: SchemaField[] = []
  visit(schema, schema, '', true, 0, fields)
  return fields
}

function visit(root: Schema, given: Schema, path: string, isRequired: boolean, depth: number, fields: SchemaField[]): void {
  const schema = resolve(root, given)
  // The elements of an array are told by the array itself.
  if (path !== '' && !path.endsWith('[]')) fields.push({ path, type: typeOf(root, schema), isRequired, notes: notesOf(schema) })
  if (depth === deepest) return
  for (const branch of [schema, ...listOf(schema.allOf), ...listOf(schema.anyOf), ...listOf(schema.oneOf)].map((each) =>
    resolve(root, each),
  )) {
    const required = Array.isArray(branch.required) ? branch.required : []
    for (const [name, property] of Object.entries(objectOf(branch.properties))) {
      visit(root, objectOf(property), path === '' ? name : `${path}.${name}`, required.includes(name), depth + 1, fields)
    }
    const items = objectOf(branch.items)
    if (Object.keys(objectOf(resolve(root, items).properties)).length > 0) visit(root, items, `${path}[]`, true, depth + 1, fields)
  }
}

function resolve(root: Schema, schema: Schema): Schema {
  const reference = schema.$ref
  if (typeof reference !== 'string' || !reference.startsWith('#')) return schema
  let found: unknown = root
  for (const part of reference
    .slice(2)
    .split('/')
    .filter((each) => each !== '')) {
    found = objectOf(found)[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return objectOf(found)
}

function typeOf(root: Schema, schema: Schema): string {
  const branches = [...listOf(schema.anyOf), ...listOf(schema.oneOf)]
  if (branches.length > 0) return [...new Set(branches.map((branch) => typeOf(root, resolve(root, branch))))].join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (Array.isArray(schema.type)) return schema.type.join(' | ')
  if (schema.type === 'array') return `${typeOf(root, resolve(root, objectOf(schema.items)))}[]`
  return typeof schema.type === 'string' ? schema.type : 'any'
}

const told = ['format', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'] as const

function notesOf(schema: Schema): string {
  // A format says what its pattern does, in a word.
  const notes = told
    .filter((name) => schema[name] !== undefined && !(name === 'pattern' && schema.format !== undefined))
    .map((name) => `${name}: ${String(schema[name])}`)
  const items = objectOf(schema.items)
  for (const choices of [schema.enum, items.enum])
    if (Array.isArray(choices)) notes.unshift(choices.map((choice) => JSON.stringify(choice)).join(' | '))
  if (typeof schema.description === 'string') notes.unshift(schema.description)
  return notes.join('; ')
}

function objectOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {}
}

function listOf(value: unknown): Schema[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}
