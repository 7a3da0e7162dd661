/** Rule 5: a missing reference is normal. It waits, or it is filled in later; in every interleaving. */
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration } from '../../src/config.ts'
import { rollUp, splitMessage } from '../../src/flow/index.ts'
import { applyChunks } from '../../src/flow/process.ts'
import { settleReferences } from '../../src/flow/settle.ts'
import { onBoth, onPostgres } from '../support/both.ts'
import { employee, employeeWith, organization, resetCompany } from '../support/company.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'

const org = (id: string) => ({ ms_id: id, title: `Org ${id}`, changed_at: '2026-01-01' })
const person = (id: string, organizationId: string | null = 'o1') => ({
  ms_id: id,
  name: `Person ${id}`,
  organization_ms_id: organizationId,
})
const linked = `SELECT e.ms_id, o.ms_id AS org FROM public.employee e LEFT JOIN public.organization o ON o.id = e.organization_id ORDER BY e.ms_id`

onBoth((opened) => {
  beforeEach(() => resetCompany(opened.db))

  test('a required reference waits, uses up no attempt, and goes on by itself', async () => {
    const inbox = createInbox(opened.db, [organization, employee])
    const { id } = await inbox.send('employee', [person('e1'), person('e2', 'o2'), person('e3', null)])
    await inbox.drain()
    expect(await inbox.status(id)).toBe(-3)
    expect(await inbox.outcomes(id)).toMatchObject([
      { error: { code: 'missing_reference', class: 'missing_reference', column: 'organization_id' } },
      { error: { message: expect.stringContaining('organization "o2"') } },
      { outcome: 'created' },
    ])
    await inbox.process('organization', org('o1'))
    expect(await inbox.outcomes(id)).toMatchObject([
      { outcome: 'created' },
      { error: { code: 'missing_reference' } },
      { outcome: 'created' },
    ])
    await inbox.process('organization', org('o2'))
    expect(await inbox.status(id)).toBe(3)
    expect(await inbox.rows(linked)).toEqual([
      { ms_id: 'e1', org: 'o1' },
      { ms_id: 'e2', org: 'o2' },
      { ms_id: 'e3', org: null },
    ])
    expect(await inbox.rows('SELECT DISTINCT attempts FROM sluice.instance WHERE message_id = $1', [id])).toEqual([{ attempts: 1 }])
    expect(await inbox.rows('SELECT FROM sluice.failure')).toEqual([])
  })

  test('a deferred reference is filled in, only while the version that asked for it stands', async () => {
    const inbox = createInbox(opened.db, [organization, employeeWith('defer')])
    await inbox.process('employee', [person('e1', 'o1'), person('e2', 'o1')])
    expect(await inbox.rows(linked)).toEqual([
      { ms_id: 'e1', org: null },
      { ms_id: 'e2', org: null },
    ])
    // A newer version of e2 has another organisation: the older link must not come back.
    await inbox.process('employee', person('e2', 'o2'))
    await inbox.process('organization', org('o1'))
    expect(await inbox.rows(linked)).toEqual([
      { ms_id: 'e1', org: 'o1' },
      { ms_id: 'e2', org: null },
    ])
    await inbox.process('organization', org('o2'))
    expect(await inbox.rows(linked)).toMatchObject([{ org: 'o1' }, { org: 'o2' }])
    expect(await inbox.rows('SELECT FROM sluice.deferred_link')).toEqual([])
  })

  test('a row that the ledger does not know is found in the table', async () => {
    const inbox = createInbox(opened.db, [organization, employee])
    await opened.db.query("INSERT INTO public.organization (ms_id, title) VALUES ('o1', 'by hand')")
    expect(await inbox.process('employee', person('e1'))).toMatchObject([{ outcome: 'created' }])
  })

  test('a soft-deleted object is still there to refer to', async () => {
    const inbox = createInbox(opened.db, [organization, employee])
    await inbox.process('organization', org('o1'))
    await inbox.process('organization', { ms_id: 'o1', deleted: true, changed_at: '2026-02-01' })
    expect(await inbox.process('employee', person('e1'))).toMatchObject([{ outcome: 'created' }])
  })

  test('objects of one message may refer to each other in any order; a circle waits', async () => {
    await opened.db.exec(
      'DROP TABLE IF EXISTS public.node; CREATE TABLE public.node (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL UNIQUE, parent_id bigint)',
    )
    const node = defineIntegration({
      name: 'node',
      schema: z.object({ id: z.string(), parent: z.string().nullable() }),
      key: 'id',
      target: (t) => t.table('public.node', { key: 'key', columns: { parent_id: t.ref('node', 'parent') } }),
    })
    const inbox = createInbox(opened.db, [node])
    const chain = ['d', 'c', 'b', 'a'].map((id, index, all) => ({ id, parent: all[index + 1] ?? null }))
    expect((await inbox.process('node', chain)).map((result) => result.outcome)).toEqual(['created', 'created', 'created', 'created'])
    const circle = await inbox.process('node', [
      { id: 'x', parent: 'y' },
      { id: 'y', parent: 'x' },
    ])
    expect(circle).toMatchObject([{ error: { code: 'missing_reference' } }, { error: { code: 'missing_reference' } }])
  })
})

describe('interleaved on purpose', () => {
  onPostgres((opened) => {
    beforeEach(() => resetCompany(opened.db))

    for (const missing of ['wait', 'defer'] as const) {
      test(`a reference and its object in the same second (${missing}), whoever commits first`, async () => {
        for (const first of ['employee', 'organization'] as const) {
          await resetCompany(opened.db)
          const inbox = createInbox(opened.db, [organization, employeeWith(missing)])
          const message = await inbox.send('employee', person('e1'))
          await inbox.send('organization', org('o1'))
          await commitBoth(inbox, first)
          await inbox.work()
          expect(await inbox.rows(linked)).toEqual([{ ms_id: 'e1', org: 'o1' }])
          for (const { id } of await inbox.rows<{ id: string }>('SELECT id FROM sluice.message')) await rollUp(opened.db, id)
          expect(await inbox.status(message.id)).toBe(3)
        }
      })
    }
  })
})

/** Applies both messages in transactions that are open at the same time: neither sees the other. No sweep helps. */
async function commitBoth(inbox: Inbox, first: 'employee' | 'organization'): Promise<void> {
  const { services, db } = inbox
  for (const { id } of await inbox.rows<{ id: string }>('SELECT id FROM sluice.message')) await splitMessage(services, id)
  const claims = { employee: await inbox.claim('a'), organization: await inbox.claim('b') }
  const gates = { employee: gate(), organization: gate() }
  const applied = { employee: gate(), organization: gate() }
  const side = async (name: 'employee' | 'organization') => {
    const chunks = claims.employee[0]?.integration === name ? claims.employee : claims.organization
    const report = await db.transaction(async (tx) => {
      const result = await applyChunks(tx, services, chunks, { signal: new AbortController().signal })
      applied[name].open()
      await gates[name].opened
      return result
    })
    await settleReferences(services, name, report)
  }
  const sides = { employee: side('employee'), organization: side('organization') }
  await Promise.all([applied.employee.opened, applied.organization.opened])
  const second = first === 'employee' ? 'organization' : 'employee'
  gates[first].open()
  await sides[first]
  gates[second].open()
  await sides[second]
}

function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: () => resolve() }
}
