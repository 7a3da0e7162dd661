/** Rule 6: one bad object harms only itself; a failure of the surroundings is the chunk's. */
import { beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration } from '../../src/config.ts'
import { processChunks, splitMessage } from '../../src/flow/index.ts'
import { failed } from '../../src/model/outcome.ts'
import { DatabaseError } from '../../src/store/db.ts'
import { onBoth } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'
import { createInbox } from '../support/inbox.ts'

const Thing = z.object({ id: z.string() })

onBoth((opened) => {
  beforeEach(() => resetCompany(opened.db))

  test('bad objects among many stand alone, each with its column and what is wrong', async () => {
    const inbox = createInbox(opened.db, [organization, employee])
    const people: Record<string, unknown>[] = Array.from({ length: 200 }, (_, index) => ({
      ms_id: `e${index}`,
      name: `n${index}`,
      age: index,
    }))
    people[17] = { ms_id: 'e17', name: 'bad', age: 1 }
    people[42] = { ms_id: 'e42', name: 'n', age: 'forty-two' }
    people[43] = { ms_id: 'e43', name: 'nul \u0000 character', age: 1 }
    people[199] = { ms_id: 'e199', name: 'n', age: 99999999999999 }
    const results = await inbox.process('employee', people)
    expect(results.filter((result) => result.outcome === 'created')).toHaveLength(196)
    expect(results[17]?.error).toMatchObject({ code: 'check_violation', class: 'permanent' })
    expect(results[42]?.error).toMatchObject({
      code: 'invalid_value',
      column: 'age',
      pointer: '/42/age',
      message: 'column "age" (integer) can\'t hold "forty-two"',
    })
    expect(results[43]?.error).toMatchObject({ code: 'unstorable_text', column: 'name', pointer: '/43/name' })
    expect(results[199]?.error).toMatchObject({ code: 'invalid_value', column: 'age' })
    expect(await inbox.rows('SELECT count(*)::integer AS n FROM public.employee')).toEqual([{ n: 196 }])
    expect(await inbox.rows('SELECT ordinal, code FROM sluice.failure ORDER BY ordinal')).toHaveLength(4)
  })

  test('a constraint that is checked late is the object’s too', async () => {
    await opened.db.exec('ALTER TABLE public.employee ADD CONSTRAINT late UNIQUE (age) DEFERRABLE INITIALLY DEFERRED')
    const inbox = createInbox(opened.db, [organization, employee])
    const results = await inbox.process('employee', [
      { ms_id: 'a', name: 'a', age: 1 },
      { ms_id: 'b', name: 'b', age: 1 },
      { ms_id: 'c', name: 'c', age: 2 },
    ])
    expect(results).toMatchObject([{ outcome: 'created' }, { error: { code: 'unique_violation' } }, { outcome: 'created' }])
  })

  test('a handler that throws for one object is asked about the others again', async () => {
    const seen: string[] = []
    const thing = defineIntegration({
      name: 'thing',
      schema: Thing,
      key: 'id',
      target: (t) =>
        t.handler({
          apply: async (object, { tx }) => {
            seen.push(object.id)
            await tx.query('INSERT INTO public.organization (ms_id) VALUES ($1)', [object.id])
            if (object.id === 'x') throw new Error('no answer')
            return object.id === 'y' ? failed('refused', 'not this one') : 'created'
          },
        }),
    })
    const inbox = createInbox(opened.db, [thing])
    const results = await inbox.process(
      'thing',
      ['a', 'x', 'b', 'y'].map((id) => ({ id })),
    )
    expect(results).toMatchObject([
      { outcome: 'created' },
      { error: { code: 'handler_error', class: 'transient', message: 'no answer' } },
      { outcome: 'created' },
      { error: { code: 'refused', class: 'permanent' } },
    ])
    expect(await inbox.rows('SELECT ms_id FROM public.organization ORDER BY ms_id')).toEqual([
      { ms_id: 'a' },
      { ms_id: 'b' },
      { ms_id: 'y' },
    ])
    expect(await inbox.rows("SELECT due_at > now() AS later FROM sluice.failure WHERE code = 'handler_error'")).toEqual([{ later: true }])
  })

  test('a failure of the surroundings sends the chunk back, and no instance changes', async () => {
    let isDown = true
    const thing = defineIntegration({
      name: 'thing',
      schema: Thing,
      key: 'id',
      target: (t) =>
        t.handler({
          apply: () => {
            if (isDown) throw new DatabaseError('the disk is full', { sqlstate: '53100' })
            return 'created'
          },
        }),
    })
    const inbox = createInbox(opened.db, [thing])
    const { id } = await inbox.send('thing', [{ id: 'a' }])
    await splitMessage(inbox.services, id)
    expect(await processChunks(inbox.services, await inbox.claim(), new AbortController().signal)).toBeNull()
    expect(await inbox.rows('SELECT state, attempts, due_at > now() AS later, last_error FROM sluice.chunk')).toEqual([
      { state: 'ready', attempts: 1, later: true, last_error: '{"code": "53100", "message": "the disk is full"}' },
    ])
    expect(await inbox.outcomes(id)).toMatchObject([{ outcome: null, error: null }])
    isDown = false
    await opened.db.query('UPDATE sluice.chunk SET due_at = now()')
    await inbox.drain()
    expect(await inbox.status(id)).toBe(3)
  })

  test('a constraint checked late is so in every round of a chunk', async () => {
    await opened.db.exec(`DROP TABLE IF EXISTS public.seat; CREATE TABLE public.seat (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      ms_id text UNIQUE, place integer UNIQUE DEFERRABLE INITIALLY DEFERRED, beside bigint)`)
    const seat = defineIntegration({
      name: 'seat',
      schema: z.object({ id: z.string() }).loose(),
      key: 'id',
      target: (t) => t.table('public.seat', { key: 'ms_id', columns: { place: 'place', beside: t.ref('seat', 'beside') } }),
    })
    const inbox = createInbox(opened.db, [seat])
    await inbox.process('seat', { id: 'b', place: 11 })
    const results = await inbox.process('seat', [
      { id: 'm', place: 11, beside: 'z' },
      { id: 'b', place: 12, beside: 'z' },
      { id: 'z', place: 99 },
    ])
    expect(results.map(({ outcome }) => outcome)).toEqual(['created', 'updated', 'created'])
  })

  test('a target that does not fit pauses its integration and says so; it goes on when resumed', async () => {
    const inbox = createInbox(opened.db, [organization, employee])
    await opened.db.exec('ALTER TABLE public.organization RENAME COLUMN phone TO telephone')
    const { id } = await inbox.send('organization', { ms_id: 'a', title: 't', changed_at: '2026-01-01' })
    await inbox.drain()
    expect(await inbox.rows('SELECT integration, reason FROM sluice.paused_integration')).toEqual([
      { integration: 'organization', reason: expect.stringContaining('has no column \\"phone\\"') },
    ])
    expect(await inbox.process('employee', { ms_id: 'e', name: 'n' })).toMatchObject([{ outcome: 'created' }])
    expect(await inbox.status(id)).toBe(2)
    await opened.db.exec('ALTER TABLE public.organization RENAME COLUMN telephone TO phone')
    await opened.db.query('DELETE FROM sluice.paused_integration')
    await inbox.drain()
    expect(await inbox.status(id)).toBe(3)
  })
})
