/** The database refuses every status and every transition that the design doesn't have, whoever writes it. */
import { describe, expect, test } from 'vitest'
import { canInstanceMove, canMessageMove, InstanceStatus, MessageStatus } from '../../src/model/status.ts'
import type { Db } from '../../src/store/db.ts'
import { markIncorrect, markSplitFailed } from '../../src/store/message.ts'
import { onBoth } from '../support/both.ts'
import { type Became, chunksOf, correctMessage, receivedMessage, splitMessageOf, statusOf } from '../support/rows.ts'

const refused = { name: 'DatabaseError', sqlstate: '23514' }

/** Runs a statement that may be refused; any other error is thrown. */
async function isAccepted(statement: Promise<unknown>): Promise<boolean> {
  return statement.then(
    () => true,
    (error: { sqlstate?: string }) => {
      if (error.sqlstate !== '23514') throw error
      return false
    },
  )
}

async function newChunk(db: Db, messageId: string, options: { kind?: string; state?: string } = {}): Promise<string> {
  const { kind = 'retry', state = 'ready' } = options
  const { rows } = await db.query<{ id: string }>(
    `INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, ordinals, total, state, lease_until, finished_at)
     VALUES ($1, 'thing', $2, 100, 0, 0, CASE WHEN $2 = 'retry' THEN '{0}'::int[] END, CASE WHEN $3 = 'finished' THEN 0 ELSE 1 END, $3,
       CASE WHEN $3 = 'claimed' THEN now() + interval '1 minute' END, CASE WHEN $3 = 'finished' THEN now() END)
     RETURNING id`,
    [messageId, kind, state],
  )
  return rows[0]?.id ?? ''
}

onBoth((opened) => {
  describe('messages', () => {
    const numbers = Object.values(MessageStatus)
    const outside = [4, -4, 5, -5, 7, 10, 100, 32_767, -32_768]

    /** A message at `from`, brought there step by step, with everything in place for it to become `to`. */
    async function messageAt(db: Db, from: MessageStatus, to: number): Promise<string> {
      if (from === 0) return receivedMessage(db, 1)
      if (from === -1) {
        const id = await receivedMessage(db, 1)
        await markIncorrect(db, id, 1, { code: 'schema' })
        return id
      }
      if (from === 1 || from === -2) {
        const id = await correctMessage(db, 1)
        if (from === -2) await markSplitFailed(db, id, { code: 'failed' })
        return id
      }
      const became: Became = from === -3 || (from === 2 && to === -3) ? 'permanent' : 'created'
      const id = await splitMessageOf(db, [became], { rollUp: from !== 2 })
      if (from !== 2) await newChunk(db, id)
      return id
    }

    /** All that goes with the status is set as well, so that only the transition can be refused. */
    const setStatus = (db: Db, id: string, status: number) =>
      db.query(
        `UPDATE sluice.message SET status = $2::smallint, validated_at = coalesce(validated_at, now()), total = coalesce(total, 1),
           split_at = coalesce(split_at, now()), finished_at = CASE WHEN $2::smallint IN (-1, 3, -3) THEN now() END
         WHERE id = $1`,
        [id, status],
      )

    test.each(numbers)('from %d only where the model says', async (from) => {
      const { db } = opened
      for (const to of [...numbers, ...outside]) {
        const id = await messageAt(db, from, to)
        expect(await statusOf(db, id)).toBe(from)
        const isKnown = (numbers as number[]).includes(to)
        const expected = to === from || (isKnown && canMessageMove(from, to as MessageStatus))
        expect({ from, to, accepted: await isAccepted(setStatus(db, id, to)) }).toEqual({ from, to, accepted: expected })
        expect(await statusOf(db, id)).toBe(expected ? to : from)
      }
    })

    test('a refusal says which message, from where to where', async () => {
      const { db } = opened
      const id = await messageAt(db, 0, 3)
      await expect(setStatus(db, id, 3)).rejects.toMatchObject({
        ...refused,
        table: 'message',
        message: `message ${id}: status can't go from 0 to 3`,
      })
    })

    test('begin at 0 and nowhere else', async () => {
      const { db } = opened
      const insert = (status: number) =>
        db.query(
          `INSERT INTO sluice.message (integration, source, upload_id, body_sha256, body_size, format, status, total, validated_at, split_at, finished_at)
           VALUES ('thing', 'test', gen_random_uuid(), sha256(''), 0, 'json', $1::smallint, 1, now(), now(), CASE WHEN $1::smallint IN (-1, 3, -3) THEN now() END)`,
          [status],
        )
      for (const status of [...numbers, ...outside]) expect([status, await isAccepted(insert(status))]).toEqual([status, status === 0])
    })

    test('are not processed while an instance waits', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['created', 'waiting'], { chunkSize: 1 })
      for (const status of [3, -3]) await expect(setStatus(db, id, status)).rejects.toMatchObject(refused)
    })

    test('end at 3 when none failed and at -3 when any did', async () => {
      const { db } = opened
      const good = await splitMessageOf(db, ['created', 'unchanged'], { rollUp: false })
      await expect(setStatus(db, good, -3)).rejects.toMatchObject(refused)
      const bad = await splitMessageOf(db, ['created', 'transient'], { rollUp: false })
      await expect(setStatus(db, bad, 3)).rejects.toMatchObject(refused)
    })

    test('go back to 2 only while something of them is processed again', async () => {
      const { db } = opened
      for (const became of ['created', 'permanent'] as const) {
        const id = await splitMessageOf(db, [became])
        await expect(setStatus(db, id, 2)).rejects.toMatchObject(refused)
      }
    })

    test('many at once: one that is refused keeps all of them', async () => {
      const { db } = opened
      const ids = [await messageAt(db, 1, -2), await messageAt(db, 0, 1), await messageAt(db, 1, -2)]
      await expect(db.query('UPDATE sluice.message SET status = -2')).rejects.toMatchObject(refused)
      expect(await Promise.all(ids.map((id) => statusOf(db, id)))).toEqual([1, 0, 1])
    })
  })

  describe('instances', () => {
    const numbers = Object.values(InstanceStatus)

    /** A message whose only instance is at a status as people see it, and its chunk. */
    async function instanceAt(db: Db, status: InstanceStatus): Promise<{ id: string; chunk: string }> {
      const became: Became = status === 2 ? 'created' : status === -2 ? 'permanent' : 'waiting'
      const id = await splitMessageOf(db, [became])
      const [chunk] = await chunksOf(db, id)
      if (chunk === undefined) throw new Error('a split message has a chunk')
      if (status === 1) await setState(db, chunk.id, 'claimed')
      expect(await seen(db, id)).toBe(status)
      return { id, chunk: chunk.id }
    }

    const setState = (db: Db, chunk: string, state: 'ready' | 'claimed') =>
      db.query(
        `UPDATE sluice.chunk SET state = $2, lease_until = CASE WHEN $2 = 'claimed' THEN now() + interval '1 minute' END WHERE id = $1`,
        [chunk, state],
      )

    const seen = async (db: Db, id: string): Promise<number | undefined> => {
      const { rows } = await db.query<{ status: number }>(
        'SELECT status FROM sluice.integration_instance WHERE message_id = $1 AND ordinal = 0',
        [id],
      )
      return rows[0]?.status
    }

    /** All that goes with the status is set as well. */
    const setStatus = (db: Db, id: string, status: number, chunk?: string) =>
      db.query(
        `UPDATE sluice.instance SET status = $2::smallint, chunk_id = coalesce($3::bigint, chunk_id),
           outcome = CASE WHEN $2::smallint = 2 THEN 'created' END, error = CASE WHEN $2::smallint = -2 THEN '{"code":"x"}'::jsonb END,
           finished_at = CASE WHEN $2::smallint <> 0 THEN now() END
         WHERE message_id = $1`,
        [id, status, chunk ?? null],
      )

    /** Goes from one status to another the way that there is for it, if there is one. */
    async function move(db: Db, id: string, chunk: string, from: InstanceStatus, to: InstanceStatus): Promise<unknown> {
      if (from === to) return
      if (to === 1) return from === 0 ? setState(db, chunk, 'claimed') : setStatus(db, id, 0, await newChunk(db, id, { state: 'claimed' }))
      if (to === 0) return from === 1 ? setState(db, chunk, 'ready') : setStatus(db, id, 0, await newChunk(db, id))
      return setStatus(db, id, to)
    }

    test.each(numbers)('from %d only where the model says', async (from) => {
      const { db } = opened
      for (const to of numbers) {
        const { id, chunk } = await instanceAt(db, from)
        const expected = from === to || canInstanceMove(from, to)
        expect({ from, to, accepted: await isAccepted(move(db, id, chunk, from, to)) }).toEqual({ from, to, accepted: expected })
        expect(await seen(db, id)).toBe(expected ? to : from)
      }
    })

    test.each(numbers)('a chunk that is open doesn’t let one at %d take a number that there isn’t; 1 is never stored', async (from) => {
      const { db } = opened
      const { id } = await instanceAt(db, from)
      for (const status of [1, 3, -1, -3, 4, 32_767]) {
        await expect(setStatus(db, id, status)).rejects.toMatchObject(refused)
        await expect(setStatus(db, id, status, await newChunk(db, id, { state: 'claimed' }))).rejects.toMatchObject(refused)
      }
      expect(await seen(db, id)).toBe(from)
    })

    test('0 goes to 2 or -2 only while its own chunk is claimed', async () => {
      const { db } = opened
      const { id, chunk } = await instanceAt(db, 0)
      for (const status of [2, -2]) {
        await expect(setStatus(db, id, status)).rejects.toMatchObject({
          ...refused,
          table: 'instance',
          message: `instance ${id}.0: status can't go from 0 to ${status} here`,
        })
        const other = await newChunk(db, id, { state: 'claimed' })
        await expect(setStatus(db, id, status, other)).rejects.toMatchObject(refused)
      }
      await setState(db, chunk, 'claimed')
      await setStatus(db, id, -2)
      expect(await seen(db, id)).toBe(-2)
    })

    test.each([2, -2] as const)('%d goes to 0 only into a new retry chunk of its message', async (from) => {
      const { db } = opened
      const { id } = await instanceAt(db, from)
      const stranger = await instanceAt(db, from)
      await expect(setStatus(db, id, 0)).rejects.toMatchObject(refused)
      const wrong = [
        await newChunk(db, id, { kind: 'data' }),
        await newChunk(db, id, { state: 'claimed' }),
        await newChunk(db, id, { state: 'finished' }),
        await newChunk(db, stranger.id),
        '999999',
      ]
      for (const chunk of wrong) await expect(setStatus(db, id, 0, chunk)).rejects.toMatchObject(refused)
      await setStatus(db, id, 0, await newChunk(db, id))
      expect(await seen(db, id)).toBe(0)
    })

    test('neither goes back when its chunk is opened again', async () => {
      const { db } = opened
      for (const from of [2, -2] as const) {
        const { id, chunk } = await instanceAt(db, from)
        await db.query("UPDATE sluice.chunk SET state = 'ready', finished_at = NULL WHERE id = $1", [chunk])
        await expect(setStatus(db, id, 0)).rejects.toMatchObject(refused)
        await setState(db, chunk, 'claimed')
        for (const to of [0, -from]) await expect(setStatus(db, id, to)).rejects.toMatchObject(refused)
      }
    })

    test.each([0, 1, 2, -2] as const)('at %d never go to another chunk as they are', async (status) => {
      const { db } = opened
      const { id } = await instanceAt(db, status)
      for (const state of ['ready', 'claimed'] as const) {
        const other = await newChunk(db, id, { state })
        await expect(db.query('UPDATE sluice.instance SET chunk_id = $2 WHERE message_id = $1', [id, other])).rejects.toMatchObject({
          ...refused,
          table: 'instance',
          message: expect.stringContaining('another chunk'),
        })
      }
    })

    test('begin in a chunk of their own message and no other', async () => {
      const { db } = opened
      const { id } = await instanceAt(db, 0)
      const stranger = await instanceAt(db, 0)
      for (const chunk of [stranger.chunk, '999999'])
        await expect(insert(db, id, chunk, 0, '')).rejects.toMatchObject({
          ...refused,
          table: 'instance',
          message: `instance ${id}.7: chunk ${chunk} is not one of its message`,
        })
    })

    test('never change their key', async () => {
      const { db } = opened
      const { id, chunk } = await instanceAt(db, 1)
      for (const change of [
        'ordinal = 5',
        'message_id = message_id + 1000',
        "ordinal = 5, status = 2, outcome = 'created', finished_at = now()",
      ])
        await expect(db.query(`UPDATE sluice.instance SET ${change} WHERE message_id = $1`, [id])).rejects.toMatchObject({
          ...refused,
          message: expect.stringContaining('another key'),
        })
      expect(await db.query('SELECT FROM sluice.instance WHERE chunk_id = $1 AND ordinal = 0', [chunk])).toMatchObject({ rowCount: 1 })
    })

    const insert = (db: Db, id: string, chunk: string, status: number, code: string, then = '') =>
      db.query(
        `INSERT INTO sluice.instance (message_id, ordinal, chunk_id, integration, external_id, data, status, outcome, error, finished_at)
         VALUES ($1, 7, $2, 'thing', 'x', '{}', $3::smallint, CASE WHEN $3::smallint = 2 THEN 'created' END,
           CASE WHEN $3::smallint = -2 THEN jsonb_build_object('code', $4::text) END, CASE WHEN $3::smallint <> 0 THEN now() END) ${then}`,
        [id, chunk, status, code],
      )

    test.each(['ready', 'claimed'] as const)('begin at 0, or at -2 with the error "invalid" (chunk %s)', async (state) => {
      const { db } = opened
      const { id, chunk } = await instanceAt(db, state === 'ready' ? 0 : 1)
      for (const status of [1, 2, 3, -1, -3, 4]) await expect(insert(db, id, chunk, status, 'invalid')).rejects.toMatchObject(refused)
      await expect(insert(db, id, chunk, -2, 'broken')).rejects.toMatchObject(refused)
      await insert(db, id, chunk, -2, 'invalid')
      await db.query('DELETE FROM sluice.instance WHERE ordinal = 7')
      await insert(db, id, chunk, 0, '')
    })

    test('an upsert is no way around', async () => {
      const { db } = opened
      const { id, chunk } = await instanceAt(db, 0)
      await insert(db, id, chunk, 0, '')
      const upsert = insert(
        db,
        id,
        chunk,
        0,
        '',
        "ON CONFLICT (message_id, ordinal) DO UPDATE SET status = 2, outcome = 'created', finished_at = now()",
      )
      await expect(upsert).rejects.toMatchObject(refused)
    })

    test('many at once: one that is refused keeps all of them', async () => {
      const { db } = opened
      const claimed = await instanceAt(db, 1)
      const waiting = await instanceAt(db, 0)
      await expect(db.query("UPDATE sluice.instance SET status = 2, outcome = 'created', finished_at = now()")).rejects.toMatchObject(
        refused,
      )
      expect([await seen(db, claimed.id), await seen(db, waiting.id)]).toEqual([1, 0])
    })
  })
})
