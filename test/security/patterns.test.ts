/** A pattern that backtracks doesn't hold the server: whichever library made the schema, the check is stopped. */
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration, type Integration } from '../../src/config.ts'
import { checkSlice, Pace, slicesOf } from '../../src/flow/check-slice.ts'
import { DeadlinePassed, within } from '../../src/schema/deadline.ts'
import type { JsonSchema, SchemaLike } from '../../src/schema/schema.ts'
import { createValidator } from '../../src/schema/validator.ts'
import { createTestApp, problem, type TestApp } from '../http/support.ts'
import { onPostgres } from '../support/both.ts'
import { resetCompany } from '../support/company.ts'

/** Takes 2 to the power of the text's length. */
const pattern = '^(a+)+$'
const hostile = { ms_id: 'hostile', title: `${'a'.repeat(60)}!` }

const schemas: Record<string, SchemaLike> = {
  'Standard Schema': z.object({ ms_id: z.string(), title: z.string().regex(new RegExp(pattern)) }),
  'JSON Schema': { type: 'object', required: ['ms_id'], properties: { ms_id: { type: 'string' }, title: { type: 'string', pattern } } },
}

describe('a deadline', () => {
  test('stops what has no end, and nothing is left of it', () => {
    const endless = (): never => {
      for (;;) {
        try {
          new RegExp(pattern).test(hostile.title)
        } catch {
          // It can't be caught inside.
        }
      }
    }
    expect(() => within(20, endless)).toThrow(DeadlinePassed)
    expect(within(60_000, () => 'done')).toBe('done')
  })

  test('lets results and errors through as they are', () => {
    const mine = new TypeError('mine')
    expect(() =>
      within(60_000, () => {
        throw mine
      }),
    ).toThrow(mine)
    const object = { a: 1 }
    expect(within(60_000, () => object)).toBe(object)
  })
})

describe('slices', () => {
  test('have all texts in order, and are cut by number and by size', () => {
    const texts = [...Array.from({ length: 250 }, (_, n) => `${n}`), 'x'.repeat(300_000), 'y', 'z']
    const slices = [...slicesOf(texts, new Pace())]
    expect(slices.flat()).toEqual(texts)
    expect(slices.map(({ length }) => length)).toEqual([100, 100, 51, 2])
    expect([...slicesOf([], new Pace())]).toEqual([])
  })

  test('grow while the schema is quick, and shrink when it is slow', () => {
    const pace = new Pace()
    const slices = slicesOf(Array.from({ length: 10_000 }, String), pace)
    const next = (milliseconds: number) => {
      const { value } = slices.next()
      pace.took(milliseconds)
      return value?.length
    }
    expect([0.5, 1, 5, 0.5, 1, 1, 1].map(next)).toEqual([100, 200, 400, 400, 800, 1000, 1000])
    expect([11, 300, 1000, 1000, 1000, 1000, 1000, 1000, 5].map(next)).toEqual([1000, 500, 250, 125, 62, 31, 15, 10, 10])
  })

  test('a slice that is slow as a whole is checked to its end', () => {
    const started = new Set<string>()
    // Each is slow at its first look only: one that was stopped is done at the second.
    const slow = createValidator(
      z.object({ id: z.string().refine((id) => started.has(id) || (started.add(id) && spin(60))) }) as SchemaLike,
      'slow',
    )
    const texts = Array.from({ length: 40 }, (_, n) => JSON.stringify({ id: `${n}` }))
    const { checks, isStopped } = checkSlice({ key: 'id' }, slow, texts)
    expect(isStopped).toBe(false)
    expect(checks).toHaveLength(40)
    expect(checks).toEqual(texts.map((_, n) => expect.objectContaining({ externalId: `${n}`, issues: [] })))
  })
})

/** Holds the process for that many milliseconds. */
function spin(milliseconds: number): true {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
  return true
}

onPostgres((opened) => {
  beforeEach(() => resetCompany(opened.db))

  /** Its kind is told by itself, not by its type. */
  function appWith(schema: SchemaLike, options: { onInvalid?: 'keep-valid' } = {}, chunkSize = 1000): TestApp {
    const integration: Integration = defineIntegration({
      name: 'organization',
      schema: schema as JsonSchema,
      key: 'ms_id',
      target: (t) => t.table('public.organization', { key: 'ms_id', columns: { title: 'title' } }),
      ...options,
    })
    return createTestApp(opened.db, [integration], { chunkSize })
  }

  const objects = [{ ms_id: 'o-1', title: 'aaa' }, { ms_id: 'o-2', title: 'aa' }, hostile, { ms_id: 'o-4', title: 'a' }]

  test.each(Object.entries(schemas))(
    '%s: the message is kept at -1, says which object it was, and the next one is taken',
    async (_, schema) => {
      const app = appWith(schema)
      const refused = await problem(
        await app.call('POST', '/api/integrations/organization/messages', { body: objects }),
        422,
        'validation_timeout',
      )
      expect(refused).toMatchObject({ errors: [{ pointer: '/2', code: 'validation_timeout' }], errorCount: 1 })
      expect(await app.rows('SELECT status, total FROM sluice.message')).toEqual([{ status: -1, total: null }])
      const body = await app.call('GET', `/api/messages/${refused.id}/body`)
      expect(await body.json()).toEqual(objects)
      expect((await app.call('POST', '/api/integrations/organization/messages', { body: [objects[0]] })).status).toBe(202)
    },
  )

  test('what takes a JSON Schema the square of the elements is stopped, too', async () => {
    const app = appWith({ type: 'object', properties: { list: { type: 'array', uniqueItems: true } } })
    const body = { ms_id: 'o-1', list: Array.from({ length: 40_000 }, (_, n) => ({ n })) }
    await problem(await app.call('POST', '/api/integrations/organization/messages', { body }), 422, 'validation_timeout')
  })

  test.each([
    ['where the valid ones go on', { onInvalid: 'keep-valid' } as const, 1000],
    ['of a message that is split as it comes', {}, 2],
  ])('the message is refused whole %s', async (_, options, chunkSize) => {
    const app = appWith(schemas['JSON Schema'] as SchemaLike, options, chunkSize)
    await problem(await app.call('POST', '/api/integrations/organization/messages', { body: objects }), 422, 'validation_timeout')
    expect(await app.rows('SELECT status FROM sluice.message')).toEqual([{ status: -1 }])
    expect(await app.rows('SELECT FROM sluice.instance')).toEqual([])
  })
})
