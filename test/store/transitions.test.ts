/** The database refuses every status and transition that the design doesn't have, whoever writes it. */
import { beforeEach, expect, test } from 'vitest'
import { splitMessage } from '../../src/flow/index.ts'
import { canMessageMove, type MessageStatus } from '../../src/model/status.ts'
import { claimChunks } from '../../src/store/chunk.ts'
import type { Db } from '../../src/store/db.ts'
import { onBoth } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'

const statuses: MessageStatus[] = [0, 1, -1, 2, -2, 3, -3]
const refused = { sqlstate: '23514' }

onBoth((opened) => {
  beforeEach(() => resetCompany(opened.db))

  const inbox = () => createInbox(opened.db, [organization, employee])

  test('a message begins with 0', async () => {
    for (const status of [1, -1, 2, -2, 3, -3, 4])
      await expect(insertMessage(opened.db, status), String(status)).rejects.toMatchObject(refused)
    await insertMessage(opened.db, 0)
  })

  for (const from of statuses) {
    test(`a message at ${from} goes where the model lets it, and nowhere else`, async () => {
      for (const to of statuses.filter((each) => each !== from)) {
        await resetCompany(opened.db)
        const id = await messageAt(inbox(), from)
        // What goes with a status must go with it here too; only the transition is in question.
        const move = opened.db.query(
          `UPDATE sluice.message SET status = $2::smallint, validated_at = now(), split_at = now(), total = coalesce(total, 1),
             finished_at = CASE WHEN $2::smallint IN (-1, 3, -3) THEN now() END WHERE id = $1`,
          [id, to],
        )
        // 3 and -3 must agree with the instances, and 2 needs some that are open: neither is so here.
        const isAllowed = canMessageMove(from, to) && !(from === 3 || from === -3) && !(from === 2 && to === -3)
        if (isAllowed) await move
        else await expect(move, `${from} to ${to}`).rejects.toMatchObject(refused)
      }
    })
  }

  test('a message becomes 3 or -3 only when no chunk is open, as its instances say', async () => {
    const box = inbox()
    const { id } = await box.send('employee', [{ ms_id: 'e', name: 'n' }])
    await splitMessage(box.services, id)
    for (const status of [3, -3]) await expect(finish(opened.db, id, status)).rejects.toMatchObject(refused)
  })

  test('numbers that are none are refused', async () => {
    const id = await messageAt(inbox(), 0)
    for (const status of [4, -4, 10])
      await expect(opened.db.query('UPDATE sluice.message SET status = $2 WHERE id = $1', [id, status])).rejects.toMatchObject(refused)
    const box = inbox()
    const split = await box.send('employee', [{ ms_id: 'e', name: 'n' }])
    await splitMessage(box.services, split.id)
    // 1 is shown, never stored.
    for (const status of [1, -1, 3]) await expect(setInstance(opened.db, split.id, status)).rejects.toMatchObject(refused)
  })

  test('a waiting instance gets a result only while its chunk is claimed', async () => {
    const box = inbox()
    const { id } = await box.send('employee', [{ ms_id: 'e', name: 'n' }])
    await splitMessage(box.services, id)
    for (const status of [2, -2]) await expect(setInstance(opened.db, id, status)).rejects.toMatchObject(refused)
    expect(await shown(opened.db, id)).toBe(0)
    await claimChunks(opened.db, { integrations: ['employee'], worker: 'w', leaseSeconds: 60, size: 10 })
    expect(await shown(opened.db, id)).toBe(1)
    await setInstance(opened.db, id, 2)
    expect(await shown(opened.db, id)).toBe(2)
  })

  test('a processed or failed instance goes back to 0 only into a new retry chunk, and never to another result', async () => {
    for (const [from, value] of [
      [2, { ms_id: 'e', name: 'n' }],
      [-2, { ms_id: 'e', name: 'bad' }],
    ] as const) {
      await resetCompany(opened.db)
      const box = inbox()
      const { id } = await box.send('employee', [value])
      await box.drain()
      expect(await shown(opened.db, id)).toBe(from)
      for (const to of [0, -from]) await expect(setInstance(opened.db, id, to), `${from} to ${to}`).rejects.toMatchObject(refused)
      const { rows } = await opened.db.query<{ id: string }>(
        `INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, ordinals, total)
         VALUES ($1, 'employee', 'retry', 1, 0, 0, '{0}', 1) RETURNING id`,
        [id],
      )
      await opened.db.query(
        'UPDATE sluice.instance SET status = 0, outcome = NULL, detail = NULL, changes = NULL, error = NULL, finished_at = NULL, chunk_id = $2 WHERE message_id = $1',
        [id, rows[0]?.id ?? null],
      )
    }
  })

  test('an instance keeps its key, and begins at 0, or at -2 as invalid', async () => {
    const box = inbox()
    const { id } = await box.send('employee', [{ ms_id: 'e', name: 'n' }])
    await splitMessage(box.services, id)
    await expect(opened.db.query('UPDATE sluice.instance SET ordinal = 7 WHERE message_id = $1', [id])).rejects.toMatchObject(refused)
    const insert = (status: number, error: string | null) =>
      opened.db.query(
        `INSERT INTO sluice.instance (message_id, ordinal, chunk_id, integration, external_id, data, status, outcome, error, finished_at)
         SELECT message_id, 5, chunk_id, integration, 'x', '{}', $2::smallint, CASE WHEN $2::smallint = 2 THEN 'created' END, $3::jsonb,
           CASE WHEN $2::smallint <> 0 THEN now() END FROM sluice.instance WHERE message_id = $1 LIMIT 1`,
        [id, status, error],
      )
    await expect(insert(2, null)).rejects.toMatchObject(refused)
    await expect(insert(-2, '{"code":"other"}')).rejects.toMatchObject(refused)
    await insert(-2, '{"code":"invalid"}')
  })
})

/** A message brought to a status by the stages themselves. */
async function messageAt(box: Inbox, status: MessageStatus): Promise<string> {
  if (status === 0) return insertMessage(box.db, 0)
  if (status === -1) return (await box.send('employee', [{}])).id
  const { id } = await box.send('employee', status === 3 ? [] : [{ ms_id: 'e', name: status === -3 ? 'bad' : 'n' }])
  if (status === -2) await box.db.query('UPDATE sluice.message SET status = -2 WHERE id = $1', [id])
  if (status === 3 || status === -3) await box.drain()
  if (status === 2) {
    await splitMessage(box.services, id)
    // Nothing open and nothing failed, so that 3 is what it may become.
    await box.db.query('DELETE FROM sluice.chunk WHERE message_id = $1', [id])
  }
  return id
}

async function insertMessage(db: Db, status: number): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `INSERT INTO sluice.message (integration, source, upload_id, body_sha256, body_size, format, status, validated_at, split_at, total, finished_at)
     VALUES ('employee', 'test', gen_random_uuid(), sha256('x'), 1, 'json', $1::smallint, CASE WHEN $1::smallint <> 0 THEN now() END, now(), 1,
       CASE WHEN $1::smallint IN (-1, 3, -3) THEN now() END) RETURNING id`,
    [status],
  )
  return rows[0]?.id ?? ''
}

function finish(db: Db, id: string, status: number): Promise<unknown> {
  return db.query('UPDATE sluice.message SET status = $2::smallint, finished_at = now() WHERE id = $1', [id, status])
}

function setInstance(db: Db, id: string, status: number): Promise<unknown> {
  return db.query(
    `UPDATE sluice.instance SET status = $2::smallint, outcome = CASE WHEN $2::smallint = 2 THEN 'created' END,
       error = CASE WHEN $2::smallint = -2 THEN '{"code":"x"}'::jsonb END, finished_at = CASE WHEN $2::smallint <> 0 THEN now() END WHERE message_id = $1`,
    [id, status],
  )
}

async function shown(db: Db, id: string): Promise<number | undefined> {
  const { rows } = await db.query<{ status: number }>('SELECT status FROM sluice.integration_instance WHERE message_id = $1', [id])
  return rows[0]?.status
}
