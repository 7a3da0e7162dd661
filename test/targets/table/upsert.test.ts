/** Rows of objects: created, updated where they differ, left alone where they don't. */
import { expect, test } from 'vitest'
import { AtItem } from '../../../src/targets/target.ts'
import { onBoth, onPostgres } from '../../support/both.ts'
import { benchOf, itemOf } from '../support.ts'

onBoth((opened) => {
  test('an object is created, updated where it differs, and left alone where it does not', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.basic (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE, name text, age integer)`,
      (t) => t.table('basic', { key: 'ms_id', columns: { name: 'person.name', age: (o) => o.age } }),
    )
    const rows = () => bench.rows('SELECT id::text, ms_id, name, age, xmin::text FROM public.basic')
    expect(await bench.one({ id: 'a', person: { name: 'Ada' }, age: 36 })).toEqual({ outcome: 'created', ref: '1' })
    const [created] = await rows()
    expect(created).toMatchObject({ id: '1', ms_id: 'a', name: 'Ada', age: 36 })

    expect(await bench.one({ id: 'a', person: { name: 'Ada' }, age: 36 })).toEqual({ outcome: 'unchanged', ref: '1' })
    expect(await rows()).toEqual([created])

    expect(await bench.one({ id: 'a', person: { name: 'Ada L.' }, age: 36 })).toEqual({
      outcome: 'updated',
      ref: '1',
      changes: { name: { before: 'Ada', after: 'Ada L.' } },
    })
    expect(await rows()).toMatchObject([{ name: 'Ada L.', age: 36 }])
  })

  test('a field that an object lacks is left as it is, and gets its default in a new row', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.partial (ms_id text PRIMARY KEY, a text DEFAULT 'default', b text, n integer NOT NULL DEFAULT 7)`,
      (t) => t.table('partial', { key: 'ms_id', columns: { a: 'a', b: 'deep.b', n: (o) => o.n } }),
    )
    const values = [{ id: '1', a: 'x' }, { id: '2', deep: { b: 'y' }, n: 1 }, { id: '3' }, { id: '4', a: null, deep: { b: null } }]
    expect(await bench.many(values)).toEqual(['1', '2', '3', '4'].map((ref) => ({ outcome: 'created', ref })))
    const rows = () => bench.rows('SELECT * FROM public.partial ORDER BY ms_id')
    expect(await rows()).toEqual([
      { ms_id: '1', a: 'x', b: null, n: 7 },
      { ms_id: '2', a: 'default', b: 'y', n: 1 },
      { ms_id: '3', a: 'default', b: null, n: 7 },
      { ms_id: '4', a: null, b: null, n: 7 },
    ])
    expect(await bench.many([{ id: '1', n: 2 }, { id: '2', a: 'new' }, { id: '3' }, { id: '4', a: 'set' }])).toMatchObject([
      { outcome: 'updated', changes: { n: { before: 7, after: 2 } } },
      { outcome: 'updated', changes: { a: { before: 'default', after: 'new' } } },
      { outcome: 'unchanged' },
      { outcome: 'updated', changes: { a: { before: null, after: 'set' } } },
    ])
    expect(await rows()).toEqual([
      { ms_id: '1', a: 'x', b: null, n: 2 },
      { ms_id: '2', a: 'new', b: 'y', n: 1 },
      { ms_id: '3', a: 'default', b: null, n: 7 },
      { ms_id: '4', a: 'set', b: null, n: 7 },
    ])
  })

  test('only the fields that an older version may supply are written', async () => {
    const bench = await benchOf(opened.db, `CREATE TABLE public.older (ms_id text PRIMARY KEY, a text, b text)`, (t) =>
      t.table('older', { key: 'ms_id', columns: { a: 'a', b: 'b' } }),
    )
    await bench.one({ id: '1', a: 'new' })
    expect(await bench.one({ id: '1', a: 'old', b: 'old' }, { deletion: 'keep', fields: ['b'], isKnown: true })).toMatchObject({
      outcome: 'updated',
      changes: { b: { before: null, after: 'old' } },
    })
    expect(await bench.rows('SELECT a, b FROM public.older')).toEqual([{ a: 'new', b: 'old' }])
    expect(await bench.one({ id: '2', b: 'old' }, { deletion: 'keep' })).toEqual({ outcome: 'superseded' })
    expect(await bench.rows('SELECT FROM public.older')).toHaveLength(1)
  })

  test('constants, texts that are no fields, and the time of a change', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.stamped (ms_id text PRIMARY KEY, a text, source text, rank integer, flag boolean, nothing text, at timestamptz, day date)`,
      (t) =>
        t.table('stamped', {
          key: 'ms_id',
          columns: { a: 'a', source: t.constant('hr'), rank: 3, flag: true, nothing: null, at: t.now(), day: t.now() },
        }),
    )
    expect(bench.target.fields).toEqual(['a', 'source', 'rank', 'flag', 'nothing'])
    await bench.one({ id: '1', a: 'x' })
    expect(
      await bench.rows(`SELECT source, rank, flag, nothing, at IS NOT NULL AS at, day = current_date AS day FROM public.stamped`),
    ).toEqual([{ source: 'hr', rank: 3, flag: true, nothing: null, at: true, day: true }])
    await opened.db.query(`UPDATE public.stamped SET at = '2020-01-01T00:00:00Z'`)
    expect(await bench.one({ id: '1', a: 'x' })).toMatchObject({ outcome: 'unchanged' })
    expect(await bench.rows('SELECT at FROM public.stamped')).toEqual([{ at: '2020-01-01T00:00:00Z' }])
    const result = await bench.one({ id: '1', a: 'y' })
    expect(result).toMatchObject({ outcome: 'updated', changes: { a: { before: 'x', after: 'y' } } })
    expect(Object.keys('changes' in result ? (result.changes ?? {}) : {})).toEqual(['a'])
    expect(await bench.rows(`SELECT at > '2020-01-02' AS later FROM public.stamped`)).toEqual([{ later: true }])
  })

  test('names are quoted whatever they are; values stay values', async () => {
    const table = `od"d; DROP TABLE x`
    const column = `co"l'umn $1 -- `
    const bench = await benchOf(
      opened.db,
      `CREATE SCHEMA "Sch ema"; CREATE TABLE "Sch ema"."od""d; DROP TABLE x" ("Key ""1""" text PRIMARY KEY, "co""l'umn $1 -- " text, "select" text, " "" " text)`,
      (t) =>
        t.table(`Sch ema.${table}`, {
          key: 'Key "1"',
          columns: { [column]: 'v', select: 'w' },
          onDelete: { ' " ': t.constant(`it's \\ gone`) },
        }),
    )
    const value = `'); DROP TABLE public.x; -- " \\ {a,b} NULL \n\t$1 ${'é漢😀'}`
    expect(await bench.one({ id: value, v: value, w: 'NULL' }).catch((error: unknown) => error)).toMatchObject({
      outcome: 'created',
      ref: value,
    })
    expect(await bench.one({ id: value, v: '{"a"}' })).toMatchObject({ changes: { [column]: { before: value, after: '{"a"}' } } })
    expect(await bench.one({ id: value }, { deletion: 'deleted', isKnown: true })).toMatchObject({ outcome: 'deleted' })
    expect(await bench.rows(`SELECT * FROM "Sch ema"."od""d; DROP TABLE x"`)).toEqual([
      { 'Key "1"': value, [column]: '{"a"}', select: 'NULL', ' " ': `it's \\ gone` },
    ])
  })

  test('references are the primary key where it is one column, else the key column', async () => {
    const declared = (name: string) => (t: Parameters<Parameters<typeof benchOf>[2]>[0]) => t.table(name, { key: 'ms_id', columns: {} })
    const uuid = await benchOf(
      opened.db,
      `CREATE TABLE public.by_uuid (id uuid PRIMARY KEY DEFAULT '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', ms_id text UNIQUE)`,
      declared('by_uuid'),
    )
    expect(await uuid.one({ id: 'a' })).toEqual({ outcome: 'created', ref: '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b' })
    const pair = await benchOf(
      opened.db,
      `CREATE TABLE public.by_pair (a integer DEFAULT 1, b integer DEFAULT 2, ms_id text UNIQUE, PRIMARY KEY (a, b))`,
      declared('by_pair'),
    )
    expect(await pair.one({ id: 'a' })).toEqual({ outcome: 'created', ref: 'a' })
    expect(await pair.one({ id: 'a' })).toEqual({ outcome: 'unchanged', ref: 'a' })
  })

  test('a thousand objects are a handful of statements, however they differ', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.many (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE, a text, b text, at timestamptz);
       CREATE TABLE public.many_tag (many_id bigint REFERENCES public.many, tag text, PRIMARY KEY (many_id, tag))`,
      (t) =>
        t.table('many', {
          key: 'ms_id',
          columns: { a: 'a', b: 'b', at: t.now() },
          sets: { many_tag: { owner: 'many_id', rows: 'tags', columns: { tag: 'tag' } } },
        }),
    )
    const objects = (a: string) =>
      Array.from({ length: 1000 }, (_, index) => ({ id: `o${index}`, a, b: 'b', tags: [{ tag: a }, { tag: 'all' }] }))
    expect(await bench.many(objects('1'))).toHaveLength(1000)
    expect(bench.statements.length).toBeLessThanOrEqual(2)

    await bench.many(objects('1'))
    expect(bench.statements.length).toBeLessThanOrEqual(4)

    const known = { isKnown: true }
    const results = await bench.many(objects('1'), known)
    expect(new Set(results.map((result) => ('outcome' in result ? result.outcome : 'failed')))).toEqual(new Set(['unchanged']))
    expect(bench.statements.length).toBeLessThanOrEqual(3)

    const changed = await bench.many(objects('2'), known)
    expect(changed[999]).toMatchObject({ outcome: 'updated', changes: { a: { before: '1', after: '2' } } })
    expect(bench.statements.length).toBeLessThanOrEqual(4)

    // Every object carries something else: one statement still compares and writes them all.
    const mixed = objects('3').map(({ id, a, b }, index) => ({
      id,
      ...(index % 2 === 0 ? { a } : {}),
      ...(index % 3 === 0 ? { b: `${b}${index}` } : {}),
    }))
    await bench.many(mixed, known)
    expect(bench.statements.length).toBeLessThanOrEqual(2)
    expect(await bench.rows(`SELECT ms_id, a, b FROM public.many WHERE ms_id IN ('o1', 'o2', 'o3') ORDER BY 1`)).toEqual([
      { ms_id: 'o1', a: '2', b: 'b' },
      { ms_id: 'o2', a: '3', b: 'b' },
      { ms_id: 'o3', a: '2', b: 'b3' },
    ])
  })

  test('external IDs that are one value of the key column are applied one after the other', async () => {
    const bench = await benchOf(opened.db, `CREATE TABLE public.int_key (ms_id integer PRIMARY KEY, a text)`, (t) =>
      t.table('int_key', { key: 'ms_id', columns: { a: 'a' } }),
    )
    for (const isKnown of [false, true]) {
      const thrown = await bench
        .many(
          [
            { id: 5, a: 'x' },
            { id: '07', a: 'x' },
            { id: 7, a: 'y' },
          ],
          { isKnown },
        )
        .catch((error: unknown) => error)
      expect(thrown).toBeInstanceOf(AtItem)
      expect(thrown).toMatchObject({ index: 2, cause: { code: 'same_key', message: expect.stringContaining('"07" and "7"') } })
    }
    expect(await bench.rows('SELECT FROM public.int_key')).toEqual([])
  })

  test('a row that a trigger drops is an error that says so', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.dropped (ms_id text PRIMARY KEY);
       CREATE FUNCTION public.drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.ms_id = ''b'' THEN RETURN NULL; END IF; RETURN NEW; END';
       CREATE TRIGGER drop_row BEFORE INSERT ON public.dropped FOR EACH ROW EXECUTE FUNCTION public.drop_row()`,
      (t) => t.table('dropped', { key: 'ms_id', columns: {} }),
    )
    await expect(bench.many([{ id: 'a' }, { id: 'b' }])).rejects.toMatchObject({ index: 1, cause: { code: 'row_not_inserted' } })
  })

  test('a row that is there though nobody knew it is taken over', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.taken (ms_id text PRIMARY KEY, a text); INSERT INTO public.taken VALUES ('1', 'app')`,
      (t) => t.table('taken', { key: 'ms_id', columns: { a: 'a' } }),
    )
    expect(
      await bench.many([
        { id: '1', a: 'ms' },
        { id: '2', a: 'ms' },
      ]),
    ).toEqual([
      { outcome: 'updated', ref: '1', changes: { a: { before: 'app', after: 'ms' } } },
      { outcome: 'created', ref: '2' },
    ])
  })
})

onPostgres((opened) => {
  test('two transactions insert the same key: the second finds the row of the first', async () => {
    const bench = await benchOf(opened.db, `CREATE TABLE public.race (ms_id text PRIMARY KEY, a text)`, (t) =>
      t.table('race', { key: 'ms_id', columns: { a: 'a' } }),
    )
    let second: Promise<unknown> | undefined
    await opened.db.transaction(async (tx) => {
      await tx.query(`INSERT INTO public.race VALUES ('k', 'app')`)
      second = bench.apply([itemOf(bench.target, { id: 'k', a: 'ms' })])
      // The other transaction is at our row when it waits for a lock.
      for (let waiting = 0; waiting === 0; ) {
        const { rows } = await tx.query<{ n: number }>(`SELECT count(*)::integer AS n FROM pg_locks WHERE NOT granted`)
        waiting = rows[0]?.n ?? 0
      }
    })
    expect(await second).toEqual([{ outcome: 'updated', ref: 'k', changes: { a: { before: 'app', after: 'ms' } } }])
  })
})
