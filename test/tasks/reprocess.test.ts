import { describe, expect, test } from 'vitest'
import { failed } from '../../src/model/outcome.ts'
import type { RunParameters } from '../../src/model/task.ts'
import { requeueInstances } from '../../src/store/requeue.ts'
import { previewRun } from '../../src/tasks/preview.ts'
import { executeNextRun } from '../../src/tasks/run.ts'
import { onBoth, onPostgres } from '../support/both.ts'
import { type Became, chunksOf, correctMessage, instancesOf, splitMessageOf, statusOf } from '../support/rows.ts'
import { clock, createThings, findRun, runNow, splitAndWork, work } from './support.ts'

describe('reprocess', () => {
  onBoth((opened) => {
    test('a click puts back every failure it chooses, whatever its class, and the message ends well', async () => {
      const { db } = opened
      const services = createThings(db)
      const id = await splitMessageOf(db, ['created', 'transient', 'permanent', 'missing_reference', 'invalid'])
      const other = await splitMessageOf(db, ['permanent'])
      const run = await runNow(services, 'reprocess', { messages: [id] })
      expect(run).toMatchObject({ state: 'finished', result: { messages: 1, instances: 4, chunks: 1 } })
      expect(await statusOf(db, id)).toBe(2)
      await work(services)
      expect(await statusOf(db, id)).toBe(3)
      expect(await statusOf(db, other)).toBe(-3)
    })

    test('what failed for a real reason is processed when the reason is mended', async () => {
      const { db } = opened
      let mended = false
      const services = createThings(db, { apply: () => (mended ? 'created' : failed('no_budget', 'the budget is used up')) })
      const id = await correctMessage(db, 3)
      await splitAndWork(services, id)
      expect(await statusOf(db, id)).toBe(-3)
      mended = true
      expect((await runNow(services, 'reprocess', { errorCode: 'no_budget' })).result).toEqual({ messages: 1, instances: 3, chunks: 1 })
      await work(services)
      expect(await statusOf(db, id)).toBe(3)
      expect((await instancesOf(db, id)).map((instance) => [instance.outcome, instance.attempts, instance.generation])).toEqual(
        Array.from({ length: 3 }, () => ['created', 2, 0]),
      )
    })

    test('a click takes the filters of the lists: cause, object, status, source, time and text', async () => {
      const { db } = opened
      const services = createThings(db)
      const first = await splitMessageOf(db, ['permanent', 'permanent', 'created'])
      const second = await splitMessageOf(db, ['permanent'])
      await db.query("UPDATE sluice.failure SET fingerprint = 'other' WHERE message_id = $1 AND ordinal = 1", [first])
      const [{ integration, externalId, source } = { integration: '', externalId: '', source: '' }] = (
        await db.query<{ integration: string; externalId: string; source: string }>(
          `SELECT i.integration, i.external_id AS "externalId", m.source FROM sluice.instance i JOIN sluice.message m ON m.id = i.message_id
           WHERE m.id = $1 AND i.ordinal = 0`,
          [first],
        )
      ).rows
      const counted = async (filter: RunParameters): Promise<number> => (await previewRun(services, 'reprocess', filter)).count
      const from = '2020-01-01T00:00:00Z'
      expect(await counted({})).toBe(3)
      expect(await counted({ fingerprint: 'other' })).toBe(1)
      expect(await counted({ fingerprint: 'other', replay: true })).toBe(1)
      expect(await counted({ integration, externalId, messages: [first] })).toBe(1)
      expect(await counted({ integration, externalId, messages: [first], replay: true })).toBe(1)
      expect(await counted({ messages: [first], replay: true })).toBe(3)
      expect(await counted({ status: -3 })).toBe(3)
      expect(await counted({ status: 3 })).toBe(0)
      expect(await counted({ source })).toBe(3)
      expect(await counted({ source: 'nobody' })).toBe(0)
      expect(await counted({ from })).toBe(3)
      expect(await counted({ to: from })).toBe(0)
      expect(await counted({ from, text: '%' })).toBe(0)
      expect(await counted({ from, text: externalId, messages: [second] })).toBe(
        await counted({ integration, externalId, messages: [second] }),
      )
      expect((await previewRun(services, 'rollup', { messages: [first, second], integration, externalId, status: -3 })).unit).toBe(
        'messages',
      )
      expect((await previewRun(services, 'split', { status: -2, from, text: 'x' })).count).toBe(0)
      await expect(counted({ externalId })).rejects.toMatchObject({ code: 'invalid_parameters' })
      await expect(counted({ text: 'x' })).rejects.toMatchObject({ code: 'invalid_parameters' })
      await expect(previewRun(services, 'split', { fingerprint: 'other' })).rejects.toMatchObject({ code: 'invalid_parameters' })
      expect((await runNow(services, 'reprocess', { fingerprint: 'other' })).result).toEqual({ messages: 1, instances: 1, chunks: 1 })
    })

    test('a kept invalid object is checked again, and fails again', async () => {
      const { db } = opened
      const services = createThings(db, { onInvalid: 'keep-valid' })
      const id = await correctMessage(db, 2)
      await db.query(
        `UPDATE sluice.message_body b SET bytes = '[{"id":"0"},{"id":1}]'::bytea FROM sluice.message m WHERE m.id = $1 AND b.upload_id = m.upload_id`,
        [id],
      )
      await splitAndWork(services, id)
      expect(await statusOf(db, id)).toBe(-3)
      expect((await runNow(services, 'reprocess', { messages: [id] })).result).toMatchObject({ instances: 1 })
      await work(services)
      expect(await statusOf(db, id)).toBe(-3)
      expect((await instancesOf(db, id))[1]).toMatchObject({ status: -2, history: [{ error: { code: 'invalid' } }] })
    })

    test('the clock takes transient failures that are due and not too old, and nothing else', async () => {
      const { db } = opened
      const services = createThings(db)
      const due = await splitMessageOf(db, ['transient', 'transient', 'permanent', 'missing_reference', 'transient'])
      const old = await splitMessageOf(db, ['transient'], { daysAgo: 8 })
      await db.query('UPDATE sluice.failure SET due_at = now() WHERE due_at IS NOT NULL')
      await db.query("UPDATE sluice.failure SET due_at = now() + interval '1 hour' WHERE message_id = $1 AND ordinal = 1", [due])
      // The ten retries are used up: no time is set any more.
      await db.query('UPDATE sluice.failure SET due_at = NULL WHERE message_id = $1 AND ordinal = 4', [due])
      const run = await runNow(services, 'reprocess', { sinceDays: services.config.tasks.reprocess.sinceDays }, clock())
      expect(run.result).toEqual({ messages: 1, instances: 1, chunks: 1 })
      expect((await instancesOf(db, due)).map((instance) => instance.status)).toEqual([0, -2, -2, -2, -2])
      expect(await statusOf(db, old)).toBe(-3)
    })

    test('a replay processes everything chosen again, each with a new generation', async () => {
      const { db } = opened
      const applied: string[] = []
      const services = createThings(db, {
        apply: (thing) => {
          applied.push(thing.id)
          return 'updated'
        },
      })
      const id = await splitMessageOf(db, ['created', 'permanent', 'unchanged'])
      const run = await runNow(services, 'reprocess', { messages: [id], replay: true })
      expect(run.result).toEqual({ messages: 1, instances: 3, chunks: 1 })
      await work(services)
      expect(applied.sort()).toEqual(['0', '1', '2'])
      expect(await statusOf(db, id)).toBe(3)
      expect((await instancesOf(db, id)).map((instance) => instance.generation)).toEqual([1, 1, 1])
    })

    test('a run says the mode of what it puts back', async () => {
      const { db } = opened
      const services = createThings(db)
      const id = await splitMessageOf(db, ['permanent'])
      await runNow(services, 'reprocess', { messages: [id], asDraft: true })
      expect((await chunksOf(db, id)).at(-1)).toMatchObject({ kind: 'retry', isDraft: true })
    })

    test('a filter that matches nothing is a finished run that did nothing', async () => {
      const run = await runNow(createThings(opened.db), 'reprocess', { messages: ['987654321'] })
      expect(run).toMatchObject({ state: 'finished', result: { messages: 0, instances: 0, chunks: 0 } })
    })

    test('a run goes on where its lost worker had come, and puts nothing back twice', { timeout: 60_000 }, async () => {
      const { db } = opened
      const services = createThings(db)
      const id = await splitMessageOf(
        db,
        Array.from({ length: 12 }, (): Became => 'created'),
      )
      const { rows } = await db.query<{ id: string }>(
        `INSERT INTO sluice.task_run (task, started_by, parameters, state, worker, lease_until, attempts, started_at, result)
         VALUES ('reprocess', 'click', $1, 'running', 'lost', now() - interval '1 second', 1, now(), $2) RETURNING id`,
        [JSON.stringify({ messages: [id], replay: true }), JSON.stringify({ messages: 1, instances: 5, chunks: 1, reached: `${id}.4` })],
      )
      await requeueInstances(
        db,
        Array.from({ length: 5 }, (_, ordinal) => ({ messageId: id, ordinal })),
        { chunkSize: 1000, replay: true },
      )
      await work(services)
      expect(await executeNextRun(services, 'next')).toBe(true)
      await work(services)
      expect((await instancesOf(db, id)).map((instance) => instance.generation)).toEqual(Array.from({ length: 12 }, () => 1))
      const { rows: finished } = await db.query('SELECT state, result, attempts FROM sluice.task_run WHERE id = $1', [rows[0]?.id ?? ''])
      expect(finished).toEqual([{ state: 'finished', result: expect.stringContaining('"instances": 12'), attempts: 2 }])
    })
  })

  onPostgres((opened) => {
    test('a message that spans two pages is counted once', { timeout: 60_000 }, async () => {
      const { db } = opened
      const size = 10_100
      await splitMessageOf(
        db,
        Array.from({ length: size }, (): Became => 'permanent'),
      )
      await splitMessageOf(db, ['permanent'])
      const run = await runNow(createThings(db), 'reprocess', { integration: 'thing' })
      expect(run.result).toEqual({ messages: 2, instances: size + 1, chunks: 12 })
    })

    test('a click and the clock at once put each failure back once', async () => {
      const { db } = opened
      const services = createThings(db, { chunkSize: 3 })
      const ids = await Promise.all(Array.from({ length: 6 }, () => splitMessageOf(db, ['transient', 'created', 'transient'])))
      await db.query('UPDATE sluice.failure SET due_at = now() WHERE due_at IS NOT NULL')
      const runs = await Promise.all([
        runNow(services, 'reprocess', {}),
        runNow(services, 'reprocess', { sinceDays: 7 }, clock()),
        runNow(services, 'reprocess', { integration: 'thing' }),
      ])
      // One may have been in another's hands when its own asker was done.
      const results = await Promise.all(runs.map(async ({ id }) => (await findRun(db, id)).result))
      expect(results.reduce((sum, result) => sum + Number(result?.instances), 0)).toBe(12)
      await work(services)
      expect(await Promise.all(ids.map((id) => statusOf(db, id)))).toEqual(ids.map(() => 3))
    })
  })
})
