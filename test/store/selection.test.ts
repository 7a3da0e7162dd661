import { beforeEach, describe, expect, test } from 'vitest'
import type { RunParameters } from '../../src/model/task.ts'
import type { Db } from '../../src/store/db.ts'
import { requeueInstances } from '../../src/store/requeue.ts'
import {
  beforeAll,
  countsAgree,
  makeChunksDue,
  messagesToRollUp,
  messagesToSplit,
  rolledUpMessages,
  selectForRun,
} from '../../src/store/selection.ts'
import { onBoth } from '../support/both.ts'
import { correctMessage, receivedMessage, splitMessageOf } from '../support/rows.ts'

const until = '2999-01-01T00:00:00.000Z'
/** Every page of a filter, as ids of instances. */
async function pages(
  db: Db,
  filter: RunParameters,
  options: { limit?: number; until?: string; onlyDue?: boolean } = {},
): Promise<string[][]> {
  const found: string[][] = []
  for (let after = beforeAll; ; ) {
    const page = await selectForRun(db, filter, { after, limit: 100, until, ...options })
    found.push(page.keys.map((key) => `${key.messageId}.${key.ordinal}`))
    if (page.reached === null) return found
    after = page.reached
  }
}

describe('what a filter chooses', () => {
  onBoth((opened) => {
    let db: Db
    beforeEach(() => {
      db = opened.db
    })
    const flat = async (filter: RunParameters, options = {}) => (await pages(db, filter, options)).flat()

    test('failures by message, instance, integration, code, age and mode; all given must hold', async () => {
      const a = await splitMessageOf(db, ['permanent', 'created', 'missing_reference'], { errorCode: 'one' })
      const b = await splitMessageOf(db, ['transient'], { integration: 'other', errorCode: 'two', daysAgo: 3 })
      const c = await splitMessageOf(db, ['invalid', 'created'], { isDraft: true, daysAgo: 10 })
      expect(await flat({})).toEqual([`${a}.0`, `${a}.2`, `${b}.0`, `${c}.0`])
      expect(await flat({ messages: [b, a] })).toEqual([`${a}.0`, `${a}.2`, `${b}.0`])
      expect(await flat({ instances: [`${c}.0`, `${a}.1`, `${a}.2`] })).toEqual([`${a}.2`, `${c}.0`])
      expect(await flat({ integration: 'other' })).toEqual([`${b}.0`])
      expect(await flat({ errorCode: 'one' })).toEqual([`${a}.0`, `${a}.2`])
      expect(await flat({ errorCode: 'invalid' })).toEqual([`${c}.0`])
      expect(await flat({ sinceDays: 5 })).toEqual([`${a}.0`, `${a}.2`, `${b}.0`])
      expect(await flat({ sinceDays: 0.5 })).toEqual([`${a}.0`, `${a}.2`])
      expect(await flat({ draft: true })).toEqual([`${c}.0`])
      expect(await flat({ draft: false, integration: 'thing' })).toEqual([`${a}.0`, `${a}.2`])
      expect(await flat({ messages: [a], instances: [`${c}.0`] })).toEqual([])
      expect(await flat({ messages: [] })).toEqual([])
      expect(await flat({ integration: 'nobody' })).toEqual([])
    })

    test.each([{}, { replay: true }])(
      'a message that a page ends in goes on, though its status is another one by then: %o',
      async (more) => {
        const id = await splitMessageOf(db, ['permanent', 'permanent', 'permanent', 'permanent', 'permanent'])
        await db.query('UPDATE sluice.message SET status = -3, finished_at = now() WHERE id = $1', [id])
        const found: string[] = []
        for (let after = beforeAll; ; ) {
          const page = await selectForRun(db, { status: -3, integration: 'thing', ...more }, { after, limit: 2, until })
          found.push(...page.keys.map((key) => `${key.messageId}.${key.ordinal}`))
          await requeueInstances(db, page.keys, { chunkSize: 10 })
          if (page.reached === null) break
          after = page.reached
        }
        expect(found).toEqual([0, 1, 2, 3, 4].map((ordinal) => `${id}.${ordinal}`))
      },
    )

    test('only transient failures whose time has come', async () => {
      const id = await splitMessageOf(db, ['transient', 'transient', 'permanent', 'missing_reference'])
      expect(await flat({}, { onlyDue: true })).toEqual([])
      await db.query('UPDATE sluice.failure SET due_at = now() WHERE ordinal = 1')
      expect(await flat({}, { onlyDue: true })).toEqual([`${id}.1`])
    })

    test('pages neither miss nor repeat, though what they found is taken away in between', async () => {
      const ids = [
        await splitMessageOf(db, ['permanent', 'permanent', 'created', 'permanent']),
        await splitMessageOf(db, ['permanent']),
        await splitMessageOf(db, ['permanent', 'permanent']),
      ]
      const [a, b, c] = ids
      expect(await pages(db, {}, { limit: 2 })).toEqual([[`${a}.0`, `${a}.1`], [`${a}.3`, `${b}.0`], [`${c}.0`, `${c}.1`], []])
      const seen: string[] = []
      for (let after = beforeAll; ; ) {
        const page = await selectForRun(db, {}, { after, limit: 2, until })
        seen.push(...page.keys.map((key) => `${key.messageId}.${key.ordinal}`))
        await requeueInstances(db, page.keys, { chunkSize: 10 })
        if (page.reached === null) break
        after = page.reached
      }
      expect(seen).toEqual([`${a}.0`, `${a}.1`, `${a}.3`, `${b}.0`, `${c}.0`, `${c}.1`])
    })

    test('a replay chooses processed instances too, and not those that wait', async () => {
      const a = await splitMessageOf(db, ['created', 'permanent', 'waiting', 'ignored'])
      const b = await splitMessageOf(db, ['created'], { integration: 'other', daysAgo: 3, isDraft: true })
      expect(await flat({ replay: true, messages: [a] })).toEqual([`${a}.0`, `${a}.1`, `${a}.3`])
      expect(await flat({ replay: true, integration: 'other' })).toEqual([`${b}.0`])
      expect(await flat({ replay: true, sinceDays: 4, draft: true })).toEqual([`${b}.0`])
      expect(await flat({ replay: true, instances: [`${a}.0`, `${a}.2`, `${b}.0`] })).toEqual([`${a}.0`, `${b}.0`])
      expect(await flat({ replay: true, instances: [`${a}.0`, `${b}.0`], integration: 'other' })).toEqual([`${b}.0`])
      expect(await flat({ replay: true, errorCode: 'broken' })).toEqual([`${a}.1`])
    })

    test('a replay is paged through small, large and empty messages', async () => {
      const created = (count: number) => Array.from({ length: count }, () => 'created' as const)
      const large = await splitMessageOf(db, created(7))
      const small = [await splitMessageOf(db, created(1)), await splitMessageOf(db, created(2)), await splitMessageOf(db, [])]
      const last = await splitMessageOf(db, created(3))
      expect((await pages(db, { replay: true, integration: 'thing' }, { limit: 3 })).map((page) => page.length)).toEqual([3, 3, 2, 2, 3, 0])
      const found = await flat({ replay: true, integration: 'thing' }, { limit: 3 })
      expect(found).toHaveLength(13)
      expect(new Set(found).size).toBe(13)
      expect(found[0]).toBe(`${large}.0`)
      expect(found.at(-1)).toBe(`${last}.2`)
      expect(await flat({ replay: true, messages: [small[2] ?? ''] })).toEqual([])
      expect(await flat({ replay: true, integration: 'thing' }, { limit: 1 })).toEqual(found)
    })

    test('what came after the run was asked for is not of it', async () => {
      const before = await splitMessageOf(db, ['created', 'permanent'])
      const { rows } = await db.query<{ now: string }>('SELECT clock_timestamp() AS now')
      // Clocks may have steps of a millisecond: it came clearly later.
      await splitMessageOf(db, ['created', 'permanent'], { daysAgo: -1 })
      const moment = { until: rows[0]?.now ?? '' }
      expect(await flat({ replay: true, integration: 'thing' }, moment)).toEqual([`${before}.0`, `${before}.1`])
      expect(await flat({}, moment)).toEqual([`${before}.1`])
      expect(await flat({ replay: true, instances: ['1.0', '2.0'] }, moment)).toEqual([`${before}.0`])
    })

    test('messages to split: correct ones, forgotten ones, and failed ones when asked', async () => {
      const correct = await correctMessage(db, 1)
      const fresh = await receivedMessage(db, 1)
      const forgotten = await receivedMessage(db, 1, { daysAgo: 1 })
      const failed = await correctMessage(db, 1)
      await db.query(`UPDATE sluice.message SET status = -2, status_details = '{"code":"split_failed"}' WHERE id = $1`, [failed])
      await splitMessageOf(db, ['waiting'])
      await correctMessage(db, 1, { integration: 'gone' })
      const options = { integrations: ['thing'], graceSeconds: 60, retryFailed: true, after: '0', limit: 10 }
      const ids = async (filter: RunParameters, more = {}) =>
        (await messagesToSplit(db, filter, { ...options, ...more })).map((row) => row.id)
      expect(await messagesToSplit(db, {}, options)).toEqual([
        { id: correct, status: 1 },
        { id: forgotten, status: 0 },
        { id: failed, status: -2 },
      ])
      expect(await ids({}, { retryFailed: false })).toEqual([correct, forgotten])
      expect(await ids({ errorCode: 'split_failed' })).toEqual([failed])
      expect(await ids({ messages: [fresh, forgotten] })).toEqual([forgotten])
      expect(await ids({ instances: [`${correct}.0`] })).toEqual([correct])
      expect(await ids({}, { after: correct, limit: 1 })).toEqual([forgotten])
    })

    test('messages to roll up: at 2 with nothing open', async () => {
      const done = await splitMessageOf(db, ['created', 'permanent'], { rollUp: false })
      await splitMessageOf(db, ['waiting'], { rollUp: false })
      const rolledUp = await splitMessageOf(db, ['created'])
      const page = { after: '0', limit: 10 }
      expect(await messagesToRollUp(db, {}, page)).toEqual([done])
      expect(await messagesToRollUp(db, { errorCode: 'broken' }, page)).toEqual([done])
      expect(await messagesToRollUp(db, { errorCode: 'other' }, page)).toEqual([])
      expect(await rolledUpMessages(db, {}, page)).toEqual([rolledUp])
      expect(await messagesToRollUp(db, {}, { after: done, limit: 10 })).toEqual([])
    })

    test('counts agree, unless somebody wrote around them', async () => {
      const empty = await splitMessageOf(db, [])
      const mixed = await splitMessageOf(db, ['created', 'permanent', 'updated'], { chunkSize: 2 })
      expect(await countsAgree(db, empty)).toBe(true)
      expect(await countsAgree(db, mixed)).toBe(true)
      await db.query('UPDATE sluice.chunk SET failed = 0, created = created + failed WHERE message_id = $1', [mixed])
      expect(await countsAgree(db, mixed)).toBe(false)
    })

    test('chunks that wait for a later attempt become due', async () => {
      const a = await splitMessageOf(db, ['waiting', 'waiting'], { chunkSize: 1, rollUp: false })
      const b = await splitMessageOf(db, ['waiting'], { integration: 'other', rollUp: false })
      await db.query(`UPDATE sluice.chunk SET last_error = '{"code":"57P01"}' WHERE message_id = $1`, [a])
      expect(await makeChunksDue(db, { integration: 'nobody' }, 10)).toBe(0)
      expect(await makeChunksDue(db, { errorCode: '57P01', instances: [`${a}.1`, `${b}.0`] }, 10)).toBe(1)
      expect(await makeChunksDue(db, { messages: [a] }, 10)).toBe(1)
      expect(await makeChunksDue(db, { messages: [a] }, 10)).toBe(0)
      expect(await makeChunksDue(db, {}, 10)).toBe(1)
    })
  })
})
