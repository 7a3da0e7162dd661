/** A first draft of an object for a schema, to be filled in by hand. */

type Schema = Record<string, unknown>

const deepest = 6

/** An object with the fields that a JSON Schema requires, each with the simplest value of its type. */
export function sampleOf(schema: Schema): unknown {
  return sample(schema, 0)
}

function sample(schema: Schema, depth: number): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.default !== undefined) return schema.default
  if (Array.isArray(schema.enum)) return schema.enum[0]
  const branches = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (Array.isArray(branches)) return sample(objectOf(branches[0]), depth)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'object' && depth < deepest) {
    const required = Array.isArray(schema.required) ? (schema.required as string[]) : []
    const properties = objectOf(schema.properties)
    return Object.fromEntries(required.map((name) => [name, sample(objectOf(properties[name]), depth + 1)]))
  }
  if (type === 'array') return Number(schema.minItems ?? 0) > 0 ? [sample(objectOf(schema.items), depth + 1)] : []
  if (type === 'string') return textOf(schema.format)
  if (type === 'integer' || type === 'number') return Math.max(0, Number(schema.minimum ?? 0))
  return type === 'boolean' ? false : null
}

function textOf(format: unknown): string {
  if (format === 'date') return '2026-01-31'
  if (format === 'date-time') return '2026-01-31T12:00:00Z'
  if (format === 'uri') return 'https://example.org/1'
  return ''
}

function objectOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {}
}
