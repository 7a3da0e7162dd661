import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { nextToSplit } from '../../src/store/message.ts'
import { onBoth } from '../support/both.ts'
import { correctMessage, instancesOf, receivedMessage, statusOf } from '../support/rows.ts'
import { clock, createThings, runNow } from './support.ts'

describe('split', () => {
  onBoth((opened) => {
    test('a click splits the messages it names, and no others', async () => {
      const services = createThings(opened.db, { chunkSize: 2 })
      const [a, b, other] = [await correctMessage(opened.db, 3), await correctMessage(opened.db, 1), await correctMessage(opened.db, 1)]
      const run = await runNow(services, 'split', { messages: [b, a] })
      expect(run).toMatchObject({ state: 'finished', startedBy: 'click', actor: 'anna', error: null })
      expect(run.result).toEqual({ messages: 2, instances: 4, failed: 0 })
      expect(await Promise.all([a, b, other].map((id) => statusOf(opened.db, id)))).toEqual([2, 2, 1])
      expect(await instancesOf(opened.db, a)).toHaveLength(3)
      expect((await runNow(services, 'split', { messages: [b, a] })).result).toEqual({ messages: 0, instances: 0, failed: 0 })
      expect(await instancesOf(opened.db, a)).toHaveLength(3)
    })

    test('an empty message goes all the way', async () => {
      const services = createThings(opened.db)
      const id = await correctMessage(opened.db, 0)
      await runNow(services, 'split', { messages: [id] })
      expect(await statusOf(opened.db, id)).toBe(3)
    })

    test('the clock takes what was forgotten, but tries no failed split again; a click does', async () => {
      const { db } = opened
      const services = createThings(db)
      const failed = await correctMessage(db, 2)
      await hideBody(failed)
      const result = (await runNow(services, 'split', { messages: [failed] })).result
      expect(result).toEqual({ messages: 0, instances: 0, failed: 1 })
      expect(await statusOf(db, failed)).toBe(-2)
      const forgotten = await correctMessage(db, 1)
      await showBody(failed)

      const byClock = await runNow(services, 'split', {}, clock())
      expect(byClock).toMatchObject({ startedBy: 'clock', actor: null, state: 'finished' })
      expect(await statusOf(db, forgotten)).toBe(2)
      expect(await statusOf(db, failed)).toBe(-2)
      expect((await runNow(services, 'split', { messages: [failed] })).result).toEqual({ messages: 1, instances: 2, failed: 0 })
      expect(await statusOf(db, failed)).toBe(2)

      // A body that ends in the middle: what a broken disk might leave.
      async function hideBody(id: string): Promise<void> {
        await db.query(
          `UPDATE sluice.message_body b SET bytes = '['::bytea FROM sluice.message m WHERE m.id = $1 AND b.upload_id = m.upload_id`,
          [id],
        )
      }
      async function showBody(id: string): Promise<void> {
        await db.query(
          `UPDATE sluice.message_body b SET bytes = '[{"id":"0"},{"id":"1"}]'::bytea FROM sluice.message m WHERE m.id = $1 AND b.upload_id = m.upload_id`,
          [id],
        )
      }
    })

    test('a message that a crash left at 0 is validated first, when its time of grace is over', async () => {
      const { db } = opened
      const services = createThings(db, { validateGrace: 60 })
      const fresh = await receivedMessage(db, 1)
      const left = await receivedMessage(db, 2, { daysAgo: 1 })
      const wrong = await receivedMessage(db, 1, { daysAgo: 1 })
      await db.query(
        `UPDATE sluice.message_body b SET bytes = '[{}]'::bytea FROM sluice.message m WHERE m.id = $1 AND b.upload_id = m.upload_id`,
        [wrong],
      )
      const run = await runNow(services, 'split', {}, clock())
      expect(run.result).toMatchObject({ messages: 1, instances: 2, validated: 2, refused: 1 })
      expect(await Promise.all([fresh, left, wrong].map((id) => statusOf(db, id)))).toEqual([0, 2, -1])
    })

    test('a message that cannot even be read does not stop those behind it', async () => {
      const { db } = opened
      const services = createThings(db)
      const broken = await receivedMessage(db, 1, { daysAgo: 1 })
      await db.query('UPDATE sluice.message SET upload_id = $2 WHERE id = $1', [broken, randomUUID()])
      const good = await correctMessage(db, 1)
      const run = await runNow(services, 'split', {})
      expect(run.state).toBe('finished')
      expect(await statusOf(db, good)).toBe(2)
    })

    test('messages of an integration that the config no longer has are left alone', async () => {
      const { db } = opened
      const id = await correctMessage(db, 1, { integration: 'gone' })
      await runNow(createThings(db), 'split', { messages: [id] })
      expect(await statusOf(db, id)).toBe(1)
      expect(await nextToSplit(db, ['gone'], '0')).toMatchObject({ id })
    })
  })
})
