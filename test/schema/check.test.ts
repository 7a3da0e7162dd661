import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ExactNumber } from '../../src/json/exact.ts'
import { type CheckedObject, checkObject, type ObjectRules } from '../../src/schema/check.ts'
import type { SchemaLike } from '../../src/schema/schema.ts'
import { createValidator } from '../../src/schema/validator.ts'

const anything = z.looseObject({})

/** Checks against a schema that is synchronous. */
function check(rules: ObjectRules, text: string, schema: SchemaLike = anything): CheckedObject {
  const checked = checkObject(rules, createValidator(schema, 'test'), text)
  if (checked instanceof Promise) throw new Error('a promise on the synchronous path')
  return checked
}

const codes = (checked: CheckedObject) => checked.issues.map(({ pointer, code }) => `${pointer} ${code}`)

describe('an element that is not an object', () => {
  test.each([
    ['[]', 'an array'],
    ['[{"id":1}]', 'an array'],
    ['"x"', 'a string'],
    ['1', 'a number'],
    ['1.0', 'a number'],
    ['true', 'a boolean'],
    ['null', 'null'],
  ])('%s', (text, name) => {
    expect(check({ key: 'id' }, text)).toMatchObject({
      externalId: null,
      issues: [{ pointer: '', code: 'not_an_object', message: `must be an object, not ${name}` }],
    })
  })
})

describe('the external ID', () => {
  test.each([
    ['{"id":"x"}', 'x'],
    ['{"id":"1"}', '1'],
    ['{"id":1}', '1'],
    ['{"id":-5}', '-5'],
    ['{"id":0}', '0'],
    ['{"id":-0}', '0'],
    ['{"id":12345678901234567890123}', '12345678901234567890123'],
    ['{"id":9007199254740993}', '9007199254740993'],
    ['{"id":1,"price":1.0,"at":"12:30:45.5"}', '1'],
    ['{"id":" "}', ' '],
    ['{"id":"https://ror.org/02mhbdp94"}', 'https://ror.org/02mhbdp94'],
    ['{"id":"\\ud83d\\ude00"}', '😀'],
  ])('%s is %j', (text, id) => {
    expect(check({ key: 'id' }, text)).toMatchObject({ externalId: id, issues: [] })
  })

  test.each([
    ['{}', 'missing_external_id'],
    ['{"id":null}', 'missing_external_id'],
    ['{"id":""}', 'invalid_external_id'],
    ['{"id":1.5}', 'invalid_external_id'],
    ['{"id":1.0}', 'invalid_external_id'],
    ['{"id":1e3}', 'invalid_external_id'],
    ['{"id": 10E-1}', 'invalid_external_id'],
    ['{"n":1,"id":\n1.0}', 'invalid_external_id'],
    ['{"id":1e+21}', 'invalid_external_id'],
    ['{"id":true}', 'invalid_external_id'],
    ['{"id":{}}', 'invalid_external_id'],
    ['{"id":["x"]}', 'invalid_external_id'],
    ['{"id":"a\\u0000"}', 'unstorable_text'],
    ['{"id":"\\ud83d"}', 'unstorable_text'],
  ])('%s: %s', (text, code) => {
    const checked = check({ key: 'id' }, text)
    expect(checked.externalId).toBeNull()
    expect(codes(checked)).toEqual([`/id ${code}`])
  })

  test.each([
    ['x'.repeat(1024), true],
    ['x'.repeat(1025), false],
    ['ж'.repeat(1024), true],
    ['😀'.repeat(512), true],
    ['😀'.repeat(513), false],
    ['漢'.repeat(682), true],
    ['漢'.repeat(683), false],
  ])('length, case %#', (id, fits) => {
    expect(check({ key: 'id' }, JSON.stringify({ id })).externalId).toBe(fits ? id : null)
    expect(check({ key: 'id' }, JSON.stringify({ id })).issues).toHaveLength(fits ? 0 : 1)
  })

  test('an integer of too many digits', () => {
    expect(check({ key: 'id' }, `{"id":${'9'.repeat(1024)}}`).externalId).toBe('9'.repeat(1024))
    expect(codes(check({ key: 'id' }, `{"id":${'9'.repeat(1025)}}`))).toEqual(['/id invalid_external_id'])
  })

  test('stands at a dot path', () => {
    expect(check({ key: 'ids.0.value' }, '{"ids":[{"value":7}]}').externalId).toBe('7')
    expect(codes(check({ key: 'ids.a/b' }, '{"ids":{}}'))).toEqual(['/ids/a~1b missing_external_id'])
    expect(codes(check({ key: 'constructor' }, '{}'))).toEqual(['/constructor missing_external_id'])
  })

  test('every integer keeps its digits', () => {
    fc.assert(
      fc.property(fc.bigInt(), (id) => {
        expect(check({ key: 'id' }, `{"id":${id}}`).externalId).toBe(String(id))
      }),
    )
  })
})

describe('the version', () => {
  const rules: ObjectRules = { key: 'id', version: { field: 'meta.changed', type: 'timestamp' } }

  test('is canonical', () => {
    expect(check(rules, '{"id":1,"meta":{"changed":"1970-01-01T03:00+03:00"}}')).toMatchObject({ version: '0', issues: [] })
    expect(check({ key: 'id', version: { field: 'n', type: 'integer' } }, '{"id":1,"n":12345678901234567890}').version).toBe(
      '12345678901234567890',
    )
    expect(codes(check({ key: 'id', version: { field: 'n', type: 'integer' } }, '{"id":1,"n":5.0}'))).toEqual(['/n invalid_version'])
    expect(check({ key: 'id', version: { field: 'n', type: 'decimal' } }, '{"id":1,"n":1.25e1}').version).toBe('12.5')
    expect(check({ key: 'id', version: { field: 'n', type: 'decimal' } }, '{"id":1,"n":1.50}').version).toBe('1.5')
  })

  test.each([
    ['{"id":1}', 'missing_version'],
    ['{"id":1,"meta":{"changed":null}}', 'missing_version'],
    ['{"id":1,"meta":{"changed":"yesterday"}}', 'invalid_version'],
    ['{"id":1,"meta":{"changed":5}}', 'invalid_version'],
    ['{"id":1,"meta":{"changed":true}}', 'invalid_version'],
    ['{"id":1,"meta":{"changed":{}}}', 'invalid_version'],
  ])('%s: %s', (text, code) => {
    const checked = check(rules, text)
    expect(checked.version).toBeNull()
    expect(codes(checked)).toEqual([`/meta/changed ${code}`])
  })

  test('is null where none is declared', () => {
    expect(check({ key: 'id' }, '{"id":1}').version).toBeNull()
  })
})

describe('beside the schema', () => {
  const rules: ObjectRules = { key: 'id', version: { field: 'v', type: 'integer' } }

  test('what the schema says is not said again', () => {
    expect(codes(check(rules, '{}', z.object({ id: z.string(), v: z.int() })))).toEqual(['/id invalid_type', '/v invalid_type'])
    expect(codes(check(rules, '{}', { type: 'object', required: ['id', 'v'] }))).toEqual([' required', ' required'])
    expect(codes(check(rules, '{"id":true,"v":[]}', { properties: { id: { type: 'string' }, v: { type: 'integer' } } }))).toEqual([
      '/id type',
      '/v type',
    ])
  })

  test('what it leaves out is', () => {
    expect(codes(check(rules, '{}', { type: 'object', required: ['name', 'v'] }))).toEqual([
      ' required',
      ' required',
      '/id missing_external_id',
    ])
    expect(codes(check(rules, '{"id":"","v":1}', { properties: { v: { type: 'string' } } }))).toEqual([
      '/v type',
      '/id invalid_external_id',
    ])
  })

  test('an incorrect object still tells its ID and version', () => {
    expect(check(rules, '{"id":7,"v":3,"x":1}', z.strictObject({ id: z.int(), v: z.int() }))).toMatchObject({
      externalId: '7',
      version: '3',
      output: undefined,
    })
  })
})

describe('source and output', () => {
  test('the source keeps every digit, the schema sees plain numbers', () => {
    const schema = z.object({ id: z.string(), big: z.number() })
    const checked = check({ key: 'id' }, '{"id":"a","big":12345678901234567890}', schema)
    expect(checked.source).toEqual({ id: 'a', big: new ExactNumber('12345678901234567890') })
    expect(checked.output).toEqual({ id: 'a', big: Number('12345678901234567890') })
    expect(checked.issues).toEqual([])
  })

  test('the ID is the text of the source, whatever the schema makes of it', () => {
    const schema = z.object({ id: z.string().transform((id) => id.toUpperCase()) })
    expect(check({ key: 'id' }, '{"id":"abc"}', schema)).toMatchObject({ externalId: 'abc', output: { id: 'ABC' } })
  })

  test('an asynchronous schema gives a promise of the same', async () => {
    const schema = z.object({ id: z.string().refine(async (id) => id !== 'bad') })
    const validator = createValidator(schema, 'test')
    const good = checkObject({ key: 'id' }, validator, '{"id":"good"}')
    expect(good).toBeInstanceOf(Promise)
    expect(await good).toMatchObject({ externalId: 'good', output: { id: 'good' }, issues: [] })
    expect(codes(await checkObject({ key: 'id' }, validator, '{"id":"bad"}'))).toEqual(['/id custom'])
    expect(codes(await checkObject({ key: 'id' }, validator, '[]'))).toEqual([' not_an_object'])
  })
})

describe('deletion', () => {
  const schema = z.object({ id: z.string(), name: z.string().transform((name) => ({ full: name })), gone: z.boolean().default(false) })
  const isGone = (object: unknown) => (object as { gone: boolean }).gone
  const rules: ObjectRules = { key: 'id', deleted: isGone }

  test('is asked of the output where the schema passes', () => {
    const seen: unknown[] = []
    const deleted = (object: unknown) => seen.push(object) > 0
    expect(check({ key: 'id', deleted }, '{"id":"a","name":"A"}', schema)).toMatchObject({ deleted: true, issues: [] })
    expect(seen).toEqual([{ id: 'a', name: { full: 'A' }, gone: false }])
    expect(check(rules, '{"id":"a","name":"A"}', schema).deleted).toBe(false)
  })

  test('is asked of the bare object where it does not, and then the schema does not count', () => {
    expect(check(rules, '{"id":"a","gone":true}', schema)).toEqual({
      externalId: 'a',
      version: null,
      deleted: true,
      source: { id: 'a', gone: true },
      output: undefined,
      issues: [],
    })
    const kept = check(rules, '{"id":"a","gone":false}', schema)
    expect(kept.deleted).toBe(false)
    expect(codes(kept)).toEqual(['/name invalid_type'])
  })

  test.each<[name: string, deleted: (object: { id: string; at?: string | null; active?: boolean }) => boolean]>([
    ['not null', (o) => o.at !== null],
    ['not there', (o) => !('active' in o)],
    ['falsy', (o) => !o.active],
    ['missing in an object', (o) => (o as { meta?: { at?: string | null } }).meta?.at !== null],
  ])('is not said by a field that is missing: %s', (_name, deleted) => {
    const checked = check({ key: 'id', deleted: deleted as (object: unknown) => boolean }, '{"id":"a","meta":{}}', schema)
    expect(checked.deleted).toBe(false)
    expect(codes(checked)).toEqual(['/name invalid_type'])
  })

  test.each<[text: string, deleted: (object: Record<string, unknown>) => boolean]>([
    ['{"id":"a","at":"2026-01-01"}', (o) => o.at !== null],
    ['{"id":"a","state":"gone"}', (o) => o.at != null || o.state === 'gone'],
    ['{"id":"a","active":false}', (o) => !o.active],
    ['{"id":"a"}', () => true],
  ])('is said by what is there: %s', (text, deleted) => {
    const checked = check({ key: 'id', deleted: deleted as (object: unknown) => boolean }, text, schema)
    expect(checked).toMatchObject({ deleted: true, issues: [] })
  })

  test('needs a key and a version', () => {
    const versioned: ObjectRules = { ...rules, version: { field: 'v', type: 'integer' } }
    const checked = check(versioned, '{"gone":true,"v":"x"}', schema)
    expect(checked.deleted).toBe(true)
    expect(codes(checked)).toEqual(['/id missing_external_id', '/v invalid_version'])
    expect(check(versioned, '{"id":"a","gone":true,"v":5}', schema)).toMatchObject({ deleted: true, version: '5', issues: [] })
  })

  test('a callback that throws at a bare object means no', () => {
    const deleted = (object: unknown) => (object as { name: { full: string } }).name.full === 'x'
    const checked = check({ key: 'id', deleted }, '{"id":"a"}', schema)
    expect(checked.deleted).toBe(false)
    expect(codes(checked)).toEqual(['/name invalid_type'])
  })

  test('a callback that throws at a correct object is an issue', () => {
    const deleted = () => {
      throw new Error('no such field')
    }
    expect(check({ key: 'id', deleted }, '{"id":"a","name":"A"}', schema).issues).toEqual([
      { pointer: '', code: 'deleted_callback_failed', message: 'the integration\'s "deleted" threw an error: no such field' },
    ])
  })

  test('only true and false are answers: a promise would delete everything', () => {
    for (const answer of [Promise.resolve(false), Promise.reject(new Error('no')), undefined, null, 'yes', 1]) {
      const deleted = (() => answer) as unknown as () => boolean
      const correct = check({ key: 'id', deleted }, '{"id":"a","name":"A"}', schema)
      expect(correct.deleted).toBe(false)
      expect(codes(correct)).toEqual([' deleted_callback_failed'])
      expect(check({ key: 'id', deleted }, '{"id":"a"}', schema).deleted).toBe(false)
    }
  })
})
