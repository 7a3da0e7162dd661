/** JSON Schema 2020-12, by Ajv. */
import { Ajv2020, type ErrorObject, MissingRefError, type Options, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { messageOf, SluiceError } from '../errors.ts'
import { formatPointer } from '../json/pointer.ts'
import { issueAt, type ValidationResult } from './issue.ts'
import type { JsonSchema } from './schema.ts'

/** Above this many values an object's first error is the only one told: a small body must not become millions of errors. */
const mostValuesForAllErrors = 10_000

/**
 * Compiles a document. Keywords and formats that JSON Schema doesn't know are let be, as its standard asks; values are
 * neither coerced nor completed.
 *
 * @throws SluiceError `invalid_config`
 */
export function compileJsonSchema(schema: JsonSchema, name: string): (value: unknown) => ValidationResult {
  const isValid = compile(schema, name, { allErrors: false })
  let explain: ValidateFunction | null = null
  return (value) => {
    if (isValid(value)) return { output: value, issues: null }
    if (!isSmall(value)) return refusal(isValid.errors ?? [])
    explain ??= compile(schema, name, { allErrors: true })
    explain(value)
    return refusal(explain.errors ?? [])
  }
}

function compile(schema: JsonSchema, name: string, options: Options): ValidateFunction {
  try {
    const ajv = new Ajv2020({ ...options, strict: false, logger: false })
    addFormats.default(ajv)
    const validate = ajv.compile(schema)
    if ('$async' in validate) throw new Error('"$async" is not of JSON Schema')
    return validate
  } catch (error) {
    throw new SluiceError('invalid_config', `integration "${name}": ${reasonOf(error, schema)}`, { cause: error })
  }
}

function reasonOf(error: unknown, schema: JsonSchema): string {
  if (error instanceof MissingRefError) {
    return `its schema refers to "${error.missingRef}", which the document doesn't hold. Nothing is fetched: put it under "$defs"`
  }
  const dialect = schema.$schema
  if (typeof dialect === 'string' && !/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/.test(dialect)) {
    return `its schema is of "${dialect}"; only JSON Schema 2020-12 is understood`
  }
  return `its schema doesn't compile: ${messageOf(error)}`
}

function refusal(errors: readonly ErrorObject[]): ValidationResult {
  const missing = new Set<string>()
  const issues = errors.map((error) => {
    if (error.keyword === 'required') missing.add(error.instancePath + formatPointer([error.params.missingProperty as string]))
    return issueAt(error.instancePath, codeOf(error.keyword), describe(error))
  })
  return { output: undefined, issues, missing }
}

/** Ajv's name for the schema `false` is the only one with a space. */
function codeOf(keyword: string): string {
  return keyword === 'false schema' ? 'false_schema' : keyword
}

/** What Ajv says, with the names and values that it leaves out. */
function describe({ keyword, params, message }: ErrorObject): string {
  switch (keyword) {
    case 'additionalProperties':
      return `must not have the unknown property '${params.additionalProperty}'`
    case 'unevaluatedProperties':
      return `must not have the unknown property '${params.unevaluatedProperty}'`
    case 'propertyNames':
      return `must not have a property named '${params.propertyName}'`
    case 'type':
      return `must be ${[params.type].flat().join(' or ')}`
    case 'enum':
      return `must be one of ${listOf(params.allowedValues as unknown[])}`
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`
    case 'false schema':
      return 'must not be there'
    default:
      return (message ?? keyword).replaceAll('NOT', 'not')
  }
}

const mostListed = 10

function listOf(values: readonly unknown[]): string {
  const list = values.slice(0, mostListed).map((value) => JSON.stringify(value))
  return values.length > mostListed ? `${list.join(', ')} or ${values.length - mostListed} others` : list.join(', ')
}

function isSmall(value: unknown): boolean {
  const open = [value]
  let count = 1
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    const children = Object.values(next)
    count += children.length
    if (count > mostValuesForAllErrors) return false
    open.push(...children)
  }
  return true
}
