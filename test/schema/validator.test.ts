import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { z as mini } from 'zod/mini'
import { SluiceError } from '../../src/errors.ts'
import type { JsonSchema, SchemaLike, StandardSchema } from '../../src/schema/schema.ts'
import { createValidator, type ValidationResult } from '../../src/schema/validator.ts'

/** Validates with a schema that is synchronous. */
function check(schema: SchemaLike, value: unknown): ValidationResult {
  const result = createValidator(schema, 'test').validate(value)
  if (result instanceof Promise) throw new Error('a promise on the synchronous path')
  return result
}

/** A Standard Schema written by hand. */
function standard(validate: StandardSchema['~standard']['validate']): StandardSchema {
  return { '~standard': { version: 1, vendor: 'hand', validate } }
}

function configError(schema: JsonSchema): SluiceError {
  try {
    createValidator(schema, 'employee')
  } catch (error) {
    if (error instanceof SluiceError) return error
    throw error
  }
  throw new Error('the schema was taken')
}

describe('libraries of Standard Schema', () => {
  test('zod: output, pointers and its own codes', () => {
    const schema = z.strictObject({ id: z.string(), tags: z.array(z.object({ 'a/b~c': z.number() })).default([]) })
    expect(check(schema, { id: 'x' })).toEqual({ output: { id: 'x', tags: [] }, issues: null })
    expect(check(schema, { id: 1, tags: [{ 'a/b~c': 'x' }], extra: 1 }).issues).toEqual([
      { pointer: '/id', code: 'invalid_type', message: expect.stringContaining('string') },
      { pointer: '/tags/0/a~1b~0c', code: 'invalid_type', message: expect.stringContaining('number') },
      { pointer: '', code: 'unrecognized_keys', message: expect.stringContaining('extra') },
    ])
  })

  test('valibot: path segments are objects, and there is no code', () => {
    const schema = v.object({ id: v.string(), rows: v.array(v.object({ n: v.number() })) })
    expect(check(schema, { id: 'x', rows: [] })).toEqual({ output: { id: 'x', rows: [] }, issues: null })
    expect(check(schema, { rows: [{ n: 'one' }] }).issues).toEqual([
      { pointer: '/id', code: 'invalid', message: expect.any(String) },
      { pointer: '/rows/0/n', code: 'invalid', message: expect.any(String) },
    ])
  })

  test('arktype: a schema that is a function', () => {
    const schema = type({ id: 'string', rows: type({ n: 'number' }).array() })
    expect(check(schema, { id: 'x', rows: [{ n: 1 }] })).toEqual({ output: { id: 'x', rows: [{ n: 1 }] }, issues: null })
    const { issues } = check(schema, { rows: [{ n: 'one' }] })
    expect(issues?.map(({ pointer, code }) => `${pointer} ${code}`).toSorted()).toEqual(['/id required', '/rows/0/n domain'])
  })

  test('a schema that transforms leaves the value as it is', () => {
    const value = { at: '2024-01-01' }
    const result = check(z.object({ at: z.string().transform((text) => new Date(text)) }), value)
    expect(result.output).toEqual({ at: new Date('2024-01-01') })
    expect(value).toEqual({ at: '2024-01-01' })
  })

  test('an asynchronous schema gives a promise', async () => {
    const schema = z.object({ id: z.string().refine(async (id) => id !== 'taken', 'is taken') })
    const { validate } = createValidator(schema, 'test')
    const good = validate({ id: 'free' })
    expect(good).toBeInstanceOf(Promise)
    expect(await good).toEqual({ output: { id: 'free' }, issues: null })
    expect(await validate({ id: 'taken' })).toEqual({
      output: undefined,
      issues: [{ pointer: '/id', code: 'custom', message: 'is taken' }],
    })
  })
})

describe('a schema that misbehaves', () => {
  const boom = () => {
    throw new TypeError('boom')
  }

  test.each([
    ['throws', standard(boom)],
    ['rejects', standard(async () => boom())],
    ['has a refinement that throws', z.object({}).refine(boom)],
  ])('that %s refuses the value', async (_, schema) => {
    expect(await createValidator(schema, 'test').validate({})).toEqual({
      output: undefined,
      issues: [{ pointer: '', code: 'schema_failed', message: 'the schema threw an error: boom' }],
    })
  })

  test('that throws a retryable SluiceError can say "not now"', async () => {
    const later = new SluiceError('lookup_down', 'the lookup is down', { retryable: true })
    const throwing = standard(() => {
      throw later
    })
    expect(() => createValidator(throwing, 'test').validate({})).toThrow(later)
    const rejecting = standard(() => Promise.reject(later))
    await expect(createValidator(rejecting, 'test').validate({})).rejects.toBe(later)
  })

  test('that refuses without a reason still refuses', () => {
    expect(
      check(
        standard(() => ({ issues: [] })),
        {},
      ).issues,
    ).toEqual([{ pointer: '', code: 'invalid', message: 'the schema refuses it without a reason' }])
  })

  test('that quotes what can not be stored is made storable', () => {
    const schema = standard(() => ({
      issues: [{ message: `${'x'.repeat(2000)}`, path: ['a\0', { key: '\ud83d' }, 3] }, { message: '\0\ud83d' }],
    }))
    const { issues } = check(schema, {})
    expect(issues?.[0]?.pointer).toBe('/a\ufffd/\ufffd/3')
    expect(issues?.[0]?.message).toBe(`${'x'.repeat(999)}…`)
    expect(issues?.[1]?.message).toBe('\ufffd\ufffd')
  })

  test('a message is not cut within a character', () => {
    const { issues } = check(
      standard(() => ({ issues: [{ message: `x${'😀'.repeat(600)}` }] })),
      {},
    )
    expect(issues?.[0]?.message.isWellFormed()).toBe(true)
  })
})

describe('JSON Schema', () => {
  const employee: JsonSchema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    required: ['ms_id', 'name'],
    additionalProperties: false,
    properties: {
      ms_id: { type: ['string', 'integer'] },
      name: { type: 'string', minLength: 1, default: 'nobody' },
      kind: { enum: ['staff', 'guest'] },
      country: { const: 'NL' },
      born: { type: 'string', format: 'date' },
      never: false,
      address: { $ref: '#/$defs/address' },
    },
    $defs: {
      address: { type: 'object', properties: { zip: { type: 'string' } }, propertyNames: { maxLength: 5 }, unevaluatedProperties: false },
    },
  }

  test('gives the value itself, neither coerced nor completed', () => {
    const value = { ms_id: 1, name: 'Ann' }
    const result = check(employee, value)
    expect(result.output).toBe(value)
    expect(value).toEqual({ ms_id: 1, name: 'Ann' })
    expect(check(employee, { ms_id: 'x' }).issues).toEqual([
      { pointer: '', code: 'required', message: "must have required property 'name'" },
    ])
    expect(check({ type: 'object', properties: { n: { type: 'integer' } } }, { n: '1' }).issues).toHaveLength(1)
  })

  test('every error, in plain words, at its place', () => {
    const { issues } = check(employee, {
      ms_id: true,
      name: '',
      kind: 'x',
      country: 'DE',
      born: '2023-02-29',
      never: 1,
      address: { zip: 1, street1: 'x', 'a/b': 1 },
      'odd~/': 1,
    })
    expect(new Set(issues?.map(({ pointer, code, message }) => `${pointer} ${code}: ${message}`))).toEqual(
      new Set([
        " additionalProperties: must not have the unknown property 'odd~/'",
        '/ms_id type: must be string or integer',
        '/name minLength: must not have fewer than 1 characters',
        '/kind enum: must be one of "staff", "guest"',
        '/country const: must be "NL"',
        '/born format: must match format "date"',
        '/never false_schema: must not be there',
        '/address/zip type: must be string',
        "/address propertyNames: must not have a property named 'street1'",
        '/address maxLength: must not have more than 5 characters',
        "/address unevaluatedProperties: must not have the unknown property 'street1'",
        "/address unevaluatedProperties: must not have the unknown property 'a/b'",
      ]),
    )
  })

  test('pointers escape keys', () => {
    const schema: JsonSchema = { additionalProperties: { items: { type: 'string' } } }
    expect(check(schema, { 'a/b~': ['x', 1] }).issues).toEqual([{ pointer: '/a~1b~0/1', code: 'type', message: 'must be string' }])
  })

  test('tells which properties are missing', () => {
    const result = check({ properties: { a: { required: ['b/c'] } }, required: ['id'] }, { a: {} })
    expect('missing' in result && result.missing).toEqual(new Set(['/a/b~1c', '/id']))
  })

  test('lists at most ten values of an enum', () => {
    const { issues } = check({ enum: Array.from({ length: 12 }, (_, index) => index) }, 'x')
    expect(issues?.[0]?.message).toBe('must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 or 2 others')
  })

  test('an object of more than 10,000 values has its first error told only', () => {
    const schema: JsonSchema = { properties: { list: { items: { type: 'string' } } } }
    expect(check(schema, { list: Array.from({ length: 9_000 }, () => 1) }).issues).toHaveLength(9_000)
    expect(check(schema, { list: Array.from({ length: 11_000 }, () => 1) }).issues).toHaveLength(1)
    expect(check(schema, { list: Array.from({ length: 200_000 }, () => [1]) }).issues).toHaveLength(1)
  })

  test('keywords of 2020-12 hold', () => {
    const schema: JsonSchema = {
      type: 'object',
      properties: { pair: { prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false } },
      dependentRequired: { a: ['b'] },
      $defs: { node: { $dynamicAnchor: 'node', type: 'object' } },
    }
    expect(check(schema, { pair: ['x', 1] }).issues).toBeNull()
    expect(
      check(schema, { pair: ['x', 'y', 'z'], a: 1 })
        .issues?.map(({ code }) => code)
        .toSorted(),
    ).toEqual(['dependentRequired', 'items', 'type'])
  })

  test('unknown keywords and formats are let be', () => {
    const schema: JsonSchema = { 'x-label': 'Employee', requird: ['x'], properties: { a: { type: 'string', format: 'inn', example: '1' } } }
    expect(check(schema, { a: 'x' }).issues).toBeNull()
  })

  test('lengths count characters, patterns are of Unicode', () => {
    expect(check({ properties: { a: { maxLength: 1 } } }, { a: '😀' }).issues).toBeNull()
    expect(check({ properties: { a: { pattern: '^\\p{Lu}$' } } }, { a: 'Ж' }).issues).toBeNull()
  })

  test('two integrations may have one $id', () => {
    const schema = (kind: string): JsonSchema => ({ $id: 'https://example.org/object', type: kind })
    expect(check(schema('object'), {}).issues).toBeNull()
    expect(check(schema('array'), {}).issues).toHaveLength(1)
  })

  test('a recursive schema compiles', () => {
    const schema: JsonSchema = { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } }
    expect(check(schema, { children: [{ children: [1] }] }).issues).toEqual([
      { pointer: '/children/0/children/0', code: 'type', message: 'must be object' },
    ])
  })

  test('an $id inside the document can be referred to', () => {
    const schema: JsonSchema = { $ref: 'https://example.org/name', $defs: { name: { $id: 'https://example.org/name', type: 'string' } } }
    expect(check(schema, 1).issues).toHaveLength(1)
  })

  test.each<[string, JsonSchema, RegExp]>([
    [
      'a reference to another document',
      { $id: 'https://example.org/a.json', properties: { b: { $ref: 'b.json#/$defs/x' } } },
      /refers to "https:\/\/example\.org\/b\.json#\/\$defs\/x".*Nothing is fetched/,
    ],
    ['a reference to nothing', { $ref: '#/$defs/none' }, /refers to "#\/\$defs\/none"/],
    ['another draft', { $schema: 'http://json-schema.org/draft-07/schema#' }, /draft-07\/schema#"; only JSON Schema 2020-12/],
    ['a wrong keyword', { type: 'objekt' }, /doesn't compile/],
    ['a wrong pattern', { pattern: '(' }, /doesn't compile/],
    ['an asynchronous schema of Ajv', { $async: true }, /\$async/],
  ])('%s is refused at the start', (_, schema, reason) => {
    const error = configError(schema)
    expect(error.code).toBe('invalid_config')
    expect(error.message).toMatch(/^integration "employee": /)
    expect(error.message).toMatch(reason)
  })
})

describe('the JSON Schema of a schema, for docs', () => {
  const of = (schema: SchemaLike) => createValidator(schema, 'test').jsonSchema

  test('of a JSON Schema: itself', () => {
    const schema: JsonSchema = { type: 'object' }
    expect(of(schema)).toBe(schema)
  })

  test('of zod: what may be sent, and anything where JSON Schema has no word', () => {
    const schema = z.object({ id: z.string(), at: z.date().optional(), tags: z.array(z.string()).default([]) })
    expect(of(schema)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { id: { type: 'string' }, at: {}, tags: { type: 'array' } },
      required: ['id'],
    })
  })

  test('of zod/mini', () => {
    expect(of(mini.object({ id: mini.string() }))).toMatchObject({ type: 'object', required: ['id'] })
  })

  test('of arktype: its own', () => {
    expect(of(type({ id: 'string' }))).toMatchObject({ type: 'object', required: ['id'] })
  })

  test('of a schema that has none, or fails at it: null', () => {
    expect(of(v.object({ id: v.string() }))).toBeNull()
    const failing = standard(() => ({ value: 1 }))
    const offered = {
      '~standard': {
        ...failing['~standard'],
        jsonSchema: {
          input: () => {
            throw new Error('no')
          },
        },
      },
    }
    expect(of(offered)).toBeNull()
  })
})
