import { describe, expect, test } from 'vitest'
import type { Db } from '../../src/store/db.ts'
import { tickSchedule } from '../../src/tasks/schedule.ts'
import { onBoth, onPostgres } from '../support/both.ts'
import { createThings } from './support.ts'

const at = (time: string) => new Date(`2026-05-01T${time}Z`)

async function slots(db: Db, task: string): Promise<string[]> {
  const { rows } = await db.query<{ slot: string }>(
    `SELECT to_char(slot AT TIME ZONE 'UTC', 'HH24:MI:SS') AS slot FROM sluice.task_run WHERE task = $1 AND started_by = 'clock' ORDER BY slot`,
    [task],
  )
  return rows.map((row) => row.slot)
}

describe('the clock', () => {
  onBoth((opened) => {
    test('the first look only makes the plan; then each slot is one run', async () => {
      const { db } = opened
      const services = createThings(db)
      await tickSchedule(services, at('12:00:10'))
      expect(await slots(db, 'split')).toEqual([])
      await tickSchedule(services, at('12:00:59'))
      expect(await slots(db, 'split')).toEqual([])
      await tickSchedule(services, at('12:01:00'))
      await tickSchedule(services, at('12:01:01'))
      await tickSchedule(services, at('12:02:30'))
      expect(await slots(db, 'split')).toEqual(['12:01:00', '12:02:00'])
      expect(await slots(db, 'rollup')).toEqual([])
      await tickSchedule(services, at('12:15:00'))
      expect(await slots(db, 'rollup')).toEqual(['12:05:00'])
      expect(await slots(db, 'reprocess')).toEqual(['12:15:00'])
      const { rows } = await db.query(`SELECT parameters FROM sluice.task_run WHERE task = 'reprocess'`)
      expect(rows).toEqual([{ parameters: '{"sinceDays": 7}' }])
    })

    test('slots that were missed are made up for by one run', async () => {
      const { db } = opened
      const services = createThings(db)
      await tickSchedule(services, at('12:00:10'))
      await tickSchedule(services, at('18:00:10'))
      await tickSchedule(services, at('18:00:20'))
      expect(await slots(db, 'split')).toEqual(['12:01:00'])
      await tickSchedule(services, at('18:01:00'))
      expect(await slots(db, 'split')).toEqual(['12:01:00', '18:01:00'])
    })

    test('a changed expression counts at once', async () => {
      const { db } = opened
      await tickSchedule(createThings(db, { tasks: { split: { cron: '0 0 1 1 *' } } }), at('12:00:10'))
      const changed = createThings(db, { tasks: { split: { cron: '*/2 * * * *' } } })
      await tickSchedule(changed, at('12:00:20'))
      await tickSchedule(changed, at('12:02:00'))
      expect(await slots(db, 'split')).toEqual(['12:02:00'])
      const { rows } = await db.query(`SELECT cron FROM sluice.schedule WHERE task = 'split'`)
      expect(rows).toEqual([{ cron: '*/2 * * * *' }])
    })

    test('two processes with different configs lose no slot to each other', async () => {
      const { db } = opened
      const one = createThings(db, { tasks: { split: { cron: '* * * * *' } } })
      const other = createThings(db, { tasks: { split: { cron: '*/1 * * * *' } } })
      for (let second = 0; second < 180; second += 5) {
        const moment = new Date(at('12:00:02').getTime() + second * 1000)
        await tickSchedule(second % 10 === 0 ? one : other, moment)
      }
      expect(await slots(db, 'split')).toEqual(['12:01:00', '12:02:00'])
    })

    test('seconds are possible, and the database has the time', async () => {
      const { db } = opened
      const services = createThings(db, { tasks: { split: { cron: '* * * * * *' } } })
      await tickSchedule(services)
      await db.query(`UPDATE sluice.schedule SET next_slot = date_trunc('second', now()) - interval '1 second' WHERE task = 'split'`)
      await tickSchedule(services)
      expect(await slots(db, 'split')).toHaveLength(1)
      const { rows } = await db.query(
        `SELECT next_slot > now() AS ahead, last_slot < now() AS past FROM sluice.schedule WHERE task = 'split'`,
      )
      expect(rows).toEqual([{ ahead: true, past: true }])
    })
  })

  onPostgres((opened) => {
    test('twenty schedulers at one slot queue one run', async () => {
      const { db } = opened
      const services = createThings(db)
      await Promise.all(Array.from({ length: 20 }, () => tickSchedule(services, at('12:00:10'))))
      for (const time of ['12:01:00', '12:02:00', '12:03:00']) {
        await Promise.all(Array.from({ length: 20 }, () => tickSchedule(services, at(time))))
      }
      expect(await slots(db, 'split')).toEqual(['12:01:00', '12:02:00', '12:03:00'])
      expect(await slots(db, 'process')).toEqual(['12:01:00', '12:02:00', '12:03:00'])
    })
  })
})
