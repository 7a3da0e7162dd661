/** Small messages go together: at intake, when they are split, when they are rolled up. What goes wrong stays with the one that it belongs to. */
import { createHash, randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration, type Integration } from '../../src/config.ts'
import { Gathering } from '../../src/flow/gather.ts'
import { rollUpAll } from '../../src/flow/rollup.ts'
import { insertMessages, type SmallMessage } from '../../src/store/message-group.ts'
import { onBoth } from '../support/both.ts'
import { resetCompany } from '../support/company.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'

function thing(name = 'thing', onInvalid: 'refuse' | 'keep-valid' = 'refuse'): Integration {
  return defineIntegration({
    name,
    schema: z.object({ id: z.string(), n: z.number().optional() }),
    key: 'id',
    onInvalid,
    target: (t) =>
      t.handler({
        apply(object) {
          if (object.n === 13) throw new Error('bad luck')
          return 'created'
        },
      }),
  })
}

const statuses = async (inbox: Inbox): Promise<number[]> => {
  const rows = await inbox.rows<{ status: number }>('SELECT status FROM sluice.message ORDER BY id')
  return rows.map(({ status }) => status)
}

onBoth((opened) => {
  beforeEach(() => resetCompany(opened.db))

  test('groups with the same keys in opposite order don’t deadlock', async () => {
    for (let round = 0; round < 20; round++) {
      const message = (n: number): SmallMessage => {
        const body = Buffer.from(`[${n}]`)
        const uploadId = randomUUID()
        const sent = {
          integration: 'thing',
          source: 'twice',
          idempotencyKey: `${round} ${n}`,
          uploadId,
          format: 'json' as const,
          isDraft: false,
        }
        return { ...sent, body, bodySha256: createHash('sha256').update(body).digest(), bodySize: body.length }
      }
      const keys = Array.from({ length: 50 }, (_, n) => n)
      const stored = await Promise.all([
        insertMessages(opened.db, keys.map(message)),
        insertMessages(opened.db, keys.toReversed().map(message)),
      ])
      expect(stored.flat().filter((one) => one !== null)).toHaveLength(50)
    }
  })

  test('many at once are each stored with their own bytes, in the order in which they came', async () => {
    const inbox = createInbox(opened.db, [thing()])
    const receipts = await Promise.all(Array.from({ length: 250 }, (_, n) => inbox.send('thing', `[{"id": "T-${n}",   "n": ${n}}]`)))
    expect(receipts.every(({ status, total }) => status === 1 && total === 1)).toBe(true)
    const rows = await inbox.rows<{ id: string; body: string; sound: boolean }>(
      `SELECT m.id, convert_from(b.bytes, 'UTF8') AS body, sha256(b.bytes) = m.body_sha256 AND octet_length(b.bytes) = m.body_size AS sound
       FROM sluice.message m JOIN sluice.message_body b ON b.upload_id = m.upload_id ORDER BY m.id`,
    )
    expect(rows).toEqual(receipts.map(({ id }, n) => ({ id, body: `[{"id": "T-${n}",   "n": ${n}}]`, sound: true })))
  })

  test('fifty with one idempotency key are one message', async () => {
    const inbox = createInbox(opened.db, [thing()])
    const receipts = await Promise.all(Array.from({ length: 50 }, () => inbox.send('thing', [{ id: 'a' }], { idempotencyKey: 'once' })))
    expect(new Set(receipts.map(({ id }) => id)).size).toBe(1)
    expect(receipts.filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect(await inbox.rows('SELECT FROM sluice.message')).toHaveLength(1)
    expect(await inbox.rows('SELECT FROM sluice.message_body')).toHaveLength(1)
  })

  test('one that the database refuses is refused alone', async () => {
    const inbox = createInbox(opened.db, [thing()])
    const sent = await Promise.allSettled(
      ['a', 'b\u0000', 'c', 'd'].map((key) => inbox.send('thing', [{ id: key.charAt(0) }], { idempotencyKey: key })),
    )
    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(await statuses(inbox)).toEqual([1, 1, 1])
  })

  test('small ones are split and rolled up together, whatever their number of objects, integration and mode', async () => {
    const inbox = createInbox(opened.db, [thing(), thing('other', 'keep-valid')])
    await inbox.send('thing', [{ id: 'a' }, { id: 'b', n: 13 }, { id: 'c' }])
    await inbox.send('thing', [])
    await inbox.send('other', [{ id: 'a' }, { id: 5 }])
    await inbox.send('thing', [{ id: 'd' }], { draft: true })
    await inbox.send('other', { id: 'x' })
    await inbox.drain()
    expect(await statuses(inbox)).toEqual([-3, 3, -3, 3, 3])
    const instances = await inbox.rows(
      `SELECT i.message_id - (SELECT min(id) FROM sluice.message) AS m, i.ordinal, i.integration, i.external_id AS id, i.status, c.is_draft AS draft
       FROM sluice.instance i JOIN sluice.chunk c ON c.id = i.chunk_id ORDER BY 1, 2`,
    )
    expect(instances).toEqual([
      { m: '0', ordinal: 0, integration: 'thing', id: 'a', status: 2, draft: false },
      { m: '0', ordinal: 1, integration: 'thing', id: 'b', status: -2, draft: false },
      { m: '0', ordinal: 2, integration: 'thing', id: 'c', status: 2, draft: false },
      { m: '2', ordinal: 0, integration: 'other', id: 'a', status: 2, draft: false },
      { m: '2', ordinal: 1, integration: 'other', id: '5', status: -2, draft: false },
      { m: '3', ordinal: 0, integration: 'thing', id: 'd', status: 2, draft: true },
      { m: '4', ordinal: 0, integration: 'other', id: 'x', status: 2, draft: false },
    ])
  })

  test('one that can not be split fails with its reason, the others go on', async () => {
    await opened.db.exec(`
      CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.external_id = 'bad' THEN RAISE check_violation USING MESSAGE = 'not this one'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON sluice.instance FOR EACH ROW EXECUTE FUNCTION public.refuse()`)
    try {
      const inbox = createInbox(opened.db, [thing()])
      for (const id of ['a', 'bad', 'c']) await inbox.send('thing', [{ id }])
      await inbox.drain()
      expect(await statuses(inbox)).toEqual([3, -2, 3])
      const [failed] = await inbox.rows<{ details: string }>('SELECT status_details AS details FROM sluice.message WHERE status = -2')
      expect(JSON.parse(failed?.details ?? '')).toMatchObject({ message: expect.stringContaining('not this one') })
    } finally {
      await opened.db.exec('DROP TRIGGER refuse ON sluice.instance; DROP FUNCTION public.refuse')
    }
  })

  test('of several messages those are rolled up that have no open chunk', async () => {
    const inbox = createInbox(opened.db, [thing()])
    const done = await inbox.send('thing', [{ id: 'a' }])
    await inbox.drain()
    await opened.db.exec('ALTER TABLE sluice.message DISABLE TRIGGER ALL')
    await inbox.rows('UPDATE sluice.message SET status = 2, finished_at = NULL WHERE id = $1', [done.id])
    await opened.db.exec('ALTER TABLE sluice.message ENABLE TRIGGER ALL')
    const open = await inbox.send('thing', [{ id: 'b' }])
    expect(await rollUpAll(opened.db, [open.id, done.id, '999999'])).toEqual(new Map([[done.id, 3]]))
    expect(await statuses(inbox)).toEqual([3, 1])
  })
})

describe('a gathering', () => {
  const harmless = (error: unknown): boolean => error instanceof RangeError

  test('does one that comes alone at once, and those that come meanwhile together', async () => {
    const groups: number[][] = []
    const gate = Promise.withResolvers<void>()
    const gathering = new Gathering<number, number>(
      async (items) => {
        groups.push([...items])
        await gate.promise
        return items.map((item) => item * 10)
      },
      harmless,
      3,
    )
    const all = Promise.all([1, 2, 3, 4, 5].map((item) => gathering.add(item)))
    gate.resolve()
    expect(await all).toEqual([10, 20, 30, 40, 50])
    expect(groups).toEqual([[1], [2, 3, 4], [5]])
  })

  test('a failure of the surroundings is everybody’s, and the next ones are tried', async () => {
    let isDown = true
    const gathering = new Gathering<number, number>(
      (items) => (isDown ? Promise.reject(new Error('down')) : Promise.resolve([...items])),
      harmless,
      10,
    )
    const results = await Promise.allSettled([1, 2, 3].map((item) => gathering.add(item)))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    isDown = false
    expect(await gathering.add(4)).toBe(4)
  })
})
