import { describe, expect, test } from 'vitest'
import type { Db } from '../../src/store/db.ts'
import { markIncorrect, markSplitFailed } from '../../src/store/message.ts'
import { mostInstancesAtOnce } from '../../src/store/prune.ts'
import { requeueInstances } from '../../src/store/requeue.ts'
import { previewRun } from '../../src/tasks/preview.ts'
import { onBoth, onPostgres } from '../support/both.ts'
import { employeeWith, organization, resetCompany } from '../support/company.ts'
import { createInbox } from '../support/inbox.ts'
import { type Became, correctMessage, instancesOf, receivedMessage, splitMessageOf, statusOf } from '../support/rows.ts'
import { clock, createThings, runNow, work } from '../tasks/support.ts'

/** As if a message had come, and ended, so many days ago. */
async function age(db: Db, id: string, days: number): Promise<string> {
  await db.query(
    `UPDATE sluice.message SET received_at = now() - make_interval(secs => $2),
       finished_at = CASE WHEN finished_at IS NOT NULL THEN now() - make_interval(secs => $2) END WHERE id = $1`,
    [id, days * 86_400],
  )
  return id
}

interface Left {
  body: number
  instances: number
  histories: number
  failures: number
  chunks: number
}

/** What is left of a message; null when its row is gone. */
async function left(db: Db, id: string): Promise<Left | null> {
  const { rows } = await db.query<Left>(
    `SELECT (SELECT count(*)::integer FROM sluice.message_body b WHERE b.upload_id = m.upload_id) AS body,
       (SELECT count(*)::integer FROM sluice.instance i WHERE i.message_id = m.id) AS instances,
       (SELECT count(*)::integer FROM sluice.instance i WHERE i.message_id = m.id AND (changes IS NOT NULL OR history IS NOT NULL)) AS histories,
       (SELECT count(*)::integer FROM sluice.failure f WHERE f.message_id = m.id) AS failures,
       (SELECT count(*)::integer FROM sluice.chunk c WHERE c.message_id = m.id) AS chunks
     FROM sluice.message m WHERE m.id = $1`,
    [id],
  )
  return rows[0] ?? null
}

async function incorrectMessage(db: Db): Promise<string> {
  const id = await receivedMessage(db, 1)
  await markIncorrect(db, id, 1, { code: 'schema' })
  return id
}

const untouched = { body: 1, instances: 2, histories: 2, failures: 0, chunks: 1 }
const everything = { body: 1, history: 1, instances: 1, message: 1 }

describe('retention', () => {
  onBoth((opened) => {
    test('each part goes by its own age, and nothing else with it', async () => {
      const { db } = opened
      const services = createThings(db, { retention: { processed: { body: 10, history: 20, instances: 30, message: 40 } } })
      const ids = []
      for (const days of [5, 15, 25, 35, 45].reverse()) ids.unshift(await age(db, await splitMessageOf(db, ['created', 'updated']), days))
      const run = await runNow(services, 'prune')
      expect(run).toMatchObject({ state: 'finished', result: { messages: 1, instances: 4, histories: 1, bodies: 3 } })
      expect(await Promise.all(ids.map((id) => left(db, id)))).toEqual([
        untouched,
        { ...untouched, body: 0 },
        { ...untouched, body: 0, histories: 0 },
        { body: 0, instances: 0, histories: 0, failures: 0, chunks: 1 },
        null,
      ])
      expect((await runNow(services, 'prune')).result).toEqual({})
    })

    test('each status has its own ages', async () => {
      const { db } = opened
      const [good, bad, wrong] = [
        await splitMessageOf(db, ['created']),
        await splitMessageOf(db, ['permanent']),
        await incorrectMessage(db),
      ]
      for (const id of [good, bad, wrong]) await age(db, id, 30)
      await runNow(
        createThings(db, { retention: { processed: { body: 40 }, processedWithErrors: { instances: 20 }, incorrect: { body: 20 } } }),
        'prune',
      )
      expect(await left(db, good)).toMatchObject({ body: 1, instances: 1 })
      expect(await left(db, bad)).toMatchObject({ body: 1, instances: 0, failures: 0 })
      expect(await left(db, wrong)).toMatchObject({ body: 0 })
      await runNow(createThings(db, { retention: { incorrect: { message: 20 } } }), 'prune')
      expect(await left(db, wrong)).toBeNull()
      expect(await left(db, good)).not.toBeNull()
    })

    test('by default every message stays', async () => {
      const { db } = opened
      const ids = [await splitMessageOf(db, ['created', 'updated']), await incorrectMessage(db)]
      for (const id of ids) await age(db, id, 10_000)
      expect((await runNow(createThings(db), 'prune')).result).toEqual({})
      expect(await left(db, ids[0] ?? '')).toEqual(untouched)
    })

    test('nothing of an unfinished message goes, nor of one that something comes again of by itself', async () => {
      const { db } = opened
      const failedSplit = await correctMessage(db, 1)
      await markSplitFailed(db, failedSplit, { code: 'split_failed' })
      const ids = [
        await receivedMessage(db, 1),
        await correctMessage(db, 1),
        failedSplit,
        await splitMessageOf(db, ['created', 'waiting']),
        await splitMessageOf(db, ['created', 'transient']),
      ]
      const again = await splitMessageOf(db, ['permanent'])
      await requeueInstances(db, [{ messageId: again, ordinal: 0 }], { chunkSize: 10 })
      ids.push(again)
      for (const id of ids) await age(db, id, 1000)
      const before = await Promise.all(ids.map((id) => left(db, id)))
      const retention = { processed: everything, processedWithErrors: everything, incorrect: { body: 1, message: 1 } }
      expect((await runNow(createThings(db, { retention }), 'prune')).result).toEqual({})
      expect(await Promise.all(ids.map((id) => left(db, id)))).toEqual(before)
    })

    test.each([
      { part: 'body_pruned_at', from: 'received' },
      { part: 'instances_pruned_at', from: 'split' },
    ] as const)('the database refuses $part of a message that is only $from', async ({ part, from }) => {
      const { db } = opened
      const id = from === 'received' ? await receivedMessage(db, 1) : await splitMessageOf(db, ['waiting'])
      await expect(db.query(`UPDATE sluice.message SET ${part} = now() WHERE id = $1`, [id])).rejects.toMatchObject({ sqlstate: '23514' })
    })

    test("nothing goes of a message that waits for an editor, though it isn't tried again by the clock", async () => {
      const { db } = opened
      const [waits, failed] = [await splitMessageOf(db, ['permanent']), await splitMessageOf(db, ['permanent'])]
      for (const id of [waits, failed]) await age(db, id, 1000)
      await db.query("UPDATE sluice.failure SET code = 'editor_draft', due_at = NULL WHERE message_id = $1", [waits])
      await runNow(createThings(db, { retention: { processedWithErrors: everything } }), 'prune')
      expect(await left(db, waits)).toMatchObject({ body: 1, instances: 1, failures: 1 })
      expect(await left(db, failed)).toBeNull()
    })

    test('a dry run tells what would go, and removes nothing', async () => {
      const { db } = opened
      const id = await age(db, await splitMessageOf(db, ['created', 'updated']), 30)
      const services = createThings(db, { retention: { processed: { body: 20, instances: 20 }, runs: 1 } })
      const size = Buffer.byteLength('[{"id":"0"},{"id":"1"}]')
      expect(await previewRun(services, 'prune', {})).toEqual({
        unit: 'messages',
        count: 1,
        rules: [
          { what: 'instances', status: 3, days: 20, count: 1, instances: 2, bytes: 0 },
          { what: 'body', status: 3, days: 20, count: 1, instances: 0, bytes: size },
          { what: 'runs', days: 1, count: 0, instances: 0, bytes: 0 },
        ],
      })
      expect(await left(db, id)).toEqual(untouched)
    })

    test('a large message goes in transactions of bounded size; a failure in between leaves nothing half shown, and the next run ends it', async () => {
      const { db } = opened
      const total = 2 * mostInstancesAtOnce + 1
      const id = await age(
        db,
        await splitMessageOf(
          db,
          Array.from({ length: total }, (): Became => 'permanent'),
          { chunkSize: 5000 },
        ),
        30,
      )
      await db.exec(`
        CREATE TABLE public.removed (instances integer);
        CREATE FUNCTION public.note_removed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER note_removed AFTER DELETE ON sluice.instance REFERENCING OLD TABLE AS gone
          FOR EACH STATEMENT EXECUTE FUNCTION public.note_removed()`)
      const breaks = async (value: string): Promise<void> => {
        await db.exec(
          `CREATE OR REPLACE FUNCTION public.note_removed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO public.removed SELECT count(*) FROM gone;
             IF ${value} AND (SELECT count(*) FROM public.removed) = 2 THEN RAISE EXCEPTION 'broken here'; END IF;
             RETURN NULL; END $$`,
        )
      }
      try {
        await breaks('true')
        const services = createThings(db, { retention: { processedWithErrors: { instances: 20 } } })
        expect(await runNow(services, 'prune')).toMatchObject({ state: 'failed', error: { message: 'broken here' } })
        expect(await left(db, id)).toMatchObject({ instances: mostInstancesAtOnce + 1, failures: mostInstancesAtOnce + 1 })
        // What counts as gone isn't put back.
        expect(await requeueInstances(db, [{ messageId: id, ordinal: total - 1 }], { chunkSize: 10 })).toBe(0)
        expect(await statusOf(db, id)).toBe(-3)
        await breaks('false')
        // Its rule may be gone by then.
        expect(await runNow(createThings(db), 'prune')).toMatchObject({ state: 'finished', result: { instances: mostInstancesAtOnce + 1 } })
        expect(await left(db, id)).toMatchObject({ instances: 0, failures: 0, chunks: 5 })
        expect((await runNow(services, 'prune')).result).toEqual({})
        const { rows } = await db.query<{ most: number }>('SELECT max(instances) AS most FROM public.removed')
        expect(rows[0]?.most).toBe(mostInstancesAtOnce)
      } finally {
        await db.exec('DROP FUNCTION public.note_removed CASCADE; DROP TABLE public.removed')
      }
    }, 60_000)

    test('bodies pruned, instances still come again; what a replay writes then is history anew', async () => {
      const { db } = opened
      const services = createThings(db, { retention: { processed: { body: 20, history: 20 } } })
      const id = await age(db, await splitMessageOf(db, ['created']), 30)
      await runNow(services, 'prune')
      expect(await left(db, id)).toMatchObject({ body: 0, histories: 0 })
      await runNow(services, 'reprocess', { messages: [id], replay: true })
      await work(services)
      expect(await statusOf(db, id)).toBe(3)
      expect((await instancesOf(db, id))[0]?.history).toHaveLength(1)
      const mark = async () =>
        (await db.query('SELECT history_pruned_at AS history, body_pruned_at IS NOT NULL AS body FROM sluice.message WHERE id = $1', [id]))
          .rows
      expect(await mark()).toEqual([{ history: null, body: true }])
      expect(await left(db, id)).toMatchObject({ histories: 1 })
      await age(db, id, 30)
      await runNow(services, 'prune')
      expect(await left(db, id)).toMatchObject({ histories: 0 })
    })

    test('a recount leaves out what has no instances any more', async () => {
      const { db } = opened
      const services = createThings(db, { retention: { processed: { instances: 20 } } })
      const id = await age(db, await splitMessageOf(db, ['created']), 30)
      await runNow(services, 'prune')
      expect((await runNow(services, 'rollup', { messages: [id] })).result).toEqual({ messages: 0, differing: [] })
    })

    test('the ledger stays: old news of a message that is gone does not come over new, and links are filled all the same', async () => {
      const { db } = opened
      await resetCompany(db)
      const retention = { processed: { message: 10 }, processedWithErrors: { message: 10 } }
      const inbox = createInbox(db, [organization, employeeWith('defer')], { retention })
      await inbox.process('organization', { ms_id: 'o-1', title: 'New', changed_at: '2026-05-02' })
      await inbox.process('employee', { ms_id: 'e-1', name: 'Ada', organization_ms_id: 'o-2' })
      const known = await inbox.rows(
        'SELECT integration, external_id, version, message_id, ordinal, fields, target_ref FROM sluice.object ORDER BY 1, 2',
      )
      expect(known).toHaveLength(2)
      for (const { id } of await inbox.rows<{ id: string }>('SELECT id FROM sluice.message')) await age(db, id, 30)
      expect((await runNow(inbox.services, 'prune')).result).toMatchObject({ messages: 2 })
      expect(await inbox.rows('SELECT FROM sluice.message')).toEqual([])
      expect(
        await inbox.rows(
          'SELECT integration, external_id, version, message_id, ordinal, fields, target_ref FROM sluice.object ORDER BY 1, 2',
        ),
      ).toEqual(known)
      expect(await inbox.process('organization', { ms_id: 'o-1', title: 'Old', changed_at: '2026-05-01' })).toMatchObject([
        { outcome: 'superseded' },
      ])
      await inbox.process('organization', { ms_id: 'o-2', title: 'Came late', changed_at: '2026-05-01' })
      expect(await inbox.rows('SELECT o.title FROM public.employee e JOIN public.organization o ON o.id = e.organization_id')).toEqual([
        { title: 'Came late' },
      ])
      expect(await inbox.rows("SELECT title FROM public.organization WHERE ms_id = 'o-1'")).toEqual([{ title: 'New' }])
    })

    test('runs that ended go by their own age, whoever started them; the audit log has its own', async () => {
      const { db } = opened
      const services = createThings(db, { retention: { runs: 10 } })
      await runNow(services, 'split')
      await runNow(services, 'split', {}, clock())
      await db.query("UPDATE sluice.task_run SET created_at = now() - interval '20 days', finished_at = now() - interval '20 days'")
      // A run that never came to its end isn't over, however old.
      await db.query("INSERT INTO sluice.task_run (task, started_by, created_at) VALUES ('process', 'event', now() - interval '20 days')")
      await db.exec(`ALTER TABLE sluice.audit_log DISABLE TRIGGER audit_log_kept;
        UPDATE sluice.audit_log SET at = now() - interval '20 days';
        ALTER TABLE sluice.audit_log ENABLE TRIGGER audit_log_kept`)
      await runNow(services, 'rollup')
      expect((await runNow(services, 'prune')).result).toEqual({ runs: 2 })
      const { rows } = await db.query('SELECT task FROM sluice.task_run ORDER BY id')
      expect(rows).toEqual([{ task: 'process' }, { task: 'rollup' }, { task: 'prune' }])
      const audited = async () =>
        (await db.query<{ count: number }>('SELECT count(*)::integer AS count FROM sluice.audit_log')).rows[0]?.count
      expect(await audited()).toBe(3)
      expect((await runNow(createThings(db, { retention: { audit: 10 } }), 'prune')).result).toEqual({ audit: 1 })
    })

    test('an option of days that is no age, and a parameter of a run, are refused', async () => {
      const { db } = opened
      for (const retention of [{ runs: 0 }, { processed: { body: -1 } }, { incorrect: { instances: 3 } }])
        expect(() => createThings(db, { retention } as never)).toThrow(expect.objectContaining({ code: 'invalid_config' }))
      await expect(runNow(createThings(db), 'prune', { integration: 'thing' })).rejects.toMatchObject({ code: 'invalid_parameters' })
    })
  })

  onPostgres((opened) => {
    test('a message that somebody has in hand is passed over, and nobody waits for anybody', async () => {
      const { db } = opened
      const ids: string[] = []
      for (let count = 0; count < 3; count++) ids.push(await age(db, await splitMessageOf(db, ['created']), 30))
      const services = createThings(db, { retention: { processed: { message: 10 } } })
      await db.transaction(async (tx) => {
        await tx.query('SELECT FROM sluice.message WHERE id = $1 FOR UPDATE', [ids[1] ?? ''])
        expect((await runNow(services, 'prune')).result).toMatchObject({ messages: 2 })
      })
      expect(await Promise.all(ids.map(async (id) => (await left(db, id)) === null))).toEqual([true, false, true])
      expect((await runNow(services, 'prune')).result).toMatchObject({ messages: 1 })
    })

    test('two runs at once remove each thing once', async () => {
      const { db } = opened
      for (let count = 0; count < 20; count++) await age(db, await splitMessageOf(db, ['created', 'updated']), 30)
      const services = createThings(db, { retention: { processed: { body: 10, message: 20 } } })
      const runs = await Promise.all([
        runNow(services, 'prune', {}, clock()),
        runNow(services, 'prune', {}, clock()),
        runNow(services, 'prune'),
      ])
      const sum = (name: string) => runs.reduce((count, { result }) => count + Number(result?.[name] ?? 0), 0)
      expect([sum('messages'), sum('instances')]).toEqual([20, 40])
      expect((await db.query('SELECT FROM sluice.message')).rowCount).toBe(0)
    })
  })
})
