/** Statements that create what a mapping needs: after them the mapping fits, and nothing is missing. */
import { expect, test } from 'vitest'
import { z } from 'zod'
import { missingStatements } from '../../../src/cli/ddl.ts'
import { defineIntegration } from '../../../src/config.ts'
import { onBoth } from '../../support/both.ts'
import { createInbox } from '../../support/inbox.ts'
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
        "title" text, -- choose the type
        "odd ""name""" text, -- choose the type
        "size" bigint,
        "ratio" numeric,
        "open" boolean,
        "kind" text,
        "district_id" bigint REFERENCES "ddl"."district" (id),
        "at" timestamptz,
        "deleted" boolean NOT NULL DEFAULT false,
        "deleted_at" timestamptz
      );
      CREATE TABLE IF NOT EXISTS "ddl"."organization_area" (
        "organization_id" bigint NOT NULL REFERENCES "ddl"."organization" (id),
        "area_id" bigint, -- choose the type
        "note" text -- choose the type
      );
      CREATE UNIQUE INDEX IF NOT EXISTS "organization_area_row_key" ON "ddl"."organization_area" ("organization_id", "area_id", "note")"
    `)
    await run(statements)
    // At every start of `sluice dev --sql` they run again.
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
      'CREATE UNIQUE INDEX IF NOT EXISTS "half_ms_id_key" ON "half" ("ms_id")',
      '-- choose the type\nALTER TABLE "public"."half" ADD COLUMN IF NOT EXISTS "b" text',
      'ALTER TABLE "public"."half" ADD COLUMN IF NOT EXISTS "kind_id" smallint REFERENCES "public"."half_kind" ("id")',
      'ALTER TABLE "public"."half_tag" ADD COLUMN IF NOT EXISTS "half_id" uuid REFERENCES "public"."half" ("uid")',
    ])
    await run(statements)
    // At every start of `sluice dev --sql` they run again.
    await run(statements)
    expect(await spec.missingDdl?.(opened.db)).toEqual([])
    await spec.prepare(opened.db, 'half')
  })

  test('types are the schema’s where it says them', async () => {
    const field = (name: string, schema: z.ZodType) => ({ [name]: schema })
    const jsonSchema = z.toJSONSchema(
      z.object({
        ms_id: z.int(),
        ...field('salary', z.number().nullish()),
        ...field('open', z.boolean()),
        ...field('since', z.iso.date().optional()),
        ...field('changed', z.iso.datetime({ offset: true }).nullish()),
        ...field('kind', z.enum(['a', 'b'])),
        ...field('level', z.literal([1, 2])),
        ...field('mixed', z.union([z.string(), z.number()])),
        ...field('ratio', z.union([z.int(), z.number()]).nullable()),
        nested: z.object({ count: z.int() }).nullable(),
        tags: z.array(z.object({ size: z.int(), any: z.unknown() })),
        list: z.array(z.string()),
      }),
      { io: 'input' },
    )
    const spec = declare((t) =>
      t.table('typed', {
        key: 'ms_id',
        columns: {
          salary: 'salary',
          open: 'open',
          since: 'since',
          kind: 'kind',
          level: 'level',
          mixed: 'mixed',
          ratio: 'ratio',
          count: 'nested.count',
          list: 'list',
          gone: 'gone.far',
          made: (object) => object.salary,
        },
        sets: { typed_tag: { owner: 'typed_id', rows: 'tags', columns: { size: 'size', any: 'any' } } },
        onDelete: { deleted_at: 'changed' },
      }),
    )
    const statements = (await spec.missingDdl?.(opened.db, { key: 'ms_id', jsonSchema, tableOf: () => null })) ?? []
    expect(statements.join(';\n')).toMatchInlineSnapshot(`
      "CREATE TABLE IF NOT EXISTS "typed" (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "ms_id" bigint NOT NULL UNIQUE,
        "salary" numeric,
        "open" boolean,
        "since" date,
        "kind" text,
        "level" numeric,
        "mixed" text, -- choose the type
        "ratio" numeric,
        "count" bigint,
        "list" text, -- choose the type
        "gone" text, -- choose the type
        "made" text, -- choose the type
        "deleted_at" timestamptz
      );
      CREATE TABLE IF NOT EXISTS "typed_tag" (
        "typed_id" bigint NOT NULL REFERENCES "typed" (id),
        "size" bigint,
        "any" text -- choose the type
      );
      CREATE UNIQUE INDEX IF NOT EXISTS "typed_tag_row_key" ON "typed_tag" ("typed_id", "size", "any")"
    `)
    await run(statements)
    // At every start of `sluice dev --sql` they run again.
    await run(statements)
    expect(await spec.missingDdl?.(opened.db)).toEqual([])
    await spec.prepare(opened.db, 'typed')
  })

  test('a schema that refers to its own parts, or to none that is there', async () => {
    const jsonSchema = {
      $ref: '#/$defs/thing',
      $defs: {
        thing: { type: 'object', properties: { n: { $ref: '#/$defs/count' }, loop: { $ref: '#/$defs/loop' }, far: { $ref: 'https://x' } } },
        count: { allOf: [{ type: ['integer', 'null'] }] },
        loop: { $ref: '#/$defs/loop' },
      },
    }
    const spec = declare((t) => t.table('defs', { key: 'id', columns: { n: 'n', loop: 'loop', far: 'far' } }))
    const statements = (await spec.missingDdl?.(opened.db, { key: 'n', jsonSchema, tableOf: () => null })) ?? []
    expect(statements).toEqual([
      'CREATE TABLE IF NOT EXISTS "defs" (\n  "id" bigint PRIMARY KEY,\n  "n" bigint,\n  "loop" text, -- choose the type\n  "far" text -- choose the type\n)',
    ])
    await run(statements)
    // At every start of `sluice dev --sql` they run again.
    await run(statements)
    expect(await spec.missingDdl?.(opened.db)).toEqual([])
  })

  test('references of integrations get foreign keys, but for circles', async () => {
    const team = defineIntegration({
      name: 'team',
      schema: z.object({ id: z.string(), head: z.string(), parent: z.string() }),
      key: 'id',
      target: (t) =>
        t.table('fk.team', {
          key: 'ms_id',
          columns: { head_id: t.ref('member', 'head'), parent_id: t.ref('team', 'parent', { missing: 'defer' }) },
        }),
    })
    const member = defineIntegration({
      name: 'member',
      schema: z.object({ id: z.string(), team: z.string(), place: z.string(), event: z.string() }),
      key: 'id',
      target: (t) =>
        t.table('fk.member', {
          key: 'ms_id',
          columns: { team_id: t.ref('team', 'team'), place_id: t.ref('place', 'place'), event_ref: t.ref('event', 'event') },
        }),
    })
    const place = defineIntegration({
      name: 'place',
      schema: z.object({ id: z.string() }),
      key: 'id',
      target: (t) => t.table('fk.place', { key: 'ms_id', columns: {} }),
    })
    const event = defineIntegration({
      name: 'event',
      schema: z.object({ id: z.string() }),
      key: 'id',
      target: (t) => t.handler({ apply: () => 'created' }),
    })
    const { services } = createInbox(opened.db, [team, member, place, event])
    const statements = await missingStatements(services)
    expect(statements.filter((statement) => !statement.startsWith('CREATE SCHEMA')).join(';\n')).toMatchInlineSnapshot(`
      "CREATE TABLE IF NOT EXISTS "fk"."place" (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "ms_id" text NOT NULL UNIQUE
      );
      CREATE TABLE IF NOT EXISTS "fk"."member" (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "ms_id" text NOT NULL UNIQUE,
        "team_id" bigint, -- add REFERENCES "fk"."team" when that table is there
        "place_id" bigint REFERENCES "fk"."place" (id),
        "event_ref" bigint -- choose the type
      );
      CREATE TABLE IF NOT EXISTS "fk"."team" (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        "ms_id" text NOT NULL UNIQUE,
        "head_id" bigint REFERENCES "fk"."member" (id),
        "parent_id" bigint REFERENCES "fk"."team" (id)
      )"
    `)
    await run(statements)
    // At every start of `sluice dev --sql` they run again.
    await run(statements)
    expect(await missingStatements(services)).toEqual([])
    for (const { target, name } of [team, member, place]) await target.prepare(opened.db, name)
  })
})
