/** Deletions: by columns or for good, and objects that come back. */
import { describe, expect, test } from 'vitest'
import { onBoth } from '../../support/both.ts'
import { benchOf, itemOf } from '../support.ts'

const gone = { deletion: 'deleted', isKnown: true } as const
const known = { isKnown: true } as const

onBoth((opened) => {
  describe('by a column that the object fills', () => {
    test('deleted, again, with another date, and back', async () => {
      const bench = await benchOf(
        opened.db,
        `CREATE TABLE public.soft (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE, name text, deleted_at timestamptz)`,
        (t) => t.table('soft', { key: 'ms_id', columns: { name: 'name' }, onDelete: { deleted_at: 'deleted_at' } }),
      )
      const rows = () => bench.rows('SELECT name, deleted_at FROM public.soft')
      await bench.one({ id: 'a', name: 'x' })
      expect(await bench.one({ id: 'a', name: 'y', deleted_at: '2024-01-01' }, gone)).toEqual({
        outcome: 'deleted',
        ref: '1',
        changes: { name: { before: 'x', after: 'y' }, deleted_at: { before: null, after: '2024-01-01T00:00:00+00:00' } },
      })
      expect(await bench.one({ id: 'a', name: 'y', deleted_at: '2024-01-01' }, gone)).toEqual({ outcome: 'unchanged', ref: '1' })
      expect(await bench.one({ id: 'a', name: 'z', deleted_at: '2024-01-02' }, gone)).toMatchObject({ outcome: 'updated' })
      expect(await rows()).toEqual([{ name: 'z', deleted_at: '2024-01-02T00:00:00Z' }])

      // An older version has no say in whether the object is there.
      expect(await bench.one({ id: 'a', name: 'old' }, { deletion: 'keep', isKnown: true })).toMatchObject({ outcome: 'updated' })
      expect(await rows()).toEqual([{ name: 'old', deleted_at: '2024-01-02T00:00:00Z' }])

      expect(await bench.one({ id: 'a', name: 'old' }, known)).toMatchObject({
        outcome: 'updated',
        changes: { deleted_at: { before: '2024-01-02T00:00:00+00:00', after: null } },
      })
      expect(await bench.one({ id: 'a', name: 'old' }, known)).toMatchObject({ outcome: 'unchanged' })
      expect(await rows()).toEqual([{ name: 'old', deleted_at: null }])
    })

    test('a deletion that is nothing else leaves every field; without a value it is the object’s error', async () => {
      const bench = await benchOf(
        opened.db,
        `CREATE TABLE public.bare (ms_id text PRIMARY KEY, name text NOT NULL, kind text, deleted_at text)`,
        (t) => t.table('bare', { key: 'ms_id', columns: { name: 'name', kind: 'k' }, onDelete: { deleted_at: (o) => o.deleted_at } }),
      )
      await bench.one({ id: 'a', name: 'x', k: 'y' })
      expect(await bench.one({ id: 'a', name: 17, deleted_at: 'now' }, { ...gone, isBare: true })).toEqual({
        outcome: 'deleted',
        ref: 'a',
        changes: { deleted_at: { before: null, after: 'now' } },
      })
      expect(() => bench.plan({ id: 'a', deleted_at: null }, gone)).toThrow(
        expect.objectContaining({ code: 'missing_deletion_value', column: 'deleted_at' }),
      )
    })
  })

  test('by the time of the deletion: the first one stays', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.soft_now (ms_id text PRIMARY KEY, name text, deleted_at timestamptz, loaded_at timestamptz)`,
      (t) => t.table('soft_now', { key: 'ms_id', columns: { name: 'name', loaded_at: t.now() }, onDelete: { deleted_at: t.now() } }),
    )
    await bench.many([
      { id: 'a', name: 'x' },
      { id: 'b', name: 'x' },
    ])
    await opened.db.query(`UPDATE public.soft_now SET deleted_at = '2020-01-01', loaded_at = '2020-01-01' WHERE ms_id = 'b'`)
    expect(
      await bench.many(
        [
          { id: 'a', name: 'x' },
          { id: 'b', name: 'y' },
        ],
        gone,
      ),
    ).toMatchObject([
      { outcome: 'deleted', changes: { deleted_at: { before: null, after: expect.any(String) } } },
      { outcome: 'updated', changes: { name: { before: 'x', after: 'y' } } },
    ])
    expect(
      await bench.many(
        [
          { id: 'a', name: 'x' },
          { id: 'b', name: 'y' },
        ],
        gone,
      ),
    ).toMatchObject([{ outcome: 'unchanged' }, { outcome: 'unchanged' }])
    expect(
      await bench.rows(
        `SELECT ms_id, deleted_at > '2021-01-01' AS fresh, loaded_at > '2021-01-01' AS loaded FROM public.soft_now ORDER BY 1`,
      ),
    ).toEqual([
      { ms_id: 'a', fresh: true, loaded: true },
      { ms_id: 'b', fresh: false, loaded: true },
    ])
  })

  test('by a flag, and by a state with a default; what the application set otherwise stays', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.flags (ms_id text PRIMARY KEY, name text, active boolean NOT NULL DEFAULT true, state text NOT NULL DEFAULT 'new', reason text)`,
      (t) =>
        t.table('flags', {
          key: 'ms_id',
          columns: { name: 'name' },
          onDelete: { active: false, state: t.constant('gone'), reason: (o) => o.why },
        }),
    )
    const rows = () => bench.rows('SELECT name, active, state, reason FROM public.flags')
    await bench.one({ id: 'a', name: 'x' })
    await opened.db.query(`UPDATE public.flags SET state = 'checked'`)
    expect(await bench.one({ id: 'a', name: 'x' }, known)).toMatchObject({ outcome: 'unchanged' })
    expect(await bench.one({ id: 'a', name: 'x', why: 'closed' }, gone)).toMatchObject({
      outcome: 'deleted',
      changes: {
        active: { before: true, after: false },
        state: { before: 'checked', after: 'gone' },
        reason: { before: null, after: 'closed' },
      },
    })
    expect(await bench.one({ id: 'a', name: 'x', why: 'closed' }, gone)).toMatchObject({ outcome: 'unchanged' })
    expect(await bench.one({ id: 'a', name: 'x', why: 'sold' }, gone)).toMatchObject({ outcome: 'updated' })
    expect(await bench.one({ id: 'a', name: 'y' }, known)).toMatchObject({ outcome: 'updated' })
    expect(await rows()).toEqual([{ name: 'y', active: true, state: 'new', reason: null }])
  })

  test('a live object, a deletion and an older version in one batch', async () => {
    const bench = await benchOf(opened.db, `CREATE TABLE public.mixed (ms_id text PRIMARY KEY, name text, deleted_at timestamptz)`, (t) =>
      t.table('mixed', { key: 'ms_id', columns: { name: 'name' }, onDelete: { deleted_at: t.now() } }),
    )
    await bench.many(['a', 'b', 'c'].map((id) => ({ id, name: 'x' })))
    await opened.db.query(`UPDATE public.mixed SET deleted_at = now() WHERE ms_id IN ('a', 'c')`)
    const modes = ['live', 'deleted', 'keep'] as const
    const items = ['a', 'b', 'c'].map((id, index) =>
      itemOf(bench.target, { id, name: 'y' }, { deletion: modes[index] ?? 'live', isKnown: true }),
    )
    expect(await bench.apply(items)).toMatchObject([{ outcome: 'updated' }, { outcome: 'deleted' }, { outcome: 'updated' }])
    expect(await bench.rows('SELECT ms_id, name, deleted_at IS NULL AS live FROM public.mixed ORDER BY 1')).toEqual([
      { ms_id: 'a', name: 'y', live: true },
      { ms_id: 'b', name: 'y', live: false },
      { ms_id: 'c', name: 'y', live: false },
    ])
  })

  test('an object that the table does not have: ignored, or created as deleted if it carries what that needs', async () => {
    const declaredAs = (deletedUnknown: 'ignore' | 'create', table: string) =>
      benchOf(
        opened.db,
        `CREATE TABLE public.${table} (ms_id text PRIMARY KEY, name text NOT NULL, deleted_at timestamptz NOT NULL DEFAULT 'infinity')`,
        (t) => t.table(table, { key: 'ms_id', columns: { name: 'name' }, onDelete: { deleted_at: t.now() }, deletedUnknown }),
      )
    const ignoring = await declaredAs('ignore', 'unknown_ignore')
    expect(await ignoring.one({ id: 'a', name: 'x' }, { deletion: 'deleted' })).toEqual({ outcome: 'ignored' })
    expect(await ignoring.rows('SELECT FROM public.unknown_ignore')).toEqual([])

    const creating = await declaredAs('create', 'unknown_create')
    expect(await creating.one({ id: 'a', name: 'x' }, { deletion: 'deleted' })).toEqual({ outcome: 'deleted', detail: 'created', ref: 'a' })
    expect(await creating.one({ id: 'b' }, { deletion: 'deleted' })).toEqual({ outcome: 'ignored' })
    expect(await creating.one({ id: 'a', name: 'x' }, gone)).toEqual({ outcome: 'unchanged', ref: 'a' })
    expect(await creating.rows(`SELECT ms_id, deleted_at < 'infinity' AS gone FROM public.unknown_create`)).toEqual([
      { ms_id: 'a', gone: true },
    ])
    expect(await creating.one({ id: 'a', name: 'x' }, known)).toMatchObject({ outcome: 'updated' })
    expect(await creating.rows(`SELECT deleted_at = 'infinity' AS live FROM public.unknown_create`)).toEqual([{ live: true }])
  })

  test('for good: the rows of its sets, then its own', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.hard (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE, name text);
       CREATE TABLE public.hard_tag (hard_id bigint NOT NULL REFERENCES public.hard, tag text);
       CREATE TABLE public.hard_code (code text NOT NULL REFERENCES public.hard (ms_id), n integer)`,
      (t) =>
        t.table('hard', {
          key: 'ms_id',
          columns: { name: 'name' },
          sets: {
            hard_tag: { owner: 'hard_id', rows: 'tags', columns: { tag: (row) => row } },
            hard_code: { owner: 'code', rows: 'tags', columns: { n: 1 } },
          },
          onDelete: 'delete',
        }),
    )
    await bench.many(['a', 'b'].map((id) => ({ id, name: 'x', tags: ['t'] })))
    expect(await bench.rows('SELECT code FROM public.hard_code ORDER BY 1')).toEqual([{ code: 'a' }, { code: 'b' }])
    expect(await bench.many([{ id: 'a', tags: [] }, { id: 'nobody' }], gone)).toEqual([{ outcome: 'deleted' }, { outcome: 'ignored' }])
    expect(
      await bench.rows(
        'SELECT h.ms_id, t.tag, c.n FROM public.hard h JOIN public.hard_tag t ON t.hard_id = h.id JOIN public.hard_code c ON c.code = h.ms_id',
      ),
    ).toEqual([{ ms_id: 'b', tag: 't', n: 1 }])
    expect(await bench.one({ id: 'a', name: 'late' }, { deletion: 'keep', isKnown: true })).toEqual({ outcome: 'superseded' })
    expect(await bench.one({ id: 'a', name: 'back' }, known)).toMatchObject({ outcome: 'created' })
  })
})
