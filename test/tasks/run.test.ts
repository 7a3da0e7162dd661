import { describe, expect, test } from 'vitest'
import { executeNextRun, listTasks, requestRun } from '../../src/tasks/run.ts'
import { tickSchedule } from '../../src/tasks/schedule.ts'
import { onBoth, onPostgres } from '../support/both.ts'
import { type Became, instancesOf, splitMessageOf, statusOf } from '../support/rows.ts'
import { createThings, findRun, runNow } from './support.ts'

describe('runs', () => {
  onBoth((opened) => {
    test('equal clicks while queued are one run, however they are written', async () => {
      const { db } = opened
      const click = { startedBy: 'click', actor: 'anna' } as const
      const first = await requestRun(db, 'reprocess', { messages: ['2', '1'], draft: undefined }, click)
      expect(await requestRun(db, 'reprocess', { messages: ['1', '2', '2'] }, { startedBy: 'click', actor: 'boris' })).toEqual(first)
      expect(await requestRun(db, 'reprocess', { messages: ['1', '2'], draft: true }, click)).not.toEqual(first)
      expect(await findRun(db, first.id)).toMatchObject({ actor: 'anna', state: 'queued', parameters: { messages: ['1', '2'] } })
    })

    test('what can be no id is refused at once, and nothing is queued', async () => {
      const { db } = opened
      await expect(requestRun(db, 'split', { messages: ['12x'] }, { startedBy: 'click' })).rejects.toMatchObject({
        code: 'invalid_parameters',
      })
      // A replay of everything, or of nearly everything.
      for (const more of [{}, { status: 3 }, { to: '2999-01-01T00:00:00Z' }, { source: 'erp' }, { draft: false }]) {
        await expect(requestRun(db, 'reprocess', { replay: true, ...more }, { startedBy: 'click' })).rejects.toMatchObject({
          code: 'invalid_parameters',
        })
      }
      expect((await db.query('SELECT FROM sluice.task_run')).rows).toEqual([])
    })

    test('nothing queued is nothing done', async () => {
      expect(await executeNextRun(createThings(opened.db), 'w')).toBe(false)
    })

    test('a run for an integration that the config lacks fails and says what there is', async () => {
      const run = await runNow(createThings(opened.db), 'reprocess', { integration: 'thong' })
      expect(run).toMatchObject({ state: 'failed', error: { code: 'unknown_integration', message: expect.stringContaining('thing') } })
    })

    test('a worker that stops gives the run back; another ends it', async () => {
      const { db } = opened
      const services = createThings(db)
      const id = await splitMessageOf(db, ['permanent'])
      const { id: run } = await requestRun(db, 'reprocess', { messages: [id] }, { startedBy: 'click' })
      expect(await executeNextRun(services, 'first', AbortSignal.abort())).toBe(true)
      expect(await findRun(db, run)).toMatchObject({ state: 'running', worker: null, attempts: 0, error: null })
      expect(await executeNextRun(services, 'second')).toBe(true)
      expect(await findRun(db, run)).toMatchObject({ state: 'finished', worker: 'second', attempts: 1, result: { instances: 1 } })
    })

    test('a worker whose run was taken over changes nothing any more', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['permanent', 'permanent'])
      const services = createThings(db)
      const { id: run } = await requestRun(db, 'reprocess', { messages: [id] }, { startedBy: 'click' })
      // The lease of the first runs out as soon as it has begun, and another begins before the first one's first step.
      let overtaken = false
      const slow = {
        ...services,
        db: {
          ...db,
          query: db.query,
          transaction: async <T>(...args: Parameters<typeof db.transaction<T>>): Promise<T> => {
            if (!overtaken) {
              overtaken = true
              await db.query(`UPDATE sluice.task_run SET lease_until = now() - interval '1 second' WHERE id = $1`, [run])
              await executeNextRun(services, 'second')
            }
            return db.transaction(...args)
          },
        },
      }
      expect(await executeNextRun(slow, 'first')).toBe(true)
      expect(await findRun(db, run)).toMatchObject({
        state: 'finished',
        worker: 'second',
        attempts: 2,
        result: { messages: 1, instances: 2, chunks: 1 },
      })
      expect(await statusOf(db, id)).toBe(2)
    })

    test('the tasks are listed with plan and last run', async () => {
      const { db } = opened
      const services = createThings(db)
      expect(await listTasks(db, services.config)).toMatchObject([
        { task: 'split', cron: '* * * * *', nextAt: null, lastRun: null },
        { task: 'process' },
        { task: 'reprocess', cron: '*/15 * * * *' },
        { task: 'rollup' },
        { task: 'prune', cron: '23 2 * * *' },
      ])
      await tickSchedule(services, new Date('2026-05-01T12:00:30Z'))
      const run = await runNow(services, 'rollup')
      const tasks = await listTasks(db, services.config)
      expect(tasks[2]).toMatchObject({ nextAt: expect.stringMatching(/^2026-05-01T12:15:00/), lastRun: null })
      expect(tasks[3]?.lastRun).toMatchObject({ id: run.id, state: 'finished', startedBy: 'click', actor: 'anna' })
    })
  })

  onPostgres((opened) => {
    test('workers that share the runs do each once', async () => {
      const { db } = opened
      const services = createThings(db)
      const ids = await Promise.all(Array.from({ length: 20 }, () => splitMessageOf(db, ['permanent', 'created'])))
      for (const id of ids) await requestRun(db, 'reprocess', { messages: [id] }, { startedBy: 'click' })
      await Promise.all(
        Array.from({ length: 4 }, async (_, worker) => {
          while (await executeNextRun(services, `w${worker}`)) {
            // The next one.
          }
        }),
      )
      const { rows } = await db.query<{ state: string; count: string }>(
        'SELECT state, count(*) AS count FROM sluice.task_run GROUP BY state',
      )
      expect(rows).toEqual([{ state: 'finished', count: '20' }])
      for (const id of ids) expect((await instancesOf(db, id)).map((instance) => instance.history.length)).toEqual([1, 0])
    })

    test('a run that meets a failure of the surroundings is tried again, three times at most', async () => {
      const { db } = opened
      const id = await splitMessageOf(
        db,
        Array.from({ length: 3 }, (): Became => 'permanent'),
      )
      const services = createThings(db)
      const { id: run } = await requestRun(db, 'reprocess', { messages: [id] }, { startedBy: 'click' })
      const killed = {
        ...services,
        db: {
          ...db,
          query: db.query,
          transaction: <T>(...args: Parameters<typeof db.transaction<T>>): Promise<T> =>
            db.transaction(async (tx) => {
              await tx.query('SELECT pg_terminate_backend(pg_backend_pid())')
              return args[0](tx)
            }),
        },
      }
      for (let attempt = 1; attempt <= 2; attempt++) {
        await executeNextRun(killed, 'w')
        expect(await findRun(db, run)).toMatchObject({ state: 'running', attempts: attempt, error: { code: '57P01' } })
        expect(await executeNextRun(killed, 'w')).toBe(false)
        await db.query(`UPDATE sluice.task_run SET lease_until = now() - interval '1 second' WHERE id = $1`, [run])
      }
      await executeNextRun(killed, 'w')
      expect(await findRun(db, run)).toMatchObject({ state: 'failed', attempts: 3, error: { code: '57P01' } })
      expect(await statusOf(db, id)).toBe(-3)
    })
  })
})
