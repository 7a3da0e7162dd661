import { describe, expect, test } from 'vitest'
import { onBoth } from '../support/both.ts'
import { splitMessageOf, statusOf } from '../support/rows.ts'
import { clock, createThings, runNow } from './support.ts'

describe('rollup', () => {
  onBoth((opened) => {
    test('messages whose last chunk ended without a roll-up are rolled up', async () => {
      const { db } = opened
      const good = await splitMessageOf(db, ['created', 'updated'], { rollUp: false })
      const bad = await splitMessageOf(db, ['created', 'permanent'], { rollUp: false })
      const open = await splitMessageOf(db, ['created', 'waiting'], { rollUp: false })
      const run = await runNow(createThings(db), 'rollup', {}, clock())
      expect(run).toMatchObject({ state: 'finished', startedBy: 'clock', result: { messages: 2 } })
      expect(await Promise.all([good, bad, open].map((id) => statusOf(db, id)))).toEqual([3, -3, 2])
    })

    test('a click counts messages that are rolled up again, and tells where the counts differ', async () => {
      const { db } = opened
      const services = createThings(db)
      const good = await splitMessageOf(db, ['created', 'permanent'])
      const bent = await splitMessageOf(db, ['created', 'created'])
      const late = await splitMessageOf(db, ['created'], { rollUp: false })
      await db.query('UPDATE sluice.chunk SET total = 1, created = 1 WHERE message_id = $1', [bent])
      const run = await runNow(services, 'rollup', { messages: [good, bent, late] })
      expect(run.result).toEqual({ messages: 1, recounted: 3, different: 1, differing: [bent] })
      expect(await Promise.all([good, bent, late].map((id) => statusOf(db, id)))).toEqual([-3, 3, 3])
    })

    test('without chosen ids nothing is counted again', async () => {
      const { db } = opened
      await splitMessageOf(db, ['created'])
      expect((await runNow(createThings(db), 'rollup', { integration: 'thing' })).result).toEqual({ messages: 0 })
    })
  })
})
