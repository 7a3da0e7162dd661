/** The conventions of the port to the database, the same on both drivers. */
import { describe, expect, test } from 'vitest'
import { DatabaseError, type Db, type Parameter, type Transaction } from '../../src/store/db.ts'
import { onBoth } from '../support/both.ts'
import { isPooled } from '../support/database.ts'

const one = async (db: Pick<Db, 'query'>, expression: string, ...parameters: Parameter[]): Promise<unknown> => {
  const { rows } = await db.query<{ value: unknown }>(`SELECT ${expression} AS value`, parameters)
  return rows[0]?.value
}

const hostile = [
  '',
  'NULL',
  'null',
  '"',
  '\\',
  '\\"',
  '{',
  '}',
  ',',
  '{a,"b"}',
  ' leading and trailing ',
  '\t\n\r\v\f',
  '\u00a0',
  "'; DROP TABLE sluice.message; --",
  'Обработано с ошибками',
  '👩‍👩‍👧 𝄞',
  '\\x41',
  '$1',
  '\u0001\u007f\uffff',
]

onBoth((opened) => {
  describe('values', () => {
    test.each<[expression: string, value: unknown]>([
      ["'9223372036854775807'::bigint", '9223372036854775807'],
      ["'-32768'::smallint", -32768],
      ["'2147483647'::int", 2147483647],
      ["'1.10'::numeric", '1.10'],
      ["'12345678901234567890.123456789'::numeric", '12345678901234567890.123456789'],
      ["'0.1'::float8", 0.1],
      ["'-Infinity'::float8", Number.NEGATIVE_INFINITY],
      ['true', true],
      ['false', false],
      ['\'{ "b":1.0, "a" : 1 }\'::json', '{ "b":1.0, "a" : 1 }'],
      ['\'{"b":1.0,"a":1}\'::jsonb', '{"a": 1, "b": 1.0}'],
      ["'2026-02-03'::date", '2026-02-03'],
      ["'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid", '6ba7b810-9dad-11d1-80b4-00c04fd430c8'],
      ["'2026-01-02 03:04:05.123456+00'::timestamptz", '2026-01-02T03:04:05.123456Z'],
      ["'2026-01-02 03:04:05+00'::timestamptz", '2026-01-02T03:04:05Z'],
      ["'2026-01-01 01:30:00.5+05:45'::timestamptz", '2025-12-31T19:45:00.5Z'],
      ["'infinity'::timestamptz", 'infinity'],
      ["'0044-03-15 12:00:00+00 BC'::timestamptz", '0044-03-15 12:00:00+00 BC'],
      ["'12026-01-01 00:00:00+00'::timestamptz", '12026-01-01 00:00:00+00'],
      ['NULL::int', null],
      ["'{1,NULL,-3}'::int[]", [1, null, -3]],
      ["'{t,f,NULL}'::bool[]", [true, false, null]],
      ["'{9007199254740993}'::bigint[]", ['9007199254740993']],
      ["'{}'::text[]", []],
      [
        "'{{a,b},{c,NULL}}'::text[]",
        [
          ['a', 'b'],
          ['c', null],
        ],
      ],
      ["'[0:1]={a,b}'::text[]", ['a', 'b']],
      ["ARRAY['2026-01-02 03:04:05+00'::timestamptz]", ['2026-01-02T03:04:05Z']],
      ['ARRAY[\'{"a": [1, 2]}\'::jsonb, NULL]', ['{"a": [1, 2]}', null]],
    ])('%s comes back by the conventions', async (expression, value) => {
      expect(await one(opened.db, expression)).toEqual(value)
    })

    test('times come back in UTC whatever the session has, seconds of old offsets included', async () => {
      await opened.db.transaction(async (tx) => {
        await tx.query("SET LOCAL TimeZone = 'Europe/Moscow'")
        expect(await one(tx, "'2026-07-01 00:00:00.25+00'::timestamptz")).toBe('2026-07-01T00:00:00.25Z')
        expect(await one(tx, "'1870-01-01 00:00:00+00'::timestamptz::text")).toContain('+02:30:17')
        expect(await one(tx, "'1870-01-01 00:00:00+00'::timestamptz")).toBe('1870-01-01T00:00:00Z')
      })
    })

    test.each(hostile)('the text %j goes in and comes back', async (text) => {
      expect(await one(opened.db, '$1::text', text)).toBe(text)
    })

    test('hostile texts in an array come back, null among them', async () => {
      const items = [...hostile, null]
      expect(await one(opened.db, '$1::text[]', items)).toEqual(items)
      const { rows } = await opened.db.query<{ item: string | null }>(
        'SELECT item FROM unnest($1::text[]) WITH ORDINALITY AS u (item, n) ORDER BY n',
        [items],
      )
      expect(rows.map(({ item }) => item)).toEqual(items)
    })

    test('a text with NUL is refused with SQLSTATE 22021', async () => {
      await expect(one(opened.db, '$1::text', 'a\0b')).rejects.toMatchObject({ name: 'DatabaseError', sqlstate: '22021' })
    })

    test('bytes come back, alone and in arrays, all 256 of them', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
      const slice = bytes.subarray(100, 110)
      expect(Buffer.from((await one(opened.db, '$1::bytea', bytes)) as Uint8Array)).toEqual(Buffer.from(bytes))
      expect(await one(opened.db, 'octet_length($1::bytea)', new Uint8Array())).toBe(0)
      const array = (await one(opened.db, '$1::bytea[]', [bytes, null, slice, new Uint8Array()])) as (Uint8Array | null)[]
      expect(array.map((item) => item && Buffer.from(item))).toEqual([Buffer.from(bytes), null, Buffer.from(slice), Buffer.alloc(0)])
    })

    test('bytes come back from a database that writes them with escapes', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
      await opened.db.transaction(async (tx) => {
        await tx.query('SET LOCAL bytea_output = escape')
        expect(Buffer.from((await one(tx, '$1::bytea', bytes)) as Uint8Array)).toEqual(Buffer.from(bytes))
      })
    })

    test.each<[type: string, given: Parameter, back: unknown]>([
      ['bigint', 9007199254740993n, '9007199254740993'],
      ['bigint', '9007199254740993', '9007199254740993'],
      ['int', 7, 7],
      ['float8', 0.1, 0.1],
      ['numeric', '1.50', '1.50'],
      ['boolean', true, true],
      ['boolean', false, false],
      ['jsonb', '{"a": "b"}', '{"a": "b"}'],
      ['json', '[1.0]', '[1.0]'],
      ['text', null, null],
      ['int[]', [1, null, 3], [1, null, 3]],
      ['int[]', [], []],
      ['bigint[]', [1n, '2'], ['1', '2']],
      ['boolean[]', [true, null, false], [true, null, false]],
      ['float8[]', [1.5, -0.25], [1.5, -0.25]],
      ['json[]', ['{"a":"\\"}"}', null], ['{"a":"\\"}"}', null]],
      [
        'int[]',
        [
          [1, 2],
          [3, 4],
        ],
        [
          [1, 2],
          [3, 4],
        ],
      ],
      ['timestamptz', '2026-01-02T03:04:05.123456Z', '2026-01-02T03:04:05.123456Z'],
    ])('a parameter of type %s (case %#)', async (type, given, back) => {
      expect(await one(opened.db, `$1::${type}`, given)).toEqual(back)
    })

    test('rowCount tells the rows touched or returned', async () => {
      const { db } = opened
      await db.transaction(async (tx) => {
        await tx.query('CREATE TEMPORARY TABLE counted (n int) ON COMMIT DROP')
        expect((await tx.query('INSERT INTO counted SELECT generate_series(1, 5)')).rowCount).toBe(5)
        expect((await tx.query('UPDATE counted SET n = n WHERE n > 3')).rowCount).toBe(2)
        expect((await tx.query('DELETE FROM counted WHERE n = 1 RETURNING n')).rowCount).toBe(1)
        expect((await tx.query('SELECT FROM counted')).rowCount).toBe(4)
        expect((await tx.query('DELETE FROM counted WHERE n = 100')).rowCount).toBe(0)
      })
    })
  })

  describe('errors', () => {
    test('carry SQLSTATE, table, column, constraint, detail and hint', async () => {
      const { db } = opened
      await db.query("INSERT INTO sluice.schedule (task, cron, next_slot) VALUES ('split', '* * * * *', now())")
      const twice = db.query("INSERT INTO sluice.schedule (task, cron, next_slot) VALUES ('split', '* * * * *', now())")
      await expect(twice).rejects.toBeInstanceOf(DatabaseError)
      await expect(twice).rejects.toMatchObject({
        sqlstate: '23505',
        table: 'schedule',
        constraint: 'schedule_pkey',
        detail: expect.stringContaining('split'),
      })
      const empty = db.query("INSERT INTO sluice.schedule (task, next_slot) VALUES ('rollup', now())")
      await expect(empty).rejects.toMatchObject({ sqlstate: '23502', table: 'schedule', column: 'cron' })
      await expect(db.query("SELECT pg_catalog.lowerr('a')")).rejects.toMatchObject({ sqlstate: '42883', hint: expect.any(String) })
    })

    test('the connection goes on after one', async () => {
      await expect(opened.db.query('SELEC 1')).rejects.toMatchObject({ sqlstate: '42601' })
      expect(await one(opened.db, '1')).toBe(1)
    })
  })

  describe('transactions', () => {
    const insert = (db: Pick<Db, 'query'>, task: string) =>
      db.query('INSERT INTO sluice.schedule (task, cron, next_slot) VALUES ($1, $2, now())', [task, '* * * * *'])
    const count = (db: Pick<Db, 'query'>) => one(db, '(SELECT count(*)::int FROM sluice.schedule)')

    test('commit what they did and give back what their work does', async () => {
      expect(await opened.db.transaction(async (tx) => (await insert(tx, 'split')).rowCount)).toBe(1)
      expect(await count(opened.db)).toBe(1)
    })

    test('roll back when their work throws, and throw that very error', async () => {
      const mine = new Error('mine')
      const failing = opened.db.transaction(async (tx) => {
        await insert(tx, 'split')
        throw mine
      })
      await expect(failing).rejects.toBe(mine)
      expect(await count(opened.db)).toBe(0)
    })

    test('that failed inside can not commit: work that swallows an error loses all of it, and is told', async () => {
      const swallowing = opened.db.transaction(async (tx) => {
        await insert(tx, 'split')
        await tx.query('SELECT 1/0').catch(() => undefined)
      })
      await expect(swallowing).rejects.toMatchObject({ name: 'DatabaseError', sqlstate: '40000' })
      expect(await count(opened.db)).toBe(0)
    })

    test('a constraint that is checked at COMMIT fails the transaction', async () => {
      const { db } = opened
      await db.exec('CREATE TABLE public.late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)')
      const failing = db.transaction((tx) => tx.query('INSERT INTO public.late VALUES (1), (1)'))
      await expect(failing).rejects.toMatchObject({ sqlstate: '23505', table: 'late' })
      expect(await one(db, '(SELECT count(*)::int FROM public.late)')).toBe(0)
      await db.exec('DROP TABLE public.late')
    })

    test('a statement after the end is refused, and runs nowhere', async () => {
      let kept: Transaction | undefined
      await opened.db.transaction(async (tx) => {
        kept = tx
      })
      await expect(insert(kept as Transaction, 'split')).rejects.toMatchObject({ sqlstate: '25P01' })
      expect(await count(opened.db)).toBe(0)
    })

    test('run in UTC, READ COMMITTED, with the settings asked for and none left behind', async () => {
      const { db } = opened
      const before = await one(db, "current_setting('statement_timeout')")
      await db.transaction(
        async (tx) => {
          expect(await one(tx, "current_setting('TimeZone')")).toBe('UTC')
          expect(await one(tx, "current_setting('transaction_isolation')")).toBe('read committed')
          expect(await one(tx, "current_setting('statement_timeout')")).toBe('4321ms')
          expect(await one(tx, "current_setting('enable_seqscan')")).toBe('off')
        },
        { statementTimeout: 4321, idleTimeout: 10_000, byIndex: true },
      )
      expect(await one(db, "current_setting('statement_timeout')")).toBe(before)
      expect(await one(db, "current_setting('enable_seqscan')")).toBe('on')
    })

    test('wait for the disk, unless they are told not to', async () => {
      const { db } = opened
      const setting = "current_setting('synchronous_commit')"
      const usual = await one(db, setting)
      expect(await db.transaction((tx) => one(tx, setting))).toBe(usual)
      expect(await db.transaction((tx) => one(tx, setting), { asynchronousCommit: true })).toBe(db.kind === 'postgres' ? 'off' : usual)
      expect(await one(db, setting)).toBe(usual)
    })

    test('exec runs several statements, inside a transaction too', async () => {
      const { db } = opened
      await expect(
        db.transaction(async (tx) => {
          await tx.exec('CREATE TABLE public.gone (n int); INSERT INTO public.gone VALUES (1);')
          expect(await one(tx, '(SELECT n FROM public.gone)')).toBe(1)
          throw new Error('back')
        }),
      ).rejects.toThrow('back')
      expect(await one(db, "to_regclass('public.gone') IS NULL")).toBe(true)
    })
  })

  // Behind a pooler in transaction mode there are no notifications.
  describe.skipIf(isPooled)('listen', () => {
    test('hears what is notified on its channel until it is told to stop', async () => {
      const { db } = opened
      const heard: string[] = []
      let onHeard: () => void = () => undefined
      const next = () =>
        new Promise<void>((resolve) => {
          onHeard = resolve
        })
      const stop = await db.listen('sluice_test', (payload) => {
        heard.push(payload)
        onHeard()
      })
      const first = next()
      await db.query("SELECT pg_notify('another', 'x')")
      await db.query("SELECT pg_notify('sluice_test', 'split')")
      await first
      const second = next()
      await db.transaction((tx) => tx.query("SELECT pg_notify('sluice_test', 'process')"))
      await second
      expect(heard).toEqual(['split', 'process'])
      await stop()
      await db.query("SELECT pg_notify('sluice_test', 'unheard')")
      expect(heard).toEqual(['split', 'process'])
    })
  })
})
