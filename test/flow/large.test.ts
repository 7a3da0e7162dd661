/** Messages of more than one chunk: validated and split in one pass and one transaction. */
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration, type Integration } from '../../src/config.ts'
import { executeNextRun, requestRun } from '../../src/tasks/run.ts'
import { onBoth } from '../support/both.ts'
import { resetCompany } from '../support/company.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'

function thing(onInvalid: 'refuse' | 'keep-valid' = 'refuse'): Integration {
  return defineIntegration({
    name: 'thing',
    schema: z.object({ id: z.string(), n: z.number().optional() }),
    key: 'id',
    onInvalid,
    target: (t) => t.handler({ apply: () => 'created' }),
  })
}

const count = 25
const chunkSize = 10
const objects = Array.from({ length: count }, (_, index) => ({ id: `T-${index}` }))

const instances = (inbox: Inbox) =>
  inbox.rows<{ ordinal: number; external_id: string | null; status: number; chunk: number }>(
    `SELECT i.ordinal, i.external_id, i.status, c.number AS chunk FROM sluice.instance i JOIN sluice.chunk c ON c.id = i.chunk_id ORDER BY i.ordinal`,
  )

onBoth((opened) => {
  beforeEach(() => resetCompany(opened.db))

  test('a correct one is split when its sender is answered, and the split is a recorded run', async () => {
    const inbox = createInbox(opened.db, [thing()], { chunkSize })
    const { id, status, total } = await inbox.send('thing', objects)
    expect({ status, total }).toEqual({ status: 2, total: count })
    expect(await instances(inbox)).toEqual(
      objects.map((object, ordinal) => ({ ordinal, external_id: object.id, status: 0, chunk: Math.floor(ordinal / chunkSize) })),
    )
    const [message] = await inbox.rows('SELECT validated_at <= split_at AS "inOrder", split_attempts AS attempts FROM sluice.message')
    expect(message).toEqual({ inOrder: true, attempts: 1 })
    const runs = await inbox.rows<{ result: string }>(
      "SELECT task, started_by, actor, worker, state, result FROM sluice.task_run WHERE task = 'split'",
    )
    expect(runs).toMatchObject([{ task: 'split', started_by: 'event', actor: 'intake', worker: null, state: 'finished' }])
    expect(JSON.parse(runs[0]?.result ?? '')).toEqual({ messages: 1, instances: count })
    await inbox.drain()
    expect(await inbox.status(id)).toBe(3)
  })

  test('a chunk is full at 1 MiB of text too, so that a worker never holds more, whatever the size of the objects', async () => {
    const inbox = createInbox(opened.db, [thing()], { chunkSize: 1000 })
    const text = 'x'.repeat(300_000)
    const { id } = await inbox.send(
      'thing',
      Array.from({ length: 9 }, (_, index) => ({ id: `T-${index}`, text })),
    )
    await inbox.drain()
    expect(await inbox.status(id)).toBe(3)
    expect((await instances(inbox)).map(({ chunk }) => chunk)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2])
  })

  test('one of exactly one chunk is left to the workers', async () => {
    const inbox = createInbox(opened.db, [thing()], { chunkSize })
    const { status } = await inbox.send('thing', objects.slice(0, chunkSize))
    expect(status).toBe(1)
    expect(await instances(inbox)).toEqual([])
  })

  test('an incorrect one is refused with every error, and nothing of it stays', async () => {
    const inbox = createInbox(opened.db, [thing()], { chunkSize, limits: { errors: 2 } })
    const broken = objects.map((object, index) => (index === 15 || index >= 23 ? { n: 1 } : object))
    const { id, status, total, problem } = await inbox.send('thing', broken)
    expect({ status, total }).toEqual({ status: -1, total: count })
    expect(problem).toMatchObject({ code: 'schema', errorCount: 3, errors: [{ pointer: '/15/id' }, { pointer: '/23/id' }] })
    expect(await instances(inbox)).toEqual([])
    expect(await inbox.rows('SELECT FROM sluice.chunk UNION ALL SELECT FROM sluice.task_run')).toEqual([])
    await inbox.drain()
    expect(await inbox.status(id)).toBe(-1)
  })

  test('keep-valid keeps each bad object as a failed instance in its place', async () => {
    const inbox = createInbox(opened.db, [thing('keep-valid')], { chunkSize })
    const { id, status, problem } = await inbox.send(
      'thing',
      objects.map((object, index) => (index === 15 ? { id: 'bad', n: 'x' } : object)),
    )
    expect(status).toBe(2)
    expect(problem).toMatchObject({ errorCount: 1, errors: [{ pointer: '/15/n' }] })
    expect((await instances(inbox)).filter((row) => row.status !== 0)).toEqual([{ ordinal: 15, external_id: 'bad', status: -2, chunk: 1 }])
    await inbox.drain()
    expect(await inbox.status(id)).toBe(-3)
  })

  test('one whose schema answers with promises is left to the workers, and holds nothing that others need', async () => {
    let answer: () => void = () => undefined
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    let asked = 0
    const slow = defineIntegration({
      name: 'slow',
      schema: z.object({ id: z.string() }).refine(async () => {
        asked++
        await answered
        return true
      }),
      key: 'id',
      target: (t) => t.handler({ apply: () => 'created' }),
    })
    const inbox = createInbox(opened.db, [thing(), slow], { chunkSize })
    const waiting = inbox.send('slow', objects)
    // Once when it was to be split in the same pass, once when it is only validated.
    while (asked < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await inbox.send('thing', objects)).toMatchObject({ status: 2 })
    answer()
    expect(await waiting).toMatchObject({ status: 1, total: count })
    await inbox.drain()
    expect(await inbox.rows('SELECT status FROM sluice.message')).toEqual([{ status: 3 }, { status: 3 }])
  })

  test('one with nothing but bad objects is finished at once', async () => {
    const inbox = createInbox(opened.db, [thing('keep-valid')], { chunkSize })
    const { status } = await inbox.send(
      'thing',
      objects.map(({ id }) => ({ id, n: 'x' })),
    )
    expect(status).toBe(-3)
  })

  describe('when the database fails in the middle', () => {
    beforeEach(() =>
      opened.db.exec(`
        CREATE FUNCTION public.fail_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER fail_late BEFORE INSERT ON sluice.instance FOR EACH ROW WHEN (NEW.ordinal = 20) EXECUTE FUNCTION public.fail_late();
      `),
    )
    const mend = () => opened.db.exec('DROP TRIGGER IF EXISTS fail_late ON sluice.instance; DROP FUNCTION IF EXISTS public.fail_late()')

    test('its bytes are kept at 0, and the split task takes it up', async () => {
      const inbox = createInbox(opened.db, [thing()], { chunkSize })
      try {
        const { id, status } = await inbox.send('thing', objects)
        expect(status).toBe(0)
        expect(await inbox.rows('SELECT FROM sluice.chunk UNION ALL SELECT FROM sluice.instance')).toEqual([])
        await mend()
        await inbox.rows("UPDATE sluice.message SET received_at = received_at - interval '1 hour' WHERE id = $1", [id])
        await requestRun(opened.db, 'split', {}, { startedBy: 'click' })
        expect(await executeNextRun(inbox.services, 'worker', new AbortController().signal)).toBe(true)
        expect(await instances(inbox)).toHaveLength(count)
        await inbox.drain()
        expect(await inbox.status(id)).toBe(3)
      } finally {
        await mend()
      }
    })
  })
})
