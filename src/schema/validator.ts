/** One way to check a value, whichever kind of schema the user wrote. */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { z } from 'zod'
import { messageOf, SluiceError } from '../errors.ts'
import { formatPointer } from '../json/pointer.ts'
import { issueAt, type ValidationResult } from './issue.ts'
import { compileJsonSchema } from './json-schema.ts'
import { isStandardSchema, type SchemaLike, type StandardSchema } from './schema.ts'

export type { SchemaIssue, ValidationResult } from './issue.ts'

export interface Validator {
  /** Checks a value and leaves it as it is. A promise only where the schema itself is asynchronous. */
  validate(value: unknown): ValidationResult | Promise<ValidationResult>
  /** The schema as JSON Schema 2020-12, of what may be sent; null where it has none. */
  readonly jsonSchema: Record<string, unknown> | null
}

/**
 * Prepares a schema: once, at the start.
 *
 * A schema that throws for some value refuses that value: issue `schema_failed`. Throw a SluiceError with `retryable` to
 * say that the value can't be checked now; that goes to the caller.
 *
 * @param name name of the integration, for errors
 * @throws SluiceError `invalid_config` for a JSON Schema that doesn't compile or that refers to another document
 */
export function createValidator(schema: SchemaLike, name: string): Validator {
  if (!isStandardSchema(schema)) return { validate: compileJsonSchema(schema, name), jsonSchema: schema }
  const { validate } = schema['~standard']
  return {
    validate(value) {
      try {
        const result = validate(value)
        return result instanceof Promise ? result.then(resultOf, failureOf) : resultOf(result)
      } catch (error) {
        return failureOf(error)
      }
    },
    jsonSchema: jsonSchemaOf(schema),
  }
}

function resultOf(result: StandardSchemaV1.Result<unknown>): ValidationResult {
  if (result.issues === undefined) return { output: result.value, issues: null }
  const issues = result.issues.map((issue) => {
    const path = (issue.path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment))
    const code = 'code' in issue && typeof issue.code === 'string' ? issue.code : 'invalid'
    return issueAt(formatPointer(path), code, issue.message)
  })
  return { output: undefined, issues: issues.length > 0 ? issues : [issueAt('', 'invalid', 'the schema refuses it without a reason')] }
}

function failureOf(error: unknown): ValidationResult {
  if (error instanceof SluiceError && error.retryable) throw error
  return { output: undefined, issues: [issueAt('', 'schema_failed', `the schema threw an error: ${messageOf(error)}`)] }
}

/** For docs only: a schema that can't be written as JSON Schema still checks. */
function jsonSchemaOf(schema: StandardSchema): Record<string, unknown> | null {
  const { vendor, jsonSchema } = schema['~standard'] as StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props>
  const libraryOptions = { unrepresentable: 'any' } as const
  try {
    if (jsonSchema !== undefined) return jsonSchema.input({ target: 'draft-2020-12', ...(vendor === 'zod' ? { libraryOptions } : {}) })
    return vendor === 'zod' ? z.toJSONSchema(schema as unknown as z.ZodType, { ...libraryOptions, io: 'input' }) : null
  } catch {
    return null
  }
}
