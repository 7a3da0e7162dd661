/** Sets: the rows in the message replace the rows in the table. */
import { expect, test } from 'vitest'
import { onBoth } from '../../support/both.ts'
import { benchOf } from '../support.ts'

const known = { isKnown: true } as const

onBoth((opened) => {
  test('a column keeps the last zeros of a decimal, and a function of a row gets a number', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.bill (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE);
       CREATE TABLE public.bill_line (bill_id bigint REFERENCES public.bill, price text, total numeric)`,
      (t) =>
        t.table('bill', {
          key: 'ms_id',
          columns: {},
          sets: {
            bill_line: {
              owner: 'bill_id',
              rows: 'lines',
              columns: { price: 'price', total: (row) => (row as { price: number }).price + (row as { fee: number }).fee },
            },
          },
        }),
    )
    await bench.one('{"id":"a","lines":[{"price":1.50,"fee":2},{"price":3.0,"fee":0.25}]}')
    expect(await bench.rows('SELECT price, total::text FROM public.bill_line ORDER BY 1')).toEqual([
      { price: '1.50', total: '3.5' },
      { price: '3.0', total: '3.25' },
    ])
  })

  test('rows are added, removed and left alone; an object without the field keeps its rows', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.org (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE, name text, at timestamptz);
       CREATE TABLE public.org_area (org_id bigint REFERENCES public.org, area_id bigint, PRIMARY KEY (org_id, area_id))`,
      (t) =>
        t.table('org', {
          key: 'ms_id',
          columns: { name: 'name', at: t.now() },
          sets: { org_area: { owner: 'org_id', rows: 'areas', columns: { area_id: t.ref('area') } } },
        }),
    )
    expect(bench.target.fields).toEqual(['name', 'org_area'])
    const rows = () =>
      bench.rows(
        'SELECT o.ms_id, s.area_id::integer AS area, s.xmin::text FROM public.org_area s JOIN public.org o ON o.id = s.org_id ORDER BY 1, 2',
      )
    const created = await bench.many([{ id: 'a', areas: [3, 1, 2, 1] }, { id: 'b', areas: [1] }, { id: 'c' }, { id: 'd', areas: null }])
    expect(created).toEqual(['1', '2', '3', '4'].map((ref) => ({ outcome: 'created', ref })))
    const first = await rows()
    expect(first).toMatchObject([
      { ms_id: 'a', area: 1 },
      { ms_id: 'a', area: 2 },
      { ms_id: 'a', area: 3 },
      { ms_id: 'b', area: 1 },
    ])
    await opened.db.query(`UPDATE public.org SET at = '2020-01-01'`)
    expect(await bench.many([{ id: 'a', areas: [1, 2, 3] }, { id: 'b' }, { id: 'c', areas: [] }], known)).toEqual(
      ['1', '2', '3'].map((ref) => ({ outcome: 'unchanged', ref })),
    )
    expect(await rows()).toEqual(first)
    expect(
      await bench.many(
        [
          { id: 'a', areas: ['2', 4] },
          { id: 'b', areas: null },
          { id: 'c', areas: [] },
        ],
        known,
      ),
    ).toEqual([
      { outcome: 'updated', ref: '1', changes: { org_area: { added: [{ area_id: 4 }], removed: [{ area_id: 1 }, { area_id: 3 }] } } },
      { outcome: 'updated', ref: '2', changes: { org_area: { added: [], removed: [{ area_id: 1 }] } } },
      { outcome: 'unchanged', ref: '3' },
    ])
    expect(await rows()).toMatchObject([
      { ms_id: 'a', area: 2 },
      { ms_id: 'a', area: 4 },
    ])
    // A set's change is a change of its owner: the stamp moves, and only there.
    expect(await bench.rows(`SELECT ms_id FROM public.org WHERE at > '2021-01-01' ORDER BY 1`)).toEqual([{ ms_id: 'a' }, { ms_id: 'b' }])
  })

  test('a row is its owner with all of its columns, null and types without equality included', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.contact (ms_id text PRIMARY KEY);
       CREATE TABLE public.contact_way (contact_id text REFERENCES public.contact, kind text, value varchar(20), extra json, place point, rank numeric(4,1) NOT NULL)`,
      (t) =>
        t.table('contact', {
          key: 'ms_id',
          columns: {},
          sets: {
            contact_way: {
              owner: 'contact_id',
              rows: (o) => o.ways,
              columns: { kind: 'kind.name', value: (row: { value?: string }) => row.value, extra: 'extra', place: 'place', rank: 1 },
            },
          },
        }),
    )
    const ways = [
      { kind: { name: 'mail' }, value: 'a@b', extra: { b: 1, a: 2 }, place: '(1,2)' },
      { kind: { name: 'mail' }, value: 'a@b', extra: { a: 2, b: 1 }, place: '(1,2)' },
      { kind: { name: 'mail' } },
      { value: 'a@b' },
    ]
    await bench.one({ id: 'a', ways })
    expect(await bench.rows('SELECT kind, value FROM public.contact_way ORDER BY kind, value')).toEqual([
      { kind: 'mail', value: 'a@b' },
      { kind: 'mail', value: null },
      { kind: null, value: 'a@b' },
    ])
    expect(await bench.one({ id: 'a', ways }, known)).toMatchObject({ outcome: 'unchanged' })
    expect(await bench.one({ id: 'a', ways: [{ kind: { name: 'Mail' } }] }, known)).toMatchObject({
      outcome: 'updated',
      changes: { contact_way: { added: [{ kind: 'Mail', value: null, extra: null, place: null, rank: 1 }], removed: [{}, {}, {}] } },
    })
  })

  test('a row may take the place of another under a unique index', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.team (ms_id text PRIMARY KEY);
       CREATE TABLE public.member (team text REFERENCES public.team, place integer, name text, UNIQUE (team, place))`,
      (t) =>
        t.table('team', {
          key: 'ms_id',
          columns: {},
          sets: { member: { owner: 'team', rows: 'members', columns: { place: 'p', name: 'n' } } },
        }),
    )
    await bench.one({
      id: 'a',
      members: [
        { p: 1, n: 'x' },
        { p: 2, n: 'y' },
      ],
    })
    await bench.one(
      {
        id: 'a',
        members: [
          { p: 1, n: 'y' },
          { p: 2, n: 'x' },
        ],
      },
      known,
    )
    expect(await bench.rows('SELECT place, name FROM public.member ORDER BY 1')).toEqual([
      { place: 1, name: 'y' },
      { place: 2, name: 'x' },
    ])
    await expect(
      bench.one(
        {
          id: 'a',
          members: [
            { p: 1, n: 'y' },
            { p: 1, n: 'x' },
          ],
        },
        known,
      ),
    ).rejects.toMatchObject({ sqlstate: '23505' })
  })

  test('the owner column holds what its foreign key points at', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.firm (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE, code uuid UNIQUE DEFAULT '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b');
       CREATE TABLE public.firm_tag (firm uuid REFERENCES public.firm (code), tag text);
       CREATE TABLE public.firm_note (firm bigint REFERENCES public.firm, note text)`,
      (t) =>
        t.table('firm', {
          key: 'ms_id',
          columns: { code: 'code' },
          sets: {
            firm_tag: { owner: 'firm', rows: 'tags', columns: { tag: (row) => row } },
            firm_note: { owner: 'firm', rows: 'tags', columns: { note: (row) => row } },
          },
        }),
    )
    await bench.one({ id: 'a', tags: ['x'] })
    await bench.one({ id: 'a', tags: ['x', 'y'] }, known)
    expect(
      await bench.rows(
        'SELECT t.firm::text, t.tag, n.note FROM public.firm f JOIN public.firm_tag t ON t.firm = f.code JOIN public.firm_note n ON n.firm = f.id AND n.note = t.tag ORDER BY 2',
      ),
    ).toEqual([
      { firm: '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', tag: 'x', note: 'x' },
      { firm: '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', tag: 'y', note: 'y' },
    ])
    await expect(bench.one({ id: 'b', code: null, tags: ['x'] })).rejects.toMatchObject({
      index: 0,
      cause: { code: 'no_owner', column: 'code' },
    })
  })

  test('rows that an owner left behind go when it comes again, where no foreign key took them along', async () => {
    const bench = await benchOf(
      opened.db,
      'CREATE TABLE public.loose (ms_id text PRIMARY KEY); CREATE TABLE public.loose_tag (loose text, tag text)',
      (t) =>
        t.table('loose', {
          key: 'ms_id',
          columns: {},
          sets: { loose_tag: { owner: 'loose', rows: 'tags', columns: { tag: (row) => row } } },
        }),
    )
    await bench.one({ id: 'a', tags: ['x', 'y'] })
    await opened.db.exec('DELETE FROM public.loose')
    await bench.one({ id: 'a', tags: ['y', 'z'] })
    expect(await bench.rows('SELECT tag FROM public.loose_tag ORDER BY 1')).toEqual([{ tag: 'y' }, { tag: 'z' }])
  })

  test('a set of many rows is replaced in no more than two statements', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.big (ms_id text PRIMARY KEY);
       CREATE TABLE public.big_row (big text REFERENCES public.big, n integer NOT NULL, PRIMARY KEY (big, n))`,
      (t) => t.table('big', { key: 'ms_id', columns: {}, sets: { big_row: { owner: 'big', rows: 'rows', columns: { n: (row) => row } } } }),
    )
    const numbers = (from: number) => Array.from({ length: 5000 }, (_, index) => from + index)
    const objects = (from: number) => ['a', 'b', 'c'].map((id) => ({ id, rows: numbers(from) }))
    await bench.many(objects(0))
    expect(bench.statements).toHaveLength(2)
    const [result] = await bench.many(objects(10), known)
    expect(bench.statements).toHaveLength(3)
    expect(result).toMatchObject({ changes: { big_row: { added: { length: 10 }, removed: { length: 10 } } } })
    expect(await bench.rows('SELECT big, count(*)::integer AS n, min(n) AS first FROM public.big_row GROUP BY 1 ORDER BY 1')).toEqual(
      ['a', 'b', 'c'].map((big) => ({ big, n: 5000, first: 10 })),
    )
  })
})
