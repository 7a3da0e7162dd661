/** Statements that create what a mapping needs: after them the mapping fits, and nothing is missing. */
import { expect, test } from 'vitest'
import { onBoth } from '../../support/both.ts'
import { declare } from '../support.ts'

onBoth((opened) => {
  const run = async (statements: readonly string[]): Promise<void> => {
    await opened.db.exec(`SET search_path = public; ${statements.join(';\n')}; RESET search_path`)
  }

  test('everything is missing', async () => {
    const spec = declare((t) =>
      t.table('ddl.organization', {
        key: 'ms_id',
        columns: {
          title: 'title',
          'odd "name"': 'x',
          size: 1,
          ratio: 0.5,
          open: true,
          kind: t.constant('k'),
          district_id: t.ref({ table: 'ddl.district', key: 'code' }, 'd'),
          at: t.now(),
        },
        sets: { 'ddl.organization_area': { owner: 'organization_id', rows: 'areas', columns: { area_id: t.ref('area'), note: 'note' } } },
        onDelete: { deleted: true, deleted_at: t.now() },
      }),
    )
    const statements = (await spec.missingDdl?.(opened.db)) ?? []
    expect(statements.join(';\n')).toMatchInlineSnapshot(`
      "CREATE SCHEMA IF NOT EXISTS "ddl";
      CREATE TABLE IF NOT EXISTS "ddl"."district" (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "code" text NOT NULL UNIQUE
      );
      CREATE TABLE IF NOT EXISTS "ddl"."organization" (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "ms_id" text NOT NULL UNIQUE,
        "title" text,
        "odd ""name""" text,
        "size" bigint,
        "ratio" numeric,
        "open" boolean,
        "kind" text,
        "district_id" bigint,
        "at" timestamptz,
        "deleted" boolean NOT NULL DEFAULT false,
        "deleted_at" timestamptz
      );
      CREATE TABLE IF NOT EXISTS "ddl"."organization_area" (
        "organization_id" bigint NOT NULL REFERENCES "ddl"."organization" (id),
        "area_id" bigint,
        "note" text
      );
      CREATE UNIQUE INDEX ON "ddl"."organization_area" ("organization_id", "area_id", "note")"
    `)
    await run(statements)
    expect(await spec.missingDdl?.(opened.db)).toEqual([])
    await spec.prepare(opened.db, 'organization')
  })

  test('some of it is missing', async () => {
    await opened.db.exec(`
      CREATE TABLE public.half (uid uuid PRIMARY KEY DEFAULT '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', ms_id text, a text);
      CREATE TABLE public.half_kind (id smallint PRIMARY KEY, code text UNIQUE);
      CREATE TABLE public.half_tag (tag text)`)
    const spec = declare((t) =>
      t.table('half', {
        key: 'ms_id',
        columns: { a: 'a', b: 'b', kind_id: t.ref({ table: 'half_kind', key: 'code' }, 'kind') },
        sets: { half_tag: { owner: 'half_id', rows: 'tags', columns: { tag: 'tag' } } },
      }),
    )
    const statements = (await spec.missingDdl?.(opened.db)) ?? []
    expect(statements).toEqual([
      'CREATE UNIQUE INDEX ON "public"."half" ("ms_id")',
      'ALTER TABLE "public"."half" ADD COLUMN "b" text',
      'ALTER TABLE "public"."half" ADD COLUMN "kind_id" smallint',
      'ALTER TABLE "public"."half_tag" ADD COLUMN "half_id" uuid REFERENCES "public"."half" ("uid")',
    ])
    await run(statements)
    expect(await spec.missingDdl?.(opened.db)).toEqual([])
    await spec.prepare(opened.db, 'half')
  })
})
