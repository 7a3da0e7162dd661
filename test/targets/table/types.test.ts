/** Values and column types: what a text becomes in a column, and when two values are the same. */
import { expect, test } from 'vitest'
import { onBoth } from '../../support/both.ts'
import { benchOf } from '../support.ts'

interface Case {
  type: string
  /** JSON text of the value. */
  json: string
  /** What the column holds, as text; null for null. */
  stored: string | null
  /** The value in the changes, where it isn't `stored`. */
  after?: unknown
  /** JSON of values that are the same for the column. */
  same?: string[]
  /** JSON of a value that is another one. */
  other?: string
}

const cases: Case[] = [
  { type: 'text', json: '"x"', stored: 'x', same: ['"x"'], other: '"X"' },
  { type: 'text', json: '12345678901234567890.10', stored: '12345678901234567890.10' },
  { type: 'text', json: '{"a":[1,{"b":null}],"big":12345678901234567890}', stored: '{"a":[1,{"b":null}],"big":12345678901234567890}' },
  { type: 'text', json: 'true', stored: 'true' },
  { type: 'text', json: '1.50', stored: '1.50', same: ['"1.50"'], other: '1.5' },
  { type: 'text[]', json: '[1.0,2]', stored: '{1.0,2}', after: ['1.0', '2'], other: '[1,2]' },
  { type: 'numeric', json: '-0.10', stored: '-0.10', after: -0.1, same: ['-0.1', '-0.100'], other: '0.1' },
  { type: 'json', json: '{"price":12.00}', stored: '{"price":12.00}', after: { price: 12 }, other: '{"price":12.01}' },
  { type: 'integer[]', json: '[2.0]', stored: '{2}', after: [2], same: ['[2]'], other: '[3.00]' },
  { type: 'text', json: '""', stored: '' },
  { type: 'text COLLATE public.ignores_case', json: '"a"', stored: 'a', other: '"A"' },
  { type: 'varchar(3)', json: '"abc"', stored: 'abc', same: ['"abc"'], other: '"abd"' },
  { type: 'char(5)', json: '"ab"', stored: 'ab   ', after: 'ab', same: ['"ab"', '"ab  "'], other: '"ac"' },
  { type: 'numeric(10,2)', json: '1.005', stored: '1.01', after: 1.01, same: ['1.01', '1.0100', '"1.009"', '101e-2'], other: '1.02' },
  {
    type: 'numeric',
    json: '12345678901234567890.123456789',
    stored: '12345678901234567890.123456789',
    after: 'exact',
    other: '12345678901234567890.123456788',
  },
  { type: 'integer', json: '"42"', stored: '42', after: 42, same: ['42', '42.0', '"042"'], other: '43' },
  { type: 'bigint', json: '9007199254740993', stored: '9007199254740993', after: 'exact', other: '9007199254740992' },
  { type: 'double precision', json: '0.1', stored: '0.1', after: 0.1, same: ['0.10', '1e-1'], other: '0.2' },
  { type: 'boolean', json: 'true', stored: 'true', after: true, same: ['"t"', '1', '"yes"'], other: 'false' },
  { type: 'date', json: '"2024-02-29"', stored: '2024-02-29', same: ['"2024-02-29T10:00:00Z"'], other: '"2024-03-01"' },
  {
    type: 'timestamptz(0)',
    json: '"2024-05-31T12:00:00.4+02:00"',
    stored: '2024-05-31 10:00:00+00',
    after: '2024-05-31T10:00:00+00:00',
    same: ['"2024-05-31T10:00:00Z"'],
    other: '"2024-05-31T10:00:01Z"',
  },
  { type: 'timestamp(3)', json: '"2024-05-31T12:00:00.12345"', stored: '2024-05-31 12:00:00.123', after: '2024-05-31T12:00:00.123' },
  { type: 'time(0)', json: '"12:00:00.6"', stored: '12:00:01', same: ['"12:00:01"'] },
  { type: 'interval', json: '"30 days"', stored: '30 days', other: '"1 month"' },
  { type: 'bit(3)', json: '"101"', stored: '101', same: ['"101"'], other: '"111"' },
  { type: 'bit varying(3)', json: '"10"', stored: '10', other: '"11"' },
  {
    type: 'uuid',
    json: '"6EC0BD7F-11C0-43DA-975E-2A8AD9EBAE0B"',
    stored: '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b',
    same: ['"6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b"'],
  },
  {
    type: 'json',
    json: '{"b":1,"a":"x"}',
    stored: '{"b":1,"a":"x"}',
    after: { b: 1, a: 'x' },
    same: ['{"a":"x","b":1.0}'],
    other: '{"a":"y"}',
  },
  { type: 'jsonb', json: '"a text"', stored: '"a text"', after: 'a text', same: ['"a text"'], other: '["a text"]' },
  { type: 'jsonb', json: '7', stored: '7', after: 7, other: '"7"' },
  { type: 'xml', json: '"<a/>"', stored: '<a/>', same: ['"<a/>"'], other: '"<b/>"' },
  { type: 'point', json: '"(1,2)"', stored: '(1,2)', same: ['"1,2"'], other: '"(1,3)"' },
  { type: 'box', json: '"(1,1),(0,0)"', stored: '(1,1),(0,0)', other: '"(2,2),(1,1)"' },
  { type: 'inet', json: '"10.0.0.1"', stored: '10.0.0.1/32', after: '10.0.0.1', same: ['"10.0.0.1/32"'], other: '"10.0.0.2"' },
  { type: 'bytea', json: '"\\\\x00ff"', stored: '\\x00ff' },
  { type: 'int4range', json: '"[1,3]"', stored: '[1,4)', same: ['"[1,4)"'], other: '"[1,5)"' },
  { type: 'public.mood', json: '"sad"', stored: 'sad', same: ['"sad"'], other: '"happy"' },
  { type: 'public.pair', json: '"(1,x)"', stored: '(1,x)', after: { a: 1, b: 'x' }, same: ['"(01,x)"'], other: '"(1,y)"' },
  { type: 'public.code', json: '"ab"', stored: 'ab', same: ['"ab"'], other: '"cd"' },
  { type: 'public.code2', json: '"ab"', stored: 'ab', other: '"cd"' },
  { type: 'public.amount', json: '1.005', stored: '1.01', after: 1.01, same: ['1.01'], other: '2' },
  {
    type: 'text[]',
    json: '["a","NULL",null,"","{x,\\"y\\\\"]',
    stored: '{a,"NULL",NULL,"","{x,\\"y\\\\"}',
    after: ['a', 'NULL', null, '', '{x,"y\\'],
    other: '["a"]',
  },
  { type: 'text[]', json: '[]', stored: '{}', after: [], other: '[null]' },
  {
    type: 'integer[]',
    json: '[[1,2],[3,4]]',
    stored: '{{1,2},{3,4}}',
    after: [
      [1, 2],
      [3, 4],
    ],
    same: ['[["1",2],[3,4]]'],
    other: '[1,2,3,4]',
  },
  { type: 'numeric(4,1)[]', json: '[1.25,2]', stored: '{1.3,2.0}', after: [1.3, 2.0], same: ['[1.3,2.0]'] },
  { type: 'varchar(3)[]', json: '["abc"]', stored: '{abc}', after: ['abc'], same: ['["abc"]'], other: '["abd"]' },
  {
    type: 'jsonb[]',
    json: '["a",{"b":1}]',
    stored: '{"\\"a\\"","{\\"b\\": 1}"}',
    after: ['a', { b: 1 }],
    same: ['["a",{"b":1}]'],
    other: '["a"]',
  },
  { type: 'json[]', json: '[{"b":1}]', stored: '{"{\\"b\\":1}"}', after: [{ b: 1 }], same: ['[{"b":1.0}]'], other: '[1]' },
  { type: 'public.mood[]', json: '["sad","happy"]', stored: '{sad,happy}', after: ['sad', 'happy'], other: '["sad"]' },
  { type: 'point[]', json: '["(1,2)"]', stored: '{"(1,2)"}', after: ['(1,2)'], same: ['["1,2"]'] },
  { type: 'text', json: 'null', stored: null },
  { type: 'jsonb', json: 'null', stored: null },
  { type: 'text[]', json: 'null', stored: null },
]

const types = `
  CREATE TYPE public.mood AS ENUM ('happy', 'sad');
  CREATE TYPE public.pair AS (a integer, b text);
  CREATE DOMAIN public.code AS varchar(3) CHECK (VALUE <> 'no');
  CREATE DOMAIN public.code2 AS public.code NOT NULL;
  CREATE DOMAIN public.amount AS numeric(10,2);`

onBoth((opened) => {
  test('values are cast by the column, and compared as the column would hold them', async () => {
    const hasIcu = opened.db.kind === 'postgres'
    const collation = hasIcu
      ? `CREATE COLLATION public.ignores_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);`
      : ''
    const own = cases.filter(({ type }) => hasIcu || !type.includes('COLLATE'))
    const columns = own.map((each, index) => ({ ...each, name: `c${index}` }))
    const bench = await benchOf(
      opened.db,
      `${types} ${collation} CREATE TABLE public.typed (ms_id text PRIMARY KEY, ${columns
        .map(({ name, type }) => `${name} ${type}${type === 'public.code2' ? " DEFAULT 'x'" : ''}`)
        .join(', ')})`,
      (t) => t.table('typed', { key: 'ms_id', columns: Object.fromEntries(columns.map(({ name }) => [name, name])) }),
    )
    const object = (json: (each: (typeof columns)[number]) => string | undefined) =>
      `{"id":"1"${columns
        .map((each) => ({ name: each.name, json: json(each) }))
        .map(({ name, json: text }) => (text === undefined ? '' : `,"${name}":${text}`))
        .join('')}}`
    const known = { isKnown: true }

    await bench.one('{"id":"1"}')
    const first = await bench.one(
      object((each) => each.json),
      known,
    )
    const [stored] = await bench.rows<Record<string, string | null>>(
      `SELECT ${columns.map(({ name }) => `${name}::text`).join(', ')} FROM public.typed`,
    )
    // char(n)::text loses its padding.
    for (const { name, type, stored: expected } of columns)
      expect([type, stored?.[name]]).toEqual([type, type === 'char(5)' ? expected?.trimEnd() : expected])
    const changes = JSON.parse(JSON.stringify('changes' in first ? first.changes : {})) as Record<
      string,
      { before: unknown; after: unknown }
    >
    for (const { name, type, stored: expected, after = expected } of columns) {
      if (expected !== null && after !== 'exact') expect([type, changes[name]?.after]).toEqual([type, after])
    }
    const exact = JSON.stringify('changes' in first ? first.changes : {})
    expect(exact).toContain('12345678901234567890.123456789')
    expect(exact).toContain('9007199254740993')

    const [written] = await bench.rows('SELECT xmin::text FROM public.typed')
    expect(
      await bench.one(
        object((each) => each.json),
        known,
      ),
    ).toMatchObject({ outcome: 'unchanged' })
    for (let index = 0; index < 4; index++) {
      expect([
        index,
        await bench.one(
          object((each) => each.same?.[index]),
          known,
        ),
      ]).toEqual([index, { outcome: 'unchanged', ref: '1' }])
    }
    expect(await bench.rows('SELECT xmin::text FROM public.typed')).toEqual([written])

    const other = await bench.one(
      object((each) => each.other),
      known,
    )
    const changed = 'changes' in other ? Object.keys(other.changes ?? {}) : []
    expect(changed).toEqual(columns.filter((each) => each.other !== undefined).map(({ name }) => name))
  })

  test('what does not fit is refused, never cut', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE DOMAIN public.short AS varchar(3);
       CREATE TABLE public.tight (ms_id text PRIMARY KEY, v varchar(3), c char(3), d public.short, va varchar(3)[], b bit(3), n numeric(4,2), i smallint)`,
      (t) => t.table('tight', { key: 'ms_id', columns: { v: 'v', c: 'c', d: 'd', va: 'va', b: 'b', n: 'n', i: 'i' } }),
    )
    await bench.one({ id: 'there' })
    const tight = [
      { v: 'abcd' },
      { c: 'abcd' },
      { d: 'abcd' },
      { va: ['abcd'] },
      { b: '1010' },
      { n: 100 },
      { i: 32768 },
      { i: 1.5 },
      { i: '' },
    ]
    for (const id of ['new', 'there']) {
      for (const object of tight) {
        const thrown = await bench.one({ id, ...object }, { isKnown: id === 'there' }).then(
          () => 'nothing',
          (error: { sqlstate?: string }) => error.sqlstate,
        )
        expect([object, thrown]).toEqual([object, expect.stringMatching(/^22/)])
      }
    }
    expect(await bench.rows('SELECT * FROM public.tight')).toEqual([
      { ms_id: 'there', v: null, c: null, d: null, va: null, b: null, n: null, i: null },
    ])
  })

  test('types that are not in the search_path, and dates, bigints and bytes that functions return', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE SCHEMA "Far Away"; CREATE TYPE "Far Away"."Odd ""Type" AS ENUM ('a', 'b');
       CREATE TABLE public.far (ms_id text PRIMARY KEY, t "Far Away"."Odd ""Type", ts "Far Away"."Odd ""Type"[], at timestamptz, big numeric, raw bytea)`,
      (t) =>
        t.table('far', {
          key: 'ms_id',
          columns: { t: 't', ts: 'ts', at: () => new Date(0), big: () => 2n ** 70n, raw: () => new Uint8Array([0, 255]) },
        }),
    )
    expect(await bench.one({ id: '1', t: 'a', ts: ['b'] })).toMatchObject({ outcome: 'created' })
    expect(await bench.rows('SELECT t::text, ts::text, at, big::text, raw::text FROM public.far')).toEqual([
      { t: 'a', ts: '{b}', at: '1970-01-01T00:00:00Z', big: String(2n ** 70n), raw: '\\x00ff' },
    ])
    expect(await bench.one({ id: '1', t: 'a', ts: ['b'] })).toMatchObject({ outcome: 'unchanged' })
  })

  test.each(['integer', 'bigint', 'uuid', 'varchar(40)', 'char(40)', 'numeric'])('a key of type %s', async (type) => {
    const id = type === 'uuid' ? '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b' : '42'
    const table = `key_${type.replaceAll(/\W/g, '_')}`
    const bench = await benchOf(opened.db, `CREATE TABLE public.${table} (ms_id ${type} PRIMARY KEY, a text)`, (t) =>
      t.table(table, { key: 'ms_id', columns: { a: 'a' } }),
    )
    expect(await bench.one({ id, a: 'x' })).toMatchObject({ outcome: 'created' })
    expect(await bench.one({ id, a: 'x' })).toMatchObject({ outcome: 'unchanged' })
    const refs = await bench.target.findRefs?.(opened.db, [id, 'no such', '99999999999999999999', '6ec0bd7f'])
    expect([...(refs ?? [])].map(([key, ref]) => [key, ref.trimEnd()])).toEqual([[id, id]])
  })
})
