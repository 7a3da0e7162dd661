import { describe, expect, test } from 'vitest'
import { claimChunks } from '../../src/store/chunk.ts'
import { insertAwaited } from '../../src/store/links.ts'
import { rollUpMessages } from '../../src/store/message-group.ts'
import { type InstanceKey, requeueInside, requeueInstances, selectDueTransient } from '../../src/store/requeue.ts'
import { onBoth, onPostgres } from '../support/both.ts'
import { type Became, chunksOf, instancesOf, processMessage, splitMessageOf, statusOf } from '../support/rows.ts'

const all = (messageId: string, count: number): InstanceKey[] => Array.from({ length: count }, (_, ordinal) => ({ messageId, ordinal }))

describe('requeue', () => {
  onBoth((opened) => {
    test('failed instances wait again in retry chunks, and their message is at 2', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['created', 'permanent', 'permanent', 'unchanged', 'transient', 'missing_reference'], {
        chunkSize: 3,
      })
      await db.transaction((tx) => insertAwaited(tx, [{ messageId: id, ordinal: 5, wanted: 'area', wantedId: '7', field: 'area_id' }]))
      expect(await statusOf(db, id)).toBe(-3)

      expect(await requeueInstances(db, all(id, 6), { chunkSize: 3 })).toBe(4)

      expect(await statusOf(db, id)).toBe(2)
      expect((await instancesOf(db, id)).map((instance) => instance.status)).toEqual([2, 0, 0, 2, 0, 0])
      expect(await chunksOf(db, id)).toMatchObject([
        { kind: 'data', number: 0, state: 'finished', total: 1, failed: 0, processed: 1 },
        { kind: 'data', number: 1, state: 'finished', total: 1, failed: 0, processed: 1 },
        { kind: 'retry', number: 2, state: 'ready', ordinals: [1, 2, 4], total: 3 },
        { kind: 'retry', number: 3, state: 'ready', ordinals: [5], total: 1 },
      ])
      const left = await db.query(
        'SELECT FROM sluice.failure WHERE message_id = $1 UNION ALL SELECT FROM sluice.awaited_reference WHERE message_id = $1',
        [id],
      )
      expect(left.rows).toEqual([])
    })

    test('large objects make a chunk full before there are many', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['permanent', 'permanent', 'permanent'])
      await db.query('UPDATE sluice.message SET body_size = 3 * 600000 WHERE id = $1', [id])
      await requeueInstances(db, all(id, 3), { chunkSize: 1000 })
      expect((await chunksOf(db, id)).slice(1)).toMatchObject([{ ordinals: [0, 1] }, { ordinals: [2] }])
    })

    test('what is put back is processed and rolled up like anything else', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['permanent', 'created', 'permanent'])
      await requeueInstances(db, all(id, 3), { chunkSize: 1000 })
      expect(await rollUpMessages(db, [id])).toEqual(new Map())
      await processMessage(db, id, () => 'updated')
      expect(await statusOf(db, id)).toBe(3)
      expect((await instancesOf(db, id)).map((instance) => instance.outcome)).toEqual(['updated', 'created', 'updated'])
    })

    test('a retry keeps attempts and generation, and remembers the error', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['transient'], { errorCode: 'timeout' })
      await requeueInstances(db, all(id, 1), { chunkSize: 10 })
      const [instance] = await instancesOf(db, id)
      expect(instance).toMatchObject({ status: 0, attempts: 1, generation: 0, history: [{ error: { code: 'timeout' } }] })
      expect(instance?.history[0]?.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    })

    test('a replay takes processed instances too, raises the generation and remembers what they had changed', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['created', 'permanent'])
      expect(await requeueInstances(db, all(id, 2), { chunkSize: 10, replay: true })).toBe(2)
      expect(await instancesOf(db, id)).toMatchObject([
        { status: 0, generation: 1, history: [{ outcome: 'created', changes: { name: { before: null, after: 'x' } } }] },
        { status: 0, generation: 1, history: [{ error: { code: 'broken' } }] },
      ])
      await processMessage(db, id, () => 'unchanged')
      expect(await statusOf(db, id)).toBe(3)
      expect(await requeueInstances(db, all(id, 2), { chunkSize: 10, replay: true })).toBe(2)
      expect((await instancesOf(db, id)).map((instance) => [instance.generation, instance.history.length])).toEqual([
        [2, 2],
        [2, 2],
      ])
    })

    test('the newest twenty attempts are remembered', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['permanent'], { errorCode: 'code_0' })
      for (let attempt = 1; attempt <= 22; attempt++) {
        await requeueInstances(db, all(id, 1), { chunkSize: 10 })
        await processMessage(db, id, () => 'permanent', { errorCode: `code_${attempt}` })
      }
      const [instance] = await instancesOf(db, id)
      expect(instance?.history.map((entry) => entry.error?.code)).toEqual(Array.from({ length: 20 }, (_, index) => `code_${index + 2}`))
    })

    test('what waits already is left where it is', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['waiting', 'permanent'], { rollUp: false })
      expect(await requeueInstances(db, all(id, 2), { chunkSize: 10, replay: true })).toBe(1)
      expect(await requeueInstances(db, all(id, 2), { chunkSize: 10, replay: true })).toBe(0)
      expect(await statusOf(db, id)).toBe(2)
      expect(await chunksOf(db, id)).toMatchObject([
        { kind: 'data', state: 'ready', total: 1, failed: 0 },
        { kind: 'retry', state: 'ready', ordinals: [1] },
      ])
    })

    test('a kept invalid object is tried again, unless it has no external ID', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['created', 'invalid', 'invalid without id'])
      expect(await requeueInstances(db, all(id, 3), { chunkSize: 10 })).toBe(1)
      expect((await instancesOf(db, id)).map((instance) => instance.status)).toEqual([2, 0, -2])
      await processMessage(db, id, () => 'created')
      expect(await statusOf(db, id)).toBe(-3)
    })

    test('the mode is that of the last attempt, unless the run says otherwise', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['permanent', 'permanent', 'created'])
      await requeueInstances(db, [{ messageId: id, ordinal: 0 }], { chunkSize: 10, asDraft: true })
      await processMessage(db, id, () => 'permanent')
      await requeueInstances(db, all(id, 2), { chunkSize: 10 })
      expect((await chunksOf(db, id)).filter((chunk) => chunk.total > 0).map((chunk) => [chunk.ordinals, chunk.isDraft])).toEqual([
        [null, false],
        [[0], true],
        [[1], false],
      ])
      await processMessage(db, id, () => 'permanent')
      await requeueInstances(db, all(id, 2), { chunkSize: 10, asDraft: false })
      expect((await chunksOf(db, id)).at(-1)).toMatchObject({ ordinals: [0, 1], isDraft: false })
    })

    test('nothing to do is no error', async () => {
      const { db } = opened
      expect(await requeueInstances(db, [], { chunkSize: 10 })).toBe(0)
      expect(await requeueInstances(db, [{ messageId: '999999', ordinal: 3 }], { chunkSize: 10 })).toBe(0)
      const id = await splitMessageOf(db, ['created'])
      expect(await requeueInstances(db, [...all(id, 1), ...all(id, 1)], { chunkSize: 10 })).toBe(0)
      expect(await statusOf(db, id)).toBe(3)
    })

    test('the same key twice is put back once', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['permanent'])
      expect(await requeueInstances(db, [...all(id, 1), ...all(id, 1)], { chunkSize: 10 })).toBe(1)
    })

    test('transient failures are due when their time has come, the longest due first', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['transient', 'transient', 'permanent', 'transient'])
      const due = async () => (await selectDueTransient(db, 100)).filter((key) => key.messageId === id).map((key) => key.ordinal)
      expect(await due()).toEqual([])
      await db.query(`UPDATE sluice.failure SET due_at = now() - interval '1 minute' WHERE message_id = $1 AND ordinal = 3`, [id])
      await db.query(`UPDATE sluice.failure SET due_at = now() - interval '1 second' WHERE message_id = $1 AND ordinal = 0`, [id])
      expect(await due()).toEqual([3, 0])
      expect(await selectDueTransient(db, 1)).toHaveLength(1)
    })

    test('more than one transaction holds', { timeout: 60_000 }, async () => {
      const { db } = opened
      const size = 10_050
      const id = await splitMessageOf(
        db,
        Array.from({ length: size }, (): Became => 'permanent'),
      )
      expect(await requeueInstances(db, all(id, size), { chunkSize: 1000 })).toBe(size)
      const retries = (await chunksOf(db, id)).filter((chunk) => chunk.kind === 'retry')
      expect(retries.map((chunk) => chunk.total)).toEqual([...Array.from({ length: 10 }, () => 1000), 50])
    })
  })

  onPostgres((opened) => {
    test('eight workers that put the same failures back do it once', async () => {
      const { db } = opened
      const ids = await Promise.all(Array.from({ length: 5 }, () => splitMessageOf(db, ['permanent', 'created', 'permanent'])))
      const keys = ids.flatMap((id) => all(id, 3))
      const counts = await Promise.all(Array.from({ length: 8 }, () => requeueInstances(db, keys, { chunkSize: 2 })))
      expect(counts.reduce((sum, count) => sum + count)).toBe(10)
      for (const id of ids)
        expect((await chunksOf(db, id)).map((chunk) => [chunk.kind, chunk.total])).toEqual([
          ['data', 1],
          ['retry', 2],
        ])
    })

    test('requeues of overlapping messages in opposite order never deadlock', { timeout: 60_000 }, async () => {
      const { db } = opened
      const ids = await Promise.all(
        Array.from({ length: 12 }, () => splitMessageOf(db, ['permanent', 'permanent', 'permanent'], { chunkSize: 1 })),
      )
      const keys = ids.flatMap((id) => all(id, 3))
      const before = await deadlocks()
      for (let round = 0; round < 15; round++) {
        const orders = [keys, keys.toReversed(), keys.toSorted((a, b) => a.ordinal - b.ordinal), keys.toSorted(() => 0.5 - Math.random())]
        const counts = await Promise.all(orders.map((order) => db.transaction((tx) => requeueInside(tx, order, { chunkSize: 2 }))))
        expect(counts.reduce((sum, count) => sum + count.instances, 0)).toBe(keys.length)
        await Promise.all(ids.map((id) => processMessage(db, id, () => 'permanent')))
      }
      expect(await deadlocks()).toBe(before)

      async function deadlocks(): Promise<string> {
        const { rows } = await db.query<{ deadlocks: string }>(
          'SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()',
        )
        return rows[0]?.deadlocks ?? ''
      }
    })

    test('a requeue waits for the worker that has the chunk in hand, and takes what it left failed', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['permanent', 'waiting', 'waiting'], { rollUp: false })
      await db.query(`UPDATE sluice.chunk SET due_at = now() WHERE message_id = $1`, [id])
      const [chunk] = await claimChunks(db, { integrations: ['thing'], worker: 'w', leaseSeconds: 60, size: 1000, messageId: id })
      let requeueing: Promise<number> | undefined
      await db.transaction(async (tx) => {
        await tx.query('SELECT FROM sluice.chunk WHERE id = $1 FOR UPDATE', [chunk?.id ?? ''])
        requeueing = requeueInstances(db, all(id, 3), { chunkSize: 10 })
        await untilSomebodyWaits()
        await tx.query(
          `UPDATE sluice.instance SET status = 2, outcome = 'created', finished_at = now() WHERE message_id = $1 AND ordinal = 1`,
          [id],
        )
        await tx.query('UPDATE sluice.chunk SET created = 1 WHERE id = $1', [chunk?.id ?? ''])
      })
      expect(await requeueing).toBe(1)
      expect((await instancesOf(db, id)).map((instance) => instance.status)).toEqual([0, 2, 0])
      expect(await chunksOf(db, id)).toMatchObject([
        { state: 'claimed', total: 2, failed: 0, processed: 1 },
        { state: 'ready', ordinals: [0] },
      ])

      async function untilSomebodyWaits(): Promise<void> {
        for (;;) {
          const { rows } = await db.query<{ waiting: boolean }>(
            `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%sluice.chunk%') AS waiting`,
          )
          if (rows[0]?.waiting === true) return
        }
      }
    })
  })
})
