/**
 * Types flow from the schema to the callbacks with no annotation. The compiler is the test: a line under `@ts-expect-error`
 * that compiles is an error of `tsc`, which `npm test` runs. Each config is made too, so that what compiles also works.
 */
import { type } from 'arktype'
import * as v from 'valibot'
import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration, failed, type Integration, type IntegrationDefinition } from '../../src/index.ts'
import type { Outcome } from '../../src/model/outcome.ts'

interface Phone {
  kind: string
  digits: string
}

interface Employee {
  id: string
  age: number
  joined?: Date | undefined
  phones: Phone[]
}

const zodSchema = z.object({
  id: z.string(),
  age: z.string().transform(Number),
  joined: z.coerce.date().optional(),
  phones: z.array(z.object({ kind: z.string(), digits: z.string() })),
})
const phone = v.object({ kind: v.string(), digits: v.string() })
const valibotSchema = v.object({
  id: v.string(),
  age: v.pipe(v.string(), v.transform(Number)),
  joined: v.optional(v.date()),
  phones: v.array(phone),
})
const arkSchema = type({
  id: 'string',
  age: 'string.numeric.parse',
  'joined?': 'Date',
  phones: type({ kind: 'string', digits: 'string' }).array(),
})

test('Zod: callbacks get the schema’s output, transforms included', () => {
  const integration = defineIntegration({
    name: 'zod',
    schema: zodSchema,
    key: 'id',
    deleted: (o) => {
      expectTypeOf(o).toEqualTypeOf<z.output<typeof zodSchema>>()
      return o.age > 100
    },
    target: (t) =>
      t.table('employee', {
        key: 'ms_id',
        columns: {
          age: (o) => {
            expectTypeOf(o.age).toEqualTypeOf<number>()
            return o.age + 1
          },
          // @ts-expect-error the schema has no such field
          wrong: (o) => o.agee,
          name: 'any.path',
          year: (o) => o.joined?.getFullYear(),
        },
        sets: {
          phone: { owner: 'employee_id', rows: (o) => o.phones, columns: { digits: 'digits', kind: (row: Phone) => row.kind } },
          tag: { owner: 'employee_id', rows: 'tags', columns: { tag: (row: string) => row.trim() } },
        },
        onDelete: { left_at: (o) => o.joined },
      }),
  })
  expectTypeOf(integration).toEqualTypeOf<Integration>()
  expect(integration.target).toMatchObject({ kind: 'table', needsOutput: true, handlesDeletion: true })
})

test('Valibot', () => {
  const integration = defineIntegration({
    name: 'valibot',
    schema: valibotSchema,
    key: 'id',
    target: (t) =>
      t.table('employee', {
        key: 'ms_id',
        columns: {
          age: (o) => {
            expectTypeOf(o).toEqualTypeOf<v.InferOutput<typeof valibotSchema>>()
            return o.age.toFixed()
          },
          // @ts-expect-error a number has no such method
          wrong: (o) => o.age.trim(),
        },
      }),
  })
  expect(integration.target.kind).toBe('table')
})

test('ArkType', () => {
  const integration = defineIntegration({
    name: 'arktype',
    schema: arkSchema,
    key: 'id',
    target: (t) =>
      t.table('employee', {
        key: 'ms_id',
        columns: {
          age: (o) => {
            expectTypeOf(o.age).toEqualTypeOf<number>()
            return o.age
          },
          // @ts-expect-error the schema has no such field
          wrong: (o) => o.agee,
        },
      }),
  })
  expect(integration.target.kind).toBe('table')
})

test('JSON Schema: the type is an argument', () => {
  const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } as const
  const integration = defineIntegration<Employee>({
    name: 'json-schema',
    schema,
    key: 'id',
    deleted: (o) => o.phones.length === 0,
    target: (t) =>
      t.handler({
        apply: (o) => {
          expectTypeOf(o).toEqualTypeOf<Employee>()
          // @ts-expect-error the type has no such field
          return o.agee === undefined ? 'updated' : 'created'
        },
      }),
  })
  expect(integration.target.kind).toBe('handler')
  const untyped = defineIntegration({
    name: 'untyped',
    schema,
    key: 'id',
    target: (t) => t.table('x', { key: 'k', columns: { a: (o) => typeof o } }),
  })
  expect(untyped.target.kind).toBe('table')
})

test('handlers: what they are told and what they may answer', () => {
  const integration = defineIntegration({
    name: 'handler',
    schema: zodSchema,
    key: 'id',
    target: (t) =>
      t.handler({
        applyMany: async (objects, { tx, signal }) => {
          await tx.query('SELECT 1')
          signal.throwIfAborted()
          return objects.map(({ object, externalId, attempt }) => {
            expectTypeOf(object.age).toEqualTypeOf<number>()
            expectTypeOf(externalId).toEqualTypeOf<string>()
            if (attempt > 3) return failed('too_often', 'give it up')
            return object.age > 3 ? ({ outcome: 'updated', detail: 'older' } as const) : 'ignored'
          })
        },
      }),
  })
  expect(integration.target.kind).toBe('handler')
  for (const target of [
    defineIntegration({ name: 'plain', schema: zodSchema, key: 'id', target: (t) => t.handler({ apply: () => 'updated' }) }),
    defineIntegration({
      name: 'one',
      schema: zodSchema,
      key: 'id',
      target: (t) => t.handler({ apply: async (o) => (o.age > 1 ? 'updated' : 'ignored') }),
    }),
    defineIntegration({ name: 'word', schema: zodSchema, key: 'id', target: (t) => t.handler({ apply: async () => 'updated' }) }),
    defineIntegration({ name: 'many', schema: zodSchema, key: 'id', target: (t) => t.handler({ applyMany: async () => 'updated' }) }),
    defineIntegration({
      name: 'each',
      schema: zodSchema,
      key: 'id',
      target: (t) => t.handler({ applyMany: (all) => all.map(() => 'updated') }),
    }),
  ]) {
    expect(target.target.kind).toBe('handler')
  }
  expectTypeOf<'moved'>().not.toExtend<Outcome>()
  defineIntegration({
    name: 'wrong-outcome',
    schema: zodSchema,
    key: 'id',
    // @ts-expect-error "moved" is no outcome: a target's own word is the detail
    target: (t) => t.handler({ apply: () => 'moved' }),
  })
})

test('what no option is for, and sources that are none, do not compile', () => {
  const define = (target: IntegrationDefinition<Employee>['target']) => () =>
    defineIntegration<Employee>({ name: 'wrong', schema: { type: 'object' }, key: 'id', target })
  // @ts-expect-error
  expect(define((t) => t.table('x', { key: 'k', colums: {} }))).toThrow('unknown option "colums"')
  // @ts-expect-error
  expect(define((t) => t.table('x', { key: 'k', columns: {}, onDelete: 'drop' }))).toThrow('"onDelete"')
  // @ts-expect-error
  expect(define((t) => t.table('x', { key: 'k', columns: { a: ['b'] } }))).toThrow('a source is a field')
  // @ts-expect-error
  expect(define((t) => t.table('x', { key: 'k', columns: { a: t.ref('b', 'c', { missing: 'skip' }) } }))).toThrow('"missing"')
  const rows = (o: Employee) => o.phones
  const size = (row: { size: number }) => row.size
  // @ts-expect-error the rows are phones
  define((t) => t.table('x', { key: 'k', columns: {}, sets: { p: { owner: 'o', rows, columns: { a: size } } } }))()
})
