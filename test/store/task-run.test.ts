import { describe, expect, test } from 'vitest'
import type { Db } from '../../src/store/db.ts'
import { claimNextRun, failRun, finishRun, insertClick, insertSlot, releaseRun, renewRun, saveRun } from '../../src/store/task-run.ts'
import { onBoth, onPostgres } from '../support/both.ts'

async function runOf(db: Db, id: string): Promise<{ state: string; attempts: number; result: unknown; error: unknown } | undefined> {
  const { rows } = await db.query<{ state: string; attempts: number; result: string | null; error: string | null }>(
    'SELECT state, attempts, result, error FROM sluice.task_run WHERE id = $1',
    [id],
  )
  return rows.map((row) => ({
    ...row,
    result: JSON.parse(row.result ?? 'null') as unknown,
    error: JSON.parse(row.error ?? 'null') as unknown,
  }))[0]
}

const expire = (db: Db, id: string) => db.query(`UPDATE sluice.task_run SET lease_until = now() - interval '1 second' WHERE id = $1`, [id])

describe('runs of tasks', () => {
  onBoth((opened) => {
    test('a hundred equal clicks while the first is queued are one run; after it has begun the next is another', async () => {
      const { db } = opened
      const ids = await Promise.all(
        Array.from({ length: 100 }, (_, index) => insertClick(db, 'split', { messages: ['1', '2'] }, `user ${index}`)),
      )
      expect(new Set(ids).size).toBe(1)
      const { rows: noted } = await db.query("SELECT DISTINCT actor FROM sluice.audit_log WHERE action = 'task.run' AND subject = $1", [
        ids[0] ?? '',
      ])
      expect(noted).toHaveLength(100)
      expect(await insertClick(db, 'split', { messages: ['1'] }, null)).not.toBe(ids[0])
      expect(await insertClick(db, 'rollup', { messages: ['1', '2'] }, null)).not.toBe(ids[0])
      expect((await claimNextRun(db, 'w', 60))?.id).toBe(ids[0])
      expect(await insertClick(db, 'split', { messages: ['1', '2'] }, null)).not.toBe(ids[0])
    })

    test('a slot is one run', async () => {
      const { db } = opened
      const slot = '2026-05-01T00:00:00.000Z'
      const ids = await Promise.all(Array.from({ length: 10 }, () => insertSlot(db, 'rollup', slot, {})))
      expect(new Set(ids).size).toBe(1)
      expect(await insertSlot(db, 'rollup', '2026-05-01T00:01:00.000Z', {})).not.toBe(ids[0])
    })

    test('the oldest is begun first, each by one worker', async () => {
      const { db } = opened
      const first = await insertClick(db, 'split', {}, 'anna')
      const second = await insertClick(db, 'process', { integration: 'thing' }, null)
      const claims = await Promise.all([claimNextRun(db, 'a', 60), claimNextRun(db, 'b', 60), claimNextRun(db, 'c', 60)])
      expect(claims.map((claim) => claim?.id ?? '').sort()).toEqual(['', first, second])
      const claimed = claims.find((claim) => claim?.id === second)
      expect(claimed).toMatchObject({
        task: 'process',
        startedBy: 'click',
        actor: null,
        parameters: { integration: 'thing' },
        attempts: 1,
        result: null,
        state: 'running',
      })
    })

    test('a run whose lease ran out is taken over with what it had saved; its first worker can write nothing more', async () => {
      const { db } = opened
      const id = await insertClick(db, 'split', {}, null)
      const first = await claimNextRun(db, 'a', 60)
      if (first === null) throw new Error('not claimed')
      expect(await saveRun(db, first, { messages: 3, reached: '7' }, 60)).toBe(true)
      expect(await claimNextRun(db, 'b', 60)).toBeNull()
      await expire(db, id)
      const second = await claimNextRun(db, 'b', 60)
      expect(second).toMatchObject({ id, attempts: 2, result: { messages: 3, reached: '7' } })
      expect(await saveRun(db, first, { messages: 100 }, 60)).toBe(false)
      expect(await renewRun(db, first, 60)).toBe(false)
      expect(await finishRun(db, first, { messages: 100 })).toBe(false)
      await failRun(db, first, { code: 'x', message: 'x' })
      await releaseRun(db, first, 0, null)
      expect(await runOf(db, id)).toMatchObject({ state: 'running', attempts: 2, result: { messages: 3, reached: '7' } })
    })

    test('a worker that hung can write nothing after the one that took over has stopped', async () => {
      const { db } = opened
      const id = await insertClick(db, 'split', {}, null)
      const hung = await claimNextRun(db, 'a', 60)
      await expire(db, id)
      const next = await claimNextRun(db, 'b', 60)
      if (hung === null || next === null) throw new Error('not claimed')
      expect(await saveRun(db, next, { reached: '7' }, 60)).toBe(true)
      await releaseRun(db, next, 0, null)
      expect(await renewRun(db, hung, 60)).toBe(false)
      expect(await saveRun(db, hung, { reached: '1' }, 60)).toBe(false)
      expect(await finishRun(db, hung, {})).toBe(false)
      expect(await claimNextRun(db, 'c', 60)).toMatchObject({ id, attempts: 2, result: { reached: '7' } })
    })

    test('a run that loses its worker three times has failed', async () => {
      const { db } = opened
      const id = await insertClick(db, 'split', {}, null)
      for (let attempt = 1; attempt <= 3; attempt++) {
        expect(await claimNextRun(db, 'w', 60)).toMatchObject({ state: 'running', attempts: attempt })
        await expire(db, id)
      }
      expect(await claimNextRun(db, 'w', 60)).toMatchObject({ id, state: 'failed' })
      expect(await runOf(db, id)).toMatchObject({ state: 'failed', attempts: 3, error: { code: 'worker_lost' } })
      expect(await claimNextRun(db, 'w', 60)).toBeNull()
    })

    test('a run that is let go uses up an attempt only for a failure', async () => {
      const { db } = opened
      const id = await insertClick(db, 'split', {}, null)
      for (let stop = 0; stop < 5; stop++) {
        const claimed = await claimNextRun(db, 'w', 60)
        expect(claimed).toMatchObject({ id, attempts: 1 })
        if (claimed !== null) await releaseRun(db, claimed, -1, null)
      }
      const claimed = await claimNextRun(db, 'w', 60)
      if (claimed !== null) await releaseRun(db, claimed, 60, { code: '57P01', message: 'shut down' })
      expect(await runOf(db, id)).toMatchObject({ state: 'running', attempts: 1, error: { code: '57P01' } })
      expect(await claimNextRun(db, 'w', 60)).toBeNull()
      await expire(db, id)
      expect(await claimNextRun(db, 'w', 60)).toMatchObject({ id, attempts: 2 })
    })
  })

  onPostgres((opened) => {
    test('twenty workers at once begin fifty runs, each once', async () => {
      const { db } = opened
      await Promise.all(Array.from({ length: 50 }, (_, index) => insertClick(db, 'split', { messages: [String(index)] }, null)))
      const begun: string[] = []
      await Promise.all(
        Array.from({ length: 20 }, async (_, worker) => {
          for (
            let claimed = await claimNextRun(db, `w${worker}`, 60);
            claimed !== null;
            claimed = await claimNextRun(db, `w${worker}`, 60)
          ) {
            begun.push(claimed.id)
          }
        }),
      )
      expect(begun).toHaveLength(50)
      expect(new Set(begun).size).toBe(50)
    })

    test('clicks that race with the start of their run end as a queued run each', async () => {
      const { db } = opened
      let running = true
      const worker = (async () => {
        const claimed: string[] = []
        while (running) {
          const run = await claimNextRun(db, 'w', 60)
          if (run !== null) claimed.push(run.id)
        }
        return claimed
      })()
      const clicked = (await Promise.all(Array.from({ length: 200 }, () => insertClick(db, 'split', {}, null)))).map(String)
      running = false
      const claimed = await worker
      const { rows } = await db.query<{ id: string; state: string }>('SELECT id, state FROM sluice.task_run')
      expect(new Set(clicked)).toEqual(new Set(rows.map((row) => row.id)))
      expect(
        rows
          .filter((row) => row.state === 'running')
          .map((row) => row.id)
          .sort(),
      ).toEqual(claimed.sort())
      expect(rows.filter((row) => row.state === 'queued').length).toBeLessThanOrEqual(1)
    })
  })
})
