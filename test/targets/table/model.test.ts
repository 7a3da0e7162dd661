/** Any sequence of batches ends in the table that a model of three lines says, and what changes nothing writes nothing. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Result } from '../../../src/model/outcome.ts'
import { onBoth, onPostgres } from '../../support/both.ts'
import { type Bench, benchOf, itemOf } from '../support.ts'

interface Thing {
  id: string
  a?: string | null
  n?: number | null
  tags?: string[] | null
}

interface Row {
  id: string
  a: string | null
  n: string | null
  gone: boolean
  tags: string[]
}

interface Sent {
  thing: Thing
  isDeletion: boolean
}

const text = fc.constantFrom('', 'a', 'A', 'NULL', '{}', 'é')
const thing: fc.Arbitrary<Thing> = fc.record(
  {
    id: fc.constantFrom('k1', 'k2', 'k3', 'K3'),
    a: fc.option(text, { nil: null }),
    n: fc.option(fc.constantFrom(1, 1.004, 1.005, 2, 1e3), { nil: null }),
    tags: fc.option(fc.array(text, { maxLength: 4 }), { nil: null }),
  },
  { requiredKeys: ['id'] },
)
const batch: fc.Arbitrary<Sent[]> = fc.uniqueArray(fc.record({ thing, isDeletion: fc.boolean() }), {
  selector: ({ thing: { id } }) => id,
  maxLength: 4,
})

/** What the row of an object is afterwards; null while there is none. */
function expected(before: Row | null, { thing: { id, a, n, tags }, isDeletion }: Sent): Row | null {
  if (before === null && isDeletion) return null
  const row = before ?? { id, a: 'default', n: null, gone: false, tags: [] }
  return {
    id,
    a: a === undefined ? row.a : a,
    n: n === undefined ? row.n : n === null ? null : (Math.round((n + Number.EPSILON) * 100) / 100).toFixed(2),
    gone: isDeletion,
    tags: tags === undefined ? row.tags : [...new Set(tags ?? [])].sort(),
  }
}

function expectedOutcome(before: Row | null, after: Row | null): string {
  if (after === null) return 'ignored'
  if (before === null) return 'created'
  if (after.gone && !before.gone) return 'deleted'
  return JSON.stringify(before) === JSON.stringify(after) ? 'unchanged' : 'updated'
}

const tables = `
  CREATE TABLE public.model (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text UNIQUE, a text DEFAULT 'default', n numeric(10,2), gone timestamptz, writes integer DEFAULT 0);
  CREATE TABLE public.model_tag (model_id bigint NOT NULL REFERENCES public.model, tag text NOT NULL, PRIMARY KEY (model_id, tag));
  CREATE FUNCTION public.count_writes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.writes := OLD.writes + 1; RETURN NEW; END';
  CREATE TRIGGER count_writes BEFORE UPDATE ON public.model FOR EACH ROW EXECUTE FUNCTION public.count_writes()`

function declared(): Parameters<typeof benchOf>[2] {
  return (t) =>
    t.table('model', {
      key: 'key',
      columns: { a: 'a', n: (o) => o.n },
      sets: { model_tag: { owner: 'model_id', rows: 'tags', columns: { tag: (row) => row } } },
      onDelete: { gone: t.now() },
    })
}

async function rowsOf(bench: Bench): Promise<(Row & { writes: number })[]> {
  return bench.rows(`SELECT key AS id, a, n::text, gone IS NOT NULL AS gone, writes,
    ARRAY(SELECT tag FROM public.model_tag WHERE model_id = model.id ORDER BY tag COLLATE "C") AS tags FROM public.model ORDER BY key COLLATE "C"`)
}

onBoth((opened) => {
  test('any sequence of batches', async () => {
    const bench = await benchOf(opened.db, tables, declared())
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { maxLength: 8 }), async (batches) => {
        await opened.db.exec('TRUNCATE public.model CASCADE')
        const model = new Map<string, Row>()
        for (const sent of batches) {
          const before = await rowsOf(bench)
          const items = sent.map(({ thing: value, isDeletion }, ordinal) =>
            itemOf(bench.target, value, { ordinal, deletion: isDeletion ? 'deleted' : 'live', isKnown: model.has(value.id) }),
          )
          const outcomes = (await bench.apply(items)).map((result: Result) => ('outcome' in result ? result.outcome : 'failed'))
          expect(outcomes).toEqual(
            sent.map((each) => expectedOutcome(model.get(each.thing.id) ?? null, expected(model.get(each.thing.id) ?? null, each))),
          )
          for (const each of sent) {
            const row = expected(model.get(each.thing.id) ?? null, each)
            if (row !== null) model.set(each.thing.id, row)
          }
          const after = await rowsOf(bench)
          expect(after.map(({ writes, ...row }) => row)).toEqual([...model.values()].sort((x, y) => (x.id < y.id ? -1 : 1)))
          const quiet = sent.filter((_, index) => outcomes[index] === 'unchanged').map(({ thing: { id } }) => id)
          const writesOf = (rows: typeof after) => rows.filter(({ id }) => quiet.includes(id)).map(({ writes }) => writes)
          expect(writesOf(after)).toEqual(writesOf(before))
        }
      }),
      { numRuns: 40 },
    )
  })
})

onPostgres((opened) => {
  test('batches of the same objects in any order, at once, end without a deadlock', async () => {
    const bench = await benchOf(opened.db, tables, declared())
    const ids = Array.from({ length: 200 }, (_, index) => `k${index}`)
    for (let round = 0; round < 10; round++) {
      const values = (order: readonly string[], a: string) => order.map((id) => ({ id, a, n: round, tags: [a, 'x'] }))
      const isKnown = round > 0
      const results = await Promise.all([
        bench.many(values(ids, `one ${round}`), { isKnown }),
        bench.many(values(ids.toReversed(), `two ${round}`), { isKnown }),
        bench.many(values([...ids.slice(100), ...ids.slice(0, 100)], `three ${round}`), { isKnown }),
      ])
      expect(results.flat().filter((result) => 'failed' in result)).toEqual([])
    }
    expect(await bench.rows('SELECT count(*)::integer AS n, count(DISTINCT a)::integer AS winners FROM public.model')).toEqual([
      { n: 200, winners: 1 },
    ])
  })
})
