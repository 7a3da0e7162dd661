/** What is wrong with one object, link or target stays with it: nothing else waits for ever because of it. */
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration, type Integration } from '../../src/config.ts'
import { processChunks, splitMessage, sweepReferences } from '../../src/flow/index.ts'
import { requeueInstances } from '../../src/store/requeue.ts'
import type { TargetBuilder } from '../../src/targets/builder.ts'
import type { TargetSpec } from '../../src/targets/target.ts'
import { onBoth, onPostgres } from '../support/both.ts'
import { employee, employeeWith, organization, resetCompany } from '../support/company.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'

const Loose = z.object({ ms_id: z.string() }).loose()
type Loose = z.infer<typeof Loose>

function loose(name: string, target: (t: TargetBuilder<Loose>) => TargetSpec, more: object = {}): Integration {
  return defineIntegration({ name, schema: Loose, key: 'ms_id', target, ...more })
}

const words = async (inbox: Inbox, id: string): Promise<string[]> =>
  (await inbox.outcomes(id)).map(({ outcome, error }) => outcome ?? error?.code ?? 'waiting')

const [o1, o2] = ['o1', 'o2'].map((ms_id) => ({ ms_id, title: ms_id, changed_at: '2024-01-01' }))

onBoth((opened) => {
  beforeEach(async () => {
    await resetCompany(opened.db)
    await opened.db.exec(`
      DROP TABLE IF EXISTS public.badge, public.thing, public.country;
      CREATE TABLE public.badge (ms_id text PRIMARY KEY, o bigint);
      CREATE TABLE public.thing (ms_id text PRIMARY KEY, d jsonb);
    `)
  })
  const badge = loose('badge', (t) => t.table('public.badge', { key: 'ms_id', columns: { o: t.ref('organization', 'o') } }))
  const thing = loose('thing', (t) => t.table('public.thing', { key: 'ms_id', columns: { d: 'd' } }))

  describe('texts that PostgreSQL cannot hold', () => {
    test.each<[where: string, code: string, target: (t: TargetBuilder<Loose>) => TargetSpec]>([
      ['the key of a JSON value', 'unstorable_text', (t) => t.table('public.thing', { key: 'ms_id', columns: { d: 'd' } })],
      [
        'the error of a mapping function',
        'mapping_failed',
        (t) =>
          t.table('public.thing', {
            key: 'ms_id',
            columns: {
              d: (o) => {
                if (o.ms_id === '2') throw new Error(`no ${String(o.bad)}`)
                return 1
              },
            },
          }),
      ],
      [
        'the error of a handler',
        'handler_error',
        (t) =>
          t.handler({
            apply: (o) => {
              if (o.ms_id === '2') throw new Error(`no ${String(o.bad)}`)
              return 'created'
            },
          }),
      ],
      [
        'the detail of a handler',
        'updated',
        (t) => t.handler({ apply: (o) => (o.ms_id === '2' ? { outcome: 'updated', detail: String(o.bad) } : 'created') }),
      ],
      [
        'the changes of a handler',
        'invalid_result',
        (t) =>
          t.handler({
            apply: (o) => (o.ms_id === '2' ? { outcome: 'updated', changes: { a: { before: 1, after: o.bad } } } : 'created'),
          }),
      ],
      [
        'the ref of a handler',
        'invalid_result',
        (t) => t.handler({ apply: (o) => ({ outcome: 'created', ref: o.ms_id === '2' ? String(o.bad) : '7' }) }),
      ],
    ])('in %s: its own object alone is %s', async (_where, code, target) => {
      const inbox = createInbox(opened.db, [loose('x', target)])
      for (const bad of ['a\\u0000', '\\ud800']) {
        const { id } = await inbox.send('x', `[{"ms_id":"1","d":1},{"ms_id":"2","d":{"k${bad}":1},"bad":"${bad}"},{"ms_id":"3","d":1}]`)
        await inbox.drain()
        const [first, second, third] = await words(inbox, id)
        expect([first, third].every((word) => word === 'created' || word === 'unchanged')).toBe(true)
        expect(second).toBe(code)
      }
    })
  })

  test('a chunk that fails for what only the database sees goes object by object; others of its size do not go with it', async () => {
    await opened.db.exec(`
      CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON sluice.object FOR EACH ROW WHEN (NEW.external_id = 'p') EXECUTE FUNCTION public.refuse();
    `)
    try {
      const inbox = createInbox(opened.db, [thing])
      const ids: string[] = []
      for (const body of [[{ ms_id: 'a' }, { ms_id: 'p' }], [{ ms_id: 'b' }], [{ ms_id: 'c' }]]) {
        const { id } = await inbox.send('thing', body)
        await splitMessage(inbox.services, id)
        ids.push(id)
      }
      for (let round = 0; round < 4; round++) {
        await inbox.rows("UPDATE sluice.chunk SET due_at = now() WHERE state = 'ready'")
        await inbox.drain()
      }
      expect(await Promise.all(ids.map((id) => words(inbox, id)))).toEqual([['created', 'database_error'], ['created'], ['created']])
      expect(await Promise.all(ids.map((id) => inbox.status(id)))).toEqual([-3, 3, 3])
    } finally {
      await opened.db.exec('DROP TRIGGER refuse ON sluice.object; DROP FUNCTION public.refuse')
    }
  })

  describe('links', () => {
    test('one that the target refuses is set aside; the others are filled, and what waits goes on', async () => {
      await opened.db.exec('ALTER TABLE public.employee ADD UNIQUE (organization_id)')
      const inbox = createInbox(opened.db, [organization, employeeWith('defer'), badge])
      await inbox.process('employee', [
        { ms_id: 'e1', name: 'a', organization_ms_id: 'o1' },
        { ms_id: 'e2', name: 'b', organization_ms_id: 'o1' },
        { ms_id: 'e3', name: 'c', organization_ms_id: 'o2' },
      ])
      const waiting = await inbox.send('badge', [
        { ms_id: 'b1', o: 'o1' },
        { ms_id: 'b2', o: 'o2' },
      ])
      await inbox.drain()
      const came = await inbox.send('organization', [o1, o2])
      await inbox.drain()
      expect(await inbox.status(came.id)).toBe(3)
      expect(await inbox.status(waiting.id)).toBe(3)
      const linked = await inbox.rows('SELECT ms_id FROM public.employee WHERE organization_id IS NOT NULL ORDER BY 1')
      expect(linked).toEqual([{ ms_id: 'e1' }, { ms_id: 'e3' }])
      const aside = 'SELECT external_id, error FROM sluice.deferred_link'
      expect(await inbox.rows(aside)).toEqual([{ external_id: 'e2', error: expect.stringContaining('unique') }])
      // The next version of its object tries again.
      await opened.db.exec('ALTER TABLE public.employee DROP CONSTRAINT employee_organization_id_key')
      await inbox.process('employee', [{ ms_id: 'e2', name: 'b', organization_ms_id: 'o1' }])
      await inbox.drain()
      expect(await inbox.rows('SELECT FROM public.employee WHERE organization_id IS NULL')).toEqual([])
      expect(await inbox.rows(aside)).toEqual([])
    })

    test('of an integration that left the config keep nothing else waiting', async () => {
      const before = createInbox(opened.db, [organization, employeeWith('defer'), badge])
      await before.process('employee', [{ ms_id: 'e1', name: 'a', organization_ms_id: 'o1' }])
      const inbox = createInbox(opened.db, [organization, badge])
      const { id } = await inbox.send('badge', [{ ms_id: 'b1', o: 'o1' }])
      await inbox.drain()
      await inbox.process('organization', [o1])
      expect(await words(inbox, id)).toEqual(['created'])
    })

    test('whose target does not fit any more pause nobody else', async () => {
      const inbox = createInbox(opened.db, [organization, employeeWith('defer')])
      await inbox.process('employee', [{ ms_id: 'e1', name: 'a', organization_ms_id: 'o1' }])
      await opened.db.exec('ALTER TABLE public.employee DROP COLUMN organization_id')
      const { id } = await inbox.send('organization', [o1])
      await inbox.drain()
      expect(await inbox.status(id)).toBe(3)
      expect(await inbox.rows('SELECT FROM sluice.paused_integration')).toEqual([])
    })

    test('go with the version that they belong to, also when the mapping defers no more', async () => {
      const before = createInbox(opened.db, [organization, employeeWith('defer')])
      await before.process('employee', [{ ms_id: 'e1', name: 'a', organization_ms_id: 'o1' }])
      const inbox = createInbox(opened.db, [organization, employeeWith('wait')])
      await inbox.process('organization', [o2])
      await inbox.process('employee', [{ ms_id: 'e1', name: 'a', organization_ms_id: 'o2' }])
      await inbox.process('organization', [o1])
      const rows = await inbox.rows('SELECT o.ms_id FROM public.employee e JOIN public.organization o ON o.id = e.organization_id')
      expect(rows).toEqual([{ ms_id: 'o2' }])
    })
  })

  test('a lookup table that is gone does not keep the sweep from releasing what waits for other things', async () => {
    await opened.db.exec('CREATE TABLE public.country (id bigint PRIMARY KEY, code text UNIQUE)')
    const resident = loose('resident', (t) =>
      t.table('public.thing', { key: 'ms_id', columns: { d: t.ref({ table: 'public.country', key: 'code' }, 'c') } }),
    )
    const inbox = createInbox(opened.db, [resident, organization, badge])
    await inbox.send('resident', [{ ms_id: 'r', c: 'de' }])
    const { id } = await inbox.send('badge', [{ ms_id: 'b1', o: 'o1' }])
    await inbox.drain()
    await opened.db.exec('DROP TABLE public.country')
    await inbox.rows("UPDATE sluice.awaited_reference SET came_at = now() WHERE wanted_id = 'o1'")
    await sweepReferences(inbox.services)
    const [instance] = await inbox.rows('SELECT status FROM sluice.instance WHERE message_id = $1', [id])
    expect(instance).toEqual({ status: 0 })
  })

  test('a partial object supplies its fields to a row that only the table knows', async () => {
    const inbox = createInbox(opened.db, [
      loose('employee', (t) => t.table('public.employee', { key: 'ms_id', columns: { name: 'name', age: 'age' } })),
    ])
    await opened.db.exec("INSERT INTO public.employee (ms_id, name) VALUES ('e1', 'Ann')")
    expect(await inbox.process('employee', [{ ms_id: 'e1', age: 3 }])).toMatchObject([{ outcome: 'updated' }])
    expect(await inbox.process('employee', [{ ms_id: 'e2', age: 3 }])).toMatchObject([{ error: { code: 'not_null_violation' } }])
  })

  test('a deletion of what the ledger does not know waits for no reference', async () => {
    const gone = { deleted: (o: unknown) => (o as Loose).gone === true }
    const target = (t: TargetBuilder<Loose>) =>
      t.table('public.employee', {
        key: 'ms_id',
        columns: { name: 'name', organization_id: t.ref('organization', 'o') },
        onDelete: 'delete',
      })
    const inbox = createInbox(opened.db, [organization, loose('employee', target, gone)])
    await opened.db.exec("INSERT INTO public.employee (ms_id, name) VALUES ('e2', 'Ann')")
    const outcomes = await inbox.process('employee', [
      { ms_id: 'e1', name: 'a', o: 'never', gone: true },
      { ms_id: 'e2', name: 'a', o: 'never', gone: true },
    ])
    expect(outcomes).toMatchObject([{ outcome: 'ignored' }, { outcome: 'deleted' }])
    expect(await inbox.rows('SELECT FROM public.employee')).toEqual([])
  })

  test('a handler that ignores a living object leaves it what references resolve to', async () => {
    const other = loose('other', (t) => t.handler({ apply: (o) => (o.v === 1 ? { outcome: 'created', ref: '77' } : 'ignored') }))
    const pin = loose('pin', (t) => t.table('public.badge', { key: 'ms_id', columns: { o: t.ref('other', 'o') } }))
    const inbox = createInbox(opened.db, [other, pin])
    await inbox.process('other', [{ ms_id: '1', v: 1 }])
    await inbox.process('other', [{ ms_id: '1', v: 2 }])
    expect(await inbox.process('pin', [{ ms_id: 'b', o: '1' }])).toMatchObject([{ outcome: 'created' }])
  })

  test('a click gives a transient failure all its retries again', async () => {
    const down = loose('down', (t) =>
      t.handler({
        apply: () => {
          throw new Error('down')
        },
      }),
    )
    const inbox = createInbox(opened.db, [down])
    const { id } = await inbox.send('down', [{ ms_id: '1' }])
    await inbox.drain()
    const again = async (byClick: boolean) => {
      await requeueInstances(opened.db, [{ messageId: id, ordinal: 0 }], { chunkSize: 10, byClick })
      await inbox.drain()
    }
    const due = () => inbox.rows('SELECT attempts, due_at IS NOT NULL AS due FROM sluice.failure')
    for (let retry = 0; retry < 10; retry++) await again(false)
    expect(await due()).toEqual([{ attempts: 11, due: false }])
    await again(true)
    expect(await due()).toEqual([{ attempts: 12, due: true }])
  })

  test('a required reference to itself says so', async () => {
    const self = loose('self', (t) => t.table('public.badge', { key: 'ms_id', columns: { o: t.ref('self', 'o') } }))
    const inbox = createInbox(opened.db, [self])
    const [outcome] = await inbox.process('self', [{ ms_id: '1', o: '1' }])
    expect(outcome?.error?.message).toBe(
      `Waits for self "1" (o): itself. It can only be applied where that reference is deferred (missing: 'defer').`,
    )
  })

  test('a newer draft does not supersede an older live version', async () => {
    const seen: unknown[] = []
    const apply = (o: Loose, { asDraft }: { asDraft: boolean }) => {
      seen.push([o.v, asDraft])
      return { outcome: 'created' as const, ref: '5' }
    }
    const other = loose('other', (t) => t.handler({ apply }), { version: { field: 'v', type: 'integer' } })
    const pin = loose('pin', (t) => t.table('public.badge', { key: 'ms_id', columns: { o: t.ref('other', 'o') } }))
    const inbox = createInbox(opened.db, [other, pin])
    await inbox.send('other', [{ ms_id: '1', v: 5 }], { draft: true })
    await inbox.drain()
    expect(await inbox.process('pin', [{ ms_id: 'b', o: '1' }])).toMatchObject([{ outcome: 'created' }])
    expect(await inbox.process('other', [{ ms_id: '1', v: 3 }])).toMatchObject([{ outcome: 'created' }])
    expect(await inbox.process('other', [{ ms_id: '1', v: 2 }])).toMatchObject([{ outcome: 'superseded' }])
    expect(seen).toEqual([
      [5, true],
      [3, false],
    ])
  })
})

// PGlite has no clock that cancels a statement.
onPostgres((opened) => {
  beforeEach(() => resetCompany(opened.db))

  test('an object whose statement always runs too long fails by itself', { timeout: 60_000 }, async () => {
    await opened.db.exec(`
      CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.name = 'slow' THEN PERFORM pg_catalog.pg_sleep(3); END IF; RETURN NEW; END $$;
      CREATE TRIGGER slow BEFORE INSERT ON public.employee FOR EACH ROW EXECUTE FUNCTION public.slow()`)
    try {
      const inbox = createInbox(opened.db, [organization, employee], { worker: { lease: 1 } })
      const { id } = await inbox.send('employee', [
        { ms_id: '1', name: 'a' },
        { ms_id: '2', name: 'slow' },
        { ms_id: '3', name: 'b' },
      ])
      await splitMessage(inbox.services, id)
      for (let round = 0; round < 4; round++) {
        await inbox.rows("UPDATE sluice.chunk SET due_at = now() WHERE state = 'ready'")
        const chunks = await inbox.claim()
        if (chunks.length > 0) await processChunks(inbox.services, chunks, new AbortController().signal)
      }
      expect(await words(inbox, id)).toEqual(['created', 'statement_timeout', 'created'])
    } finally {
      await opened.db.exec('DROP TRIGGER slow ON public.employee; DROP FUNCTION public.slow')
    }
  })
})
