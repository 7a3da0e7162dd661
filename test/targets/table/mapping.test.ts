/** Mappings that are wrong in themselves, and mappings that the database doesn't fit. */
import { describe, expect, test } from 'vitest'
import type { TargetBuilder } from '../../../src/targets/builder.ts'
import type { TargetSpec } from '../../../src/targets/target.ts'
import { onBoth } from '../../support/both.ts'
import { declare, type Loose } from '../support.ts'

type Declared = (t: TargetBuilder<Loose>) => TargetSpec
/** A mapping as plain JavaScript may write it. */
const loose =
  (mapping: Loose): Declared =>
  (t) =>
    t.table('employee', mapping)

describe('a mapping that is wrong', () => {
  test.each<[string, Declared, string]>([
    ['no mapping', loose(null), 'table "employee": must be an object'],
    [
      'an unknown option',
      loose({ key: 'id', colums: {} }),
      'table "employee": unknown option "colums"; there are key, columns, sets, onDelete, deletedUnknown',
    ],
    ['no key', loose({ columns: {} }), '"key" must name the column'],
    ['no columns', loose({ key: 'id' }), 'columns: must be an object of columns'],
    ['no source', loose({ key: 'id', columns: { a: undefined } }), 'columns, "a": a source is a field, a function, a constant'],
    ['an empty path', loose({ key: 'id', columns: { a: '' } }), `an empty text is t.constant('')`],
    ['a reference without a field', (t) => t.table('employee', { key: 'id', columns: { a: t.ref('b') } }), 't.ref needs the field'],
    ['the key among the columns', loose({ key: 'id', columns: { id: 'id' } }), 'the key column "id" holds the external ID'],
    [
      'an unknown option of a set',
      loose({ key: 'id', columns: {}, sets: { s: { owner: 'o', rows: 'r', column: {} } } }),
      'sets, "s": unknown option "column"',
    ],
    [
      'a set without an owner',
      loose({ key: 'id', columns: {}, sets: { s: { rows: 'r', columns: { a: 'a' } } } }),
      'sets, "s": "owner" must name',
    ],
    [
      'a set without rows',
      loose({ key: 'id', columns: {}, sets: { s: { owner: 'o', columns: { a: 'a' } } } }),
      '"rows" must be a field that holds an array',
    ],
    [
      'a set without columns',
      loose({ key: 'id', columns: {}, sets: { s: { owner: 'o', rows: 'r', columns: {} } } }),
      '"columns" names no column',
    ],
    [
      'a set that writes its owner',
      loose({ key: 'id', columns: {}, sets: { s: { owner: 'o', rows: 'r', columns: { o: 'a' } } } }),
      'the owner column "o" is filled by itself',
    ],
    [
      'a set with a stamp',
      (t) => t.table('employee', { key: 'id', columns: {}, sets: { s: { owner: 'o', rows: 'r', columns: { at: t.now() } } } }),
      `t.now() can't identify a row`,
    ],
    [
      'a set of the name of a column',
      loose({ key: 'id', columns: { s: 's' }, sets: { s: { owner: 'o', rows: 'r', columns: { a: 'a' } } } }),
      'write the set\'s table with its schema, such as "public.s"',
    ],
    [
      'a set with two deferred references',
      (t) => {
        const ref = t.ref('b', 'c', { missing: 'defer' })
        return t.table('employee', { key: 'id', columns: {}, sets: { s: { owner: 'o', rows: 'r', columns: { a: ref, b: ref } } } })
      },
      'only one reference of a row may be deferred',
    ],
    ['a deletion by nothing', loose({ key: 'id', columns: {}, onDelete: {} }), '"onDelete" names no column'],
    ['a deletion by null', loose({ key: 'id', columns: {}, onDelete: { a: null } }), `null can't say that a row is deleted`],
    [
      'a deletion by another word',
      loose({ key: 'id', columns: {}, onDelete: 'remove' }),
      '"onDelete" must be "delete" or an object of columns',
    ],
    [
      'a deletion by a reference',
      (t) => t.table('employee', { key: 'id', columns: {}, onDelete: { a: t.ref('b', 'c') } }),
      `a reference can't say`,
    ],
    [
      'a deletion by a column of the object',
      loose({ key: 'id', columns: { a: 'a' }, onDelete: { a: 'b' } }),
      '"a" stands in "columns" and in "onDelete"',
    ],
    [
      'a wrong deletedUnknown',
      loose({ key: 'id', columns: {}, deletedUnknown: 'delete' }),
      '"deletedUnknown" must be "ignore" or "create"',
    ],
    ['deletedUnknown without onDelete', loose({ key: 'id', columns: {}, deletedUnknown: 'create' }), 'needs "onDelete" with columns'],
    [
      'a reference with an unknown option',
      (t) => t.table('employee', { key: 'id', columns: { a: t.ref('b', 'c', { misssing: 'wait' } as object) } }),
      't.ref("b", …): unknown option "misssing"',
    ],
    [
      'a reference with another word',
      (t) => t.table('employee', { key: 'id', columns: { a: t.ref('b', 'c', { missing: 'skip' } as object) } }),
      '"missing" must be "wait" or "defer"',
    ],
    [
      'a reference to nothing',
      (t) => t.table('employee', { key: 'id', columns: { a: t.ref({ table: 'x' } as Loose, 'c') } }),
      `must be an integration's name or { table, key }`,
    ],
    [
      'both kinds of handlers',
      (t) => t.handler({ apply: () => 'updated', applyMany: () => 'updated' } as Loose),
      'either "apply" or "applyMany"',
    ],
    ['a handler of another name', (t) => t.handler({ aply: () => 'updated' } as Loose), 'handler: unknown option "aply"'],
  ])('%s', (_, declared, message) => {
    expect(() => declare(declared)).toThrow(expect.objectContaining({ code: 'invalid_config', message: expect.stringContaining(message) }))
  })
})

test('a mapping tells what it refers to, whether it needs callbacks, and what it is', () => {
  const spec = declare((t) =>
    t.table('organization', {
      key: 'ms_id',
      columns: {
        title: 'title',
        phone: (o) => o.phone,
        kind: t.constant('x'),
        district_id: t.ref({ table: 'district', key: 'ms_id' }, 'district'),
        at: t.now(),
      },
      sets: {
        organization_area: {
          owner: 'organization_id',
          rows: 'areas',
          columns: { area_id: t.ref('area', undefined, { missing: 'defer' }) },
        },
      },
      onDelete: { deleted_at: 'deleted_at' },
    }),
  )
  expect(spec).toMatchObject({ kind: 'table', handlesDeletion: true, needsOutput: true })
  expect(spec.references).toEqual([
    { field: 'district_id', wanted: { table: 'district', key: 'ms_id' }, missing: 'wait' },
    { field: 'organization_area', wanted: { integration: 'area' }, missing: 'defer' },
  ])
  expect(JSON.parse(JSON.stringify(spec.describe()))).toEqual({
    table: 'organization',
    key: 'ms_id',
    columns: {
      title: { field: 'title' },
      phone: { function: true },
      kind: { constant: 'x' },
      district_id: { ref: { table: 'district', key: 'ms_id' }, field: 'district', missing: 'wait' },
      at: { now: true },
    },
    sets: {
      organization_area: {
        owner: 'organization_id',
        rows: { field: 'areas' },
        columns: { area_id: { ref: 'area', field: null, missing: 'defer' } },
      },
    },
    onDelete: { deleted_at: { field: 'deleted_at' } },
    deletedUnknown: 'ignore',
  })
  // Functions of a set's columns get rows, which come from the source here.
  const rowsOnly = declare((t) =>
    t.table('x', { key: 'id', columns: { a: 'a' }, sets: { s: { owner: 'o', rows: 'r', columns: { b: () => 1 } } } }),
  )
  expect(rowsOnly).toMatchObject({ needsOutput: false, handlesDeletion: false })
})

onBoth((opened) => {
  test('a database that does not fit says what to do', async () => {
    await opened.db.exec(`
      CREATE TABLE public.fit (
        id integer GENERATED ALWAYS AS IDENTITY, plain text, partly text, late text UNIQUE DEFERRABLE, good text UNIQUE, made text GENERATED ALWAYS AS ('x') STORED, flag text NOT NULL);
      CREATE UNIQUE INDEX ON public.fit (partly) WHERE partly <> '';
      CREATE UNIQUE INDEX ON public.fit (plain, partly);
      CREATE UNIQUE INDEX ON public.fit (lower(plain));
      CREATE VIEW public.fit_view AS SELECT * FROM public.fit`)
    const problem = (declared: Declared): Promise<unknown> =>
      declare(declared)
        .prepare(opened.db, 'thing')
        .then(
          () => 'fits',
          (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
        )
    const keyed =
      (key: string, columns = {}): Declared =>
      (t) =>
        t.table('fit', { key, columns })
    expect(await problem(keyed('good'))).toBe('fits')
    for (const key of ['plain', 'partly', 'late']) {
      expect(await problem(keyed(key))).toContain(`target_mismatch: column "${key}" of table "fit" needs a unique index`)
      expect(await problem(keyed(key))).toContain(`CREATE UNIQUE INDEX ON "public"."fit" ("${key}")`)
    }
    expect(await problem((t) => t.table('fit_view', { key: 'good', columns: {} }))).toContain('needs a unique index')
    expect(await problem((t) => t.table('nowhere', { key: 'a', columns: {} }))).toContain('target_mismatch: there is no table "nowhere"')
    expect(await problem((t) => t.table('other.fit', { key: 'good', columns: {} }))).toContain('there is no table "other.fit"')
    expect(await problem(keyed('good', { nope: 'a' }))).toContain(
      'table "fit" has no column "nope". It has: id, plain, partly, late, good, made, flag.',
    )
    expect(await problem(keyed('good', { made: 'a' }))).toContain('column "made" of table "fit" is generated')
    expect(await problem(keyed('good', { id: 'a' }))).toContain('column "id" of table "fit" is generated')
    expect(await problem((t) => t.table('fit', { key: 'good', columns: {}, onDelete: { flag: 'deleted' } }))).toContain(
      'has no default: nothing could say that a row is there again',
    )
    expect(
      await problem((t) => t.table('fit', { key: 'good', columns: {}, sets: { nowhere: { owner: 'o', rows: 'r', columns: { a: 'a' } } } })),
    ).toContain('there is no table "nowhere"')
  })
})
