import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration } from '../../src/index.ts'
import { failed } from '../../src/model/outcome.ts'
import { requestRun } from '../../src/tasks/run.ts'
import { createTestSluice } from '../../src/testing/index.ts'

const Note = z.object({ id: z.int(), text: z.string() })

function notes(apply: (text: string) => 'created' | ReturnType<typeof failed>) {
  return defineIntegration({ name: 'note', schema: Note, key: 'id', target: (t) => t.handler({ apply: async (note) => apply(note.text) }) })
}

test('a refused message tells why, and has no outcomes', async () => {
  await using sluice = await createTestSluice({ integrations: [notes(() => 'created')] })
  const receipt = await sluice.send('note', [{ id: 1 }])
  expect(receipt).toMatchObject({ status: -1, problem: { code: 'schema', errors: [{ pointer: '/0/text' }] } })
  await sluice.drain()
  expect(await sluice.outcomes(receipt.id)).toEqual([])
})

test('a text is sent as it is', async () => {
  await using sluice = await createTestSluice({ integrations: [notes(() => 'created')] })
  expect(await sluice.send('note', '{"id":')).toMatchObject({ status: -1, problem: { code: 'json_syntax' } })
})

test('drain does what tasks ask for, and leaves what is due later', async () => {
  let isMended = false
  const apply = (text: string) => (isMended || text === 'fine' ? 'created' : failed('budget', 'too much'))
  await using sluice = await createTestSluice({ integrations: [notes(apply)] })
  const { id } = await sluice.send('note', [
    { id: 1, text: 'fine' },
    { id: 2, text: 'broken' },
  ])
  await sluice.drain()
  expect(await sluice.outcomes(id)).toMatchObject([
    { outcome: 'created' },
    { outcome: null, error: { code: 'budget', class: 'permanent' } },
  ])

  isMended = true
  await sluice.drain()
  expect(await sluice.outcomes(id)).toMatchObject([{}, { outcome: null }])
  await requestRun(sluice.db, 'reprocess', { messages: [id] }, { startedBy: 'click' })
  await sluice.drain()
  expect(await sluice.outcomes(id)).toMatchObject([{ outcome: 'created' }, { outcome: 'created' }])
})

test('drain says that a table does not fit, and goes on when it does', { timeout: 30_000 }, async () => {
  const note = defineIntegration({
    name: 'note',
    schema: Note,
    key: 'id',
    target: (t) => t.table('note', { key: 'id', columns: { body: 'text' } }),
  })
  await using sluice = await createTestSluice({ integrations: [note] })
  const { id } = await sluice.send('note', { id: 1, text: 'fine' })
  await expect(sluice.drain()).rejects.toMatchObject({
    code: 'target_mismatch',
    message: expect.stringMatching(/"note" doesn't fit: .*"note"/),
  })
  await sluice.db.query('CREATE TABLE note (id integer PRIMARY KEY, body text)')
  await sluice.drain()
  expect(await sluice.outcomes(id)).toMatchObject([{ outcome: 'created' }])
})
