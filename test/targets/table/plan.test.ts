/** Planning: which fields an object carries, what it refers to, and what can't be mapped. */
import { expect, test } from 'vitest'
import type { Plan } from '../../../src/targets/target.ts'
import { onBoth } from '../../support/both.ts'
import { type Bench, benchOf } from '../support.ts'

onBoth((opened) => {
  const errorOf = (work: () => Plan): unknown => {
    try {
      return work().fields
    } catch (error) {
      return error
    }
  }

  let made: Promise<Bench> | undefined
  const bench = () => {
    made ??= benchOf(
      opened.db,
      `CREATE TABLE public.plan (ms_id text PRIMARY KEY, a text, b text, j jsonb, other_id bigint, at timestamptz, c integer);
       CREATE TABLE public.plan_link (plan_id text, to_id bigint, kind text);
       CREATE TABLE public.plan_tag (plan_id text, tag text)`,
      (t) =>
        t.table('plan', {
          key: 'ms_id',
          columns: { a: 'x.a', b: (o) => o.b?.(), j: 'j', other_id: t.ref('other', 'x.other'), at: t.now(), c: 1 },
          sets: {
            plan_link: { owner: 'plan_id', rows: 'links', columns: { to_id: t.ref('other', 'to', { missing: 'defer' }), kind: 'kind' } },
            plan_tag: { owner: 'plan_id', rows: (o) => o.tags, columns: { tag: (row) => row } },
          },
        }),
    )
    return made
  }

  test('a field is carried where its path leads somewhere, null included', async () => {
    const { target, plan } = await bench()
    expect(target.fields).toEqual(['a', 'b', 'j', 'other_id', 'c', 'plan_link', 'plan_tag'])
    expect(plan({ id: 1 }).fields).toEqual(['c'])
    expect(plan({ id: 1, x: null }).fields).toEqual(['c'])
    expect(plan({ id: 1, x: { a: null, other: null }, links: null, tags: null })).toMatchObject({
      fields: ['a', 'other_id', 'c', 'plan_link', 'plan_tag'],
      references: [],
    })
    expect(plan({ id: 1, links: [], tags: [] }).fields).toEqual(['c', 'plan_link', 'plan_tag'])
  })

  test('references are told with what they need; digits are exact', async () => {
    const { plan } = await bench()
    const text = '{"id":1,"x":{"other":12345678901234567890},"links":[{"to":"b","kind":"k"},{"to":3},{"kind":"none"}]}'
    expect(plan(text).references).toEqual([
      { field: 'other_id', wanted: { integration: 'other' }, wantedId: '12345678901234567890', missing: 'wait' },
      {
        field: 'plan_link',
        wanted: { integration: 'other' },
        wantedId: 'b',
        missing: 'defer',
        details: { column: 'to_id', row: { kind: 'k' } },
      },
      {
        field: 'plan_link',
        wanted: { integration: 'other' },
        wantedId: '3',
        missing: 'defer',
        details: { column: 'to_id', row: { kind: null } },
      },
    ])
  })

  test.each([
    [{ x: { other: 1.5 } }, 'invalid_reference', '/3/x/other', 'other_id'],
    [{ x: { other: {} } }, 'invalid_reference', '/3/x/other', 'other_id'],
    [{ x: { other: true } }, 'invalid_reference', '/3/x/other', 'other_id'],
    [{ links: [{ to: 1 }, { to: [1] }] }, 'invalid_reference', '/3/links/1/to', 'plan_link.to_id'],
    [{ links: 'x' }, 'invalid_set', '/3/links', 'plan_link'],
    [{ tags: { a: 1 } }, 'invalid_set', undefined, 'plan_tag'],
    [{ x: { a: 'nul \u0000' } }, 'unstorable_text', '/3/x/a', 'a'],
    [{ x: { a: '\ud83d' } }, 'unstorable_text', '/3/x/a', 'a'],
    [{ x: { other: '\udc00' } }, 'unstorable_text', '/3/x/other', 'other_id'],
    [{ links: [{ kind: '\u0000' }] }, 'unstorable_text', '/3/links/0/kind', 'plan_link.kind'],
    [{ j: { deep: ['\u0000'] } }, 'unstorable_text', '/3/j/deep/0', 'j'],
  ])('%j is %s', async (value, code, pointer, column) => {
    const { plan } = await bench()
    const thrown = errorOf(() => plan(JSON.stringify({ id: 1, ...value }), { ordinal: 3 }))
    expect(thrown).toMatchObject({ name: 'ObjectError', code, column })
    expect((thrown as { pointer?: string }).pointer).toBe(pointer)
  })

  test('what a text hides in JSON is no trouble where nothing maps it', async () => {
    const { plan } = await bench()
    expect(plan({ id: 1, unmapped: '\u0000' }).fields).toEqual(['c'])
  })

  test('functions: what they throw, promise or cut is the object’s error', async () => {
    const sql = (name: string) => `CREATE TABLE public.${name} (ms_id text PRIMARY KEY, a text, j jsonb)`
    const failing = async (name: string, a: (o: { name: string }) => unknown) => {
      const made = await benchOf(opened.db, sql(name), (t) => t.table(name, { key: 'ms_id', columns: { a } }))
      return errorOf(() => made.plan({ id: 1, name: 'abc😀' }))
    }
    expect(
      await failing('throws', () => {
        throw new Error('no name')
      }),
    ).toMatchObject({ code: 'mapping_failed', message: expect.stringContaining('"a" threw an error: no name') })
    expect(
      await failing('promises', async () => {
        throw new Error('left alone')
      }),
    ).toMatchObject({ code: 'mapping_failed', message: expect.stringContaining('asynchronous') })
    expect(await failing('cuts', (o) => o.name.slice(0, 4))).toMatchObject({ code: 'unstorable_text' })
    expect(await failing('returns', () => () => 1)).toMatchObject({ code: 'invalid_value' })
    const circle: Record<string, unknown> = {}
    circle.self = circle
    expect(await failing('circles', () => circle)).toMatchObject({ code: 'invalid_value' })
  })
})
