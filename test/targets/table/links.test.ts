/** References: what a table's rows are known by, links that are left empty, and links that are filled in later. */
import { expect, test } from 'vitest'
import { createTableLookup } from '../../../src/targets/table/references.ts'
import type { FilledLink } from '../../../src/targets/target.ts'
import { onBoth } from '../../support/both.ts'
import { type Bench, benchOf, itemOf } from '../support.ts'

onBoth((opened) => {
  const fill = (bench: Bench, links: FilledLink[]) =>
    opened.db.transaction((tx) => bench.target.fillLinks?.(tx, links) ?? Promise.resolve())

  test('a link in a column: empty while it is deferred, filled in once, stamped', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.node (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE, parent_id bigint REFERENCES public.node, at timestamptz)`,
      (t) => t.table('node', { key: 'ms_id', columns: { parent_id: t.ref('node', 'parent', { missing: 'defer' }), at: t.now() } }),
    )
    await bench.many([{ id: 'a', parent: 'b' }, { id: 'b', parent: null }, { id: 'c' }], { refs: { b: null } })
    const rows = () =>
      bench.rows(`SELECT ms_id, parent_id::integer AS parent, at > '2021-01-01' AS fresh, xmin::text FROM public.node ORDER BY 1`)
    expect(await rows()).toMatchObject([{ parent: null }, { parent: null }, { parent: null }])
    await opened.db.query(`UPDATE public.node SET at = '2020-01-01'`)
    const links = [
      { externalId: 'a', ownerRef: '1', field: 'parent_id', details: undefined, ref: '2' },
      { externalId: 'c', ownerRef: '3', field: 'parent_id', details: undefined, ref: '2' },
      { externalId: 'x', ownerRef: '99', field: 'parent_id', details: undefined, ref: '2' },
      { externalId: 'c', ownerRef: '3', field: 'no longer there', details: undefined, ref: '2' },
    ]
    await fill(bench, links)
    const filled = await rows()
    expect(filled).toMatchObject([
      { ms_id: 'a', parent: 2, fresh: true },
      { ms_id: 'b', parent: null, fresh: false },
      { ms_id: 'c', parent: 2, fresh: true },
    ])
    await fill(bench, links)
    expect(await rows()).toEqual(filled)
  })

  test('a link in a set takes the row’s other columns along, and what its other references resolved to', async () => {
    const bench = await benchOf(
      opened.db,
      `CREATE TABLE public.entity (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE, uid uuid UNIQUE DEFAULT '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b');
       CREATE TABLE public.relation (from_uid uuid REFERENCES public.entity (uid), to_id bigint NOT NULL, kind_id integer, note text)`,
      (t) =>
        t.table('entity', {
          key: 'ms_id',
          columns: {},
          sets: {
            relation: {
              owner: 'from_uid',
              rows: 'relations',
              columns: {
                to_id: t.ref('entity', 'to', { missing: 'defer' }),
                kind_id: t.ref({ table: 'kind', key: 'code' }, 'kind'),
                note: 'note',
              },
            },
          },
        }),
    )
    const relations = [
      { to: 7, kind: 'k', note: 'there' },
      { to: 'far', kind: 'k', note: 'missing' },
    ]
    const item = itemOf(bench.target, { id: 'a', relations }, { refs: { k: '5', far: null } })
    await bench.apply([item])
    const rows = () => bench.rows('SELECT to_id::integer AS "to", kind_id AS kind, note FROM public.relation ORDER BY 1')
    expect(await rows()).toEqual([{ to: 7, kind: 5, note: 'there' }])
    const open = item.plan.references.find(({ wantedId }) => wantedId === 'far')
    expect(open).toEqual({
      field: 'relation',
      wanted: { integration: 'entity' },
      wantedId: 'far',
      missing: 'defer',
      details: { column: 'to_id', row: { note: 'missing', kind_id: '5' } },
    })
    const link: FilledLink = { externalId: 'a', ownerRef: '1', field: 'relation', details: open?.details, ref: '9' }
    await fill(bench, [link, link])
    await fill(bench, [link])
    expect(await rows()).toEqual([
      { to: 7, kind: 5, note: 'there' },
      { to: 9, kind: 5, note: 'missing' },
    ])
    expect(await bench.apply([itemOf(bench.target, { id: 'a', relations }, { isKnown: true, refs: { k: '5', far: '9' } })])).toEqual([
      { outcome: 'unchanged', ref: '1' },
    ])
  })

  test('tables that nobody feeds are looked up by their key, and looked at again when they changed', async () => {
    const lookup = createTableLookup()
    await expect(lookup(opened.db, 'district', 'code', ['x'])).rejects.toMatchObject({ code: 'target_mismatch' })
    await opened.db.exec(`
      CREATE TABLE public.district (id uuid PRIMARY KEY, code integer); INSERT INTO public.district VALUES ('6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', 7);
      CREATE VIEW public.district_view AS SELECT code::text AS code FROM public.district`)
    expect(await lookup(opened.db, 'district', 'code', ['7', 'x', '8'])).toEqual(new Map([['7', '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b']]))
    expect(await lookup(opened.db, 'public.district_view', 'code', ['7', 'x'])).toEqual(new Map([['7', '7']]))
    await expect(lookup(opened.db, 'district', 'nope', ['7'])).rejects.toMatchObject({
      code: 'target_mismatch',
      message: expect.stringContaining('id, code'),
    })
    await opened.db.exec('ALTER TABLE public.district DROP COLUMN id; ALTER TABLE public.district ADD PRIMARY KEY (code)')
    await expect(lookup(opened.db, 'district', 'code', ['7'])).rejects.toMatchObject({ sqlstate: '42703' })
    expect(await lookup(opened.db, 'district', 'code', ['7'])).toEqual(new Map([['7', '7']]))
  })
})
