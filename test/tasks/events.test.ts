import { describe, expect, test } from 'vitest'
import type { Db } from '../../src/store/db.ts'
import { EventRuns } from '../../src/tasks/events.ts'
import { onBoth } from '../support/both.ts'

async function eventRuns(db: Db): Promise<unknown[]> {
  const { rows } = await db.query<{ task: string; result: string }>(
    `SELECT task, started_by AS "startedBy", actor, state, result, started_at <= finished_at AS "inOrder" FROM sluice.task_run ORDER BY id`,
  )
  return rows.map((row) => ({ ...row, result: JSON.parse(row.result) as unknown }))
}

describe('runs by an event', () => {
  onBoth((opened) => {
    test('a busy period is one finished run per task', async () => {
      const { db } = opened
      const events = new EventRuns(db, 'worker-1')
      events.record('split', { messages: 1, instances: 120 })
      events.record('process', { chunks: 1, created: 100, failed: 0 })
      events.record('split', { messages: 1, instances: 3 })
      events.record('process', { chunks: 1, created: 20, unchanged: 3 })
      await events.flushIfDue()
      expect(await eventRuns(db)).toEqual([])
      await events.flush()
      const run = { startedBy: 'event', actor: 'worker-1', state: 'finished', inOrder: true }
      expect(await eventRuns(db)).toEqual([
        { ...run, task: 'split', result: { messages: 2, instances: 123 } },
        { ...run, task: 'process', result: { chunks: 2, created: 120, failed: 0, unchanged: 3 } },
      ])
      await events.flush()
      expect(await eventRuns(db)).toHaveLength(2)
    })

    test('what could not be written is written later, with what came since', async () => {
      const { db } = opened
      let isDown = true
      const events = new EventRuns(
        { ...db, query: (sql, parameters) => (isDown ? Promise.reject(new Error('down')) : db.query(sql, parameters)) },
        'w',
      )
      events.record('split', { messages: 1 })
      const flushing = events.flush()
      events.record('split', { messages: 2 })
      await expect(flushing).rejects.toThrow('down')
      isDown = false
      await events.flush()
      expect(await eventRuns(db)).toMatchObject([{ task: 'split', result: { messages: 3 } }])
    })
  })
})
