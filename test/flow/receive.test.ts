/** Stages 1 to 3: bytes are kept as they came, whatever they are; what is correct is split once. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration, type Integration } from '../../src/config.ts'
import { splitMessage } from '../../src/flow/index.ts'
import { readParts } from '../../src/store/body.ts'
import type { Db } from '../../src/store/db.ts'
import { onBoth } from '../support/both.ts'
import { resetCompany } from '../support/company.ts'
import { createInbox } from '../support/inbox.ts'
import { sharedData } from '../support/shared-data.ts'

const suite = sharedData('json-test-suite')

function thing(onInvalid?: 'keep-valid'): Integration {
  return defineIntegration({
    name: 'thing',
    schema: z.object({ id: z.union([z.string(), z.int()]), n: z.number().optional() }),
    key: 'id',
    ...(onInvalid === undefined ? {} : { onInvalid }),
    target: (t) => t.handler({ apply: () => 'created' }),
  })
}

async function storedBody(db: Db, id: string): Promise<Buffer> {
  const { rows } = await db.query<{ upload: string; sha256: Uint8Array }>(
    'SELECT upload_id AS upload, body_sha256 AS sha256 FROM sluice.message WHERE id = $1',
    [id],
  )
  const parts: Uint8Array[] = []
  for await (const part of readParts(db, rows[0]?.upload ?? '')) parts.push(part)
  const body = Buffer.concat(parts)
  expect(
    createHash('sha256')
      .update(body)
      .digest()
      .equals(Buffer.from(rows[0]?.sha256 ?? [])),
  ).toBe(true)
  return body
}

onBoth((opened) => {
  beforeEach(() => resetCompany(opened.db))

  describe.skipIf(suite === null)('json-test-suite', () => {
    test('every case is accepted or refused as it says, and kept byte for byte', { timeout: 120_000 }, async () => {
      const inbox = createInbox(opened.db, [thing()])
      const documented = new Set(['duplicate_key', 'unsafe_key', 'too_deep'])
      for (const name of readdirSync(suite ?? '').filter((each) => each.endsWith('.json'))) {
        const bytes = readFileSync(join(suite ?? '', name))
        const { id, problem } = await inbox.send('thing', bytes)
        expect((await storedBody(opened.db, id)).equals(bytes), name).toBe(true)
        const isJson = problem === null || problem.code === 'schema' || documented.has(problem.code)
        if (name.startsWith('y_')) expect(isJson, `${name}: ${problem?.code}`).toBe(true)
        if (name.startsWith('n_')) expect(problem?.code ?? 'accepted', name).not.toMatch(/^(schema|accepted)$/)
        expect(await inbox.status(id), name).toBe(problem === null ? 1 : -1)
      }
    })
  })

  test('an empty list is processed at once', async () => {
    const inbox = createInbox(opened.db, [thing()])
    const { id, total } = await inbox.send('thing', [])
    expect(total).toBe(0)
    await inbox.drain()
    expect(await inbox.status(id)).toBe(3)
  })

  test('schema errors refuse the whole message, each with its pointer', async () => {
    const inbox = createInbox(opened.db, [thing()])
    const { id, problem } = await inbox.send('thing', [{ id: 'a' }, 7, { n: 1 }, { id: 'b', n: 'x' }])
    expect(problem).toMatchObject({
      code: 'schema',
      errorCount: 3,
      errors: [{ pointer: '/1', code: 'not_an_object' }, { pointer: '/2/id' }, { pointer: '/3/n' }],
    })
    expect(await inbox.status(id)).toBe(-1)
    await inbox.drain()
    expect(await inbox.rows('SELECT FROM sluice.instance')).toEqual([])
  })

  test('keep-valid lets the good objects through and records each bad one', async () => {
    const inbox = createInbox(opened.db, [thing('keep-valid')])
    const { id, problem } = await inbox.send('thing', [{ id: 'a' }, { n: 1 }, { id: 'b', n: 'x' }])
    expect(problem).toMatchObject({ code: 'schema', errorCount: 2 })
    expect(await inbox.status(id)).toBe(1)
    await inbox.drain()
    expect(await inbox.outcomes(id)).toMatchObject([
      { outcome: 'created' },
      { externalId: null, error: { code: 'invalid', pointer: '/1/id' } },
      { externalId: 'b', error: { code: 'invalid', pointer: '/2/n' } },
    ])
    expect(await inbox.status(id)).toBe(-3)
  })

  test('the same idempotency key and body is the same message; another body is refused', async () => {
    const inbox = createInbox(opened.db, [thing()])
    const first = await inbox.send('thing', [{ id: 'a' }], { idempotencyKey: 'k' })
    expect(await inbox.send('thing', [{ id: 'a' }], { idempotencyKey: 'k' })).toMatchObject({ id: first.id, repeated: true })
    await expect(inbox.send('thing', [{ id: 'b' }], { idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'idempotency_conflict',
      details: { id: first.id },
    })
    // What was sent as a draft has not been sent for real.
    await expect(inbox.send('thing', [{ id: 'a' }], { idempotencyKey: 'k', draft: true })).rejects.toMatchObject({
      code: 'idempotency_conflict',
      message: expect.stringContaining('for what is no draft'),
    })
    expect(await inbox.rows('SELECT FROM sluice.message')).toHaveLength(1)
    expect(await inbox.rows('SELECT FROM sluice.message_body')).toHaveLength(1)
  })

  test('bodies above a limit leave nothing behind', async () => {
    const inbox = createInbox(opened.db, [thing()], { limits: { decompressed: 3_000_000, objects: 5 } })
    const large = JSON.stringify([{ id: 'a', text: 'x'.repeat(3_500_000) }])
    await expect(inbox.send('thing', large)).rejects.toMatchObject({ code: 'decompressed_too_large' })
    await expect(inbox.send('thing', [1, 2, 3, 4, 5, 6])).rejects.toMatchObject({ code: 'too_many_objects' })
    // Its parts are being stored while the sixth object is found.
    const many = Array.from({ length: 6 }, (_, id) => ({ id, text: 'x'.repeat(400_000) }))
    await expect(inbox.send('thing', many)).rejects.toMatchObject({ code: 'too_many_objects' })
    expect(await inbox.rows('SELECT FROM sluice.message UNION ALL SELECT FROM sluice.message_body')).toEqual([])
  })

  test('a body of several parts comes back as it was, and its objects keep their own text', async () => {
    const inbox = createInbox(opened.db, [thing()], { chunkSize: 3000 })
    const objects = Array.from({ length: 3000 }, (_, index) => `{ "id":${index},"n":1.${'0'.repeat(900)}1, "é":"\\u00e9${index}" }`)
    const body = Buffer.from(`[ ${objects.join(' ,\n')} ]`)
    expect(body.length).toBeGreaterThan(2 * 1024 * 1024)
    const { id, status } = await inbox.send('thing', body)
    expect(status).toBe(1)
    expect((await storedBody(opened.db, id)).equals(body)).toBe(true)
    expect(await splitMessage(inbox.services, id)).toEqual({ state: 'split', instances: 3000 })
    expect(await splitMessage(inbox.services, id)).toEqual({ state: 'not_due' })
    const stored = await inbox.rows<{ data: string; external_id: string }>(
      'SELECT data, external_id FROM sluice.instance WHERE message_id = $1 ORDER BY ordinal',
      [id],
    )
    expect(stored.map((row) => row.data)).toEqual(objects)
    expect(stored[2999]?.external_id).toBe('2999')
  })
})
