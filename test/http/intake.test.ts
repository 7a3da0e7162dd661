/** `POST /api/integrations/{name}/messages`: formats, encodings, limits, answers. */
import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration } from '../../src/config.ts'
import { dryRunShape, messageShape, receiptShape } from '../../src/http/contract/message.ts'
import { startWorker } from '../../src/worker/worker.ts'
import { onBoth } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'
import { createTestApp, origin, problem, read, type TestApp } from './support.ts'

const lenient = defineIntegration({
  name: 'lenient',
  schema: z.object({ id: z.string(), size: z.number().optional() }),
  key: 'id',
  onInvalid: 'keep-valid',
  target: (t) => t.handler({ apply: () => 'created' }),
})

const path = '/api/integrations/organization/messages'
const one = { ms_id: 'o-1', title: 'City hospital', changed_at: '2026-01-01T00:00:00Z' }
const two = { ms_id: 'o-2', title: 'Village clinic', changed_at: '2026-01-01T00:00:00Z' }

onBoth((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization, lenient], {
      limits: { body: 2000, decompressed: 5000, objects: 5, errors: 2, depth: 10 },
    })
  })

  const stored = async (id: string): Promise<string> => (await app.call('GET', `/api/messages/${id}/body`)).text()
  const kept = async (): Promise<number> => (await app.rows<{ n: number }>('SELECT count(*)::integer AS n FROM sluice.message'))[0]?.n ?? -1

  describe('formats', () => {
    test('a JSON array', async () => {
      const response = await app.call('POST', path, { body: [one, two] })
      const receipt = await read(response, 202, receiptShape)
      expect(receipt).toMatchObject({
        integration: 'organization',
        status: 1,
        statusLabel: 'Message received, correct',
        total: 2,
        isDraft: false,
      })
      expect(new URL(response.headers.get('Location') ?? '', `${origin}/base${path}`).pathname).toBe(`/base/api/messages/${receipt.id}`)
      expect(response.headers.get('Content-Language')).toBe('en')
    })

    test('one object counts as a list of one', async () => {
      expect(await read(await app.call('POST', path, { body: one }), 202, receiptShape)).toMatchObject({ status: 1, total: 1 })
    })

    test.each(['application/x-ndjson', 'application/ndjson', 'application/jsonl; charset=UTF-8'])('%s', async (type) => {
      const body = `${JSON.stringify(one)}\n${JSON.stringify(two)}\n`
      const receipt = await read(await app.call('POST', path, { headers: { 'Content-Type': type }, body }), 202, receiptShape)
      expect(receipt).toMatchObject({ status: 1, total: 2 })
      expect(await stored(receipt.id)).toBe(body)
    })

    test('no content type is JSON', async () => {
      const headers = { Authorization: `Bearer ${await app.token('plain', 'sender')}` }
      const sent = new Request(`${origin}${path}`, { method: 'POST', headers, body: Buffer.from(JSON.stringify(one)) })
      expect(sent.headers.get('Content-Type')).toBeNull()
      expect(await read(await app.fetch(sent), 202, receiptShape)).toMatchObject({ status: 1 })
      await app.rows("DELETE FROM sluice.api_token WHERE name = 'plain' RETURNING id")
    })

    test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', '__proto__', 'application/json; charset=utf-16'])(
      '%s is refused, and nothing kept',
      async (type) => {
        const response = await app.call('POST', path, { headers: { 'Content-Type': type }, body: '[]' })
        expect(response.headers.get('Accept-Post')).toBe('application/json, application/x-ndjson')
        await problem(response, 415, 'unsupported_media_type')
        expect(await kept()).toBe(0)
      },
    )

    test('a draft', async () => {
      expect(await read(await app.call('POST', `${path}?draft=true`, { body: one }), 202, receiptShape)).toMatchObject({ isDraft: true })
      const refused = await problem(await app.call('POST', `${path}?draft=yes`, { body: one }), 400, 'bad_request')
      expect(refused.errors).toEqual([{ parameter: 'draft', code: 'invalid', message: 'must be one of "true", "false"' }])
    })
  })

  describe('encodings', () => {
    test('gzip is stored decoded', async () => {
      const text = JSON.stringify([one, two])
      const response = await app.call('POST', path, { headers: { 'Content-Encoding': 'gzip' }, body: gzipSync(text) })
      expect(await stored((await read(response, 202, receiptShape)).id)).toBe(text)
    })

    test('gzip in several members', async () => {
      const body = Buffer.concat([gzipSync(`[${JSON.stringify(one)},`), gzipSync(`${JSON.stringify(two)}]`)])
      const response = await app.call('POST', path, { headers: { 'Content-Encoding': 'x-gzip' }, body })
      expect(await read(response, 202, receiptShape)).toMatchObject({ total: 2 })
    })

    const whole = gzipSync(JSON.stringify([one, two]))
    test.each([
      ['truncated', whole.subarray(0, -4)],
      ['damaged', Buffer.concat([whole.subarray(0, 20), Buffer.from('damage'), whole.subarray(26)])],
      ['followed by something else', Buffer.concat([whole, Buffer.from('more')])],
      ['not gzip at all', Buffer.from('[]')],
      ['empty', Buffer.alloc(0)],
    ])('gzip that is %s is refused, and nothing kept', async (_, body) => {
      await problem(await app.call('POST', path, { headers: { 'Content-Encoding': 'gzip' }, body }), 400, 'bad_encoding')
      expect(await kept()).toBe(0)
    })

    test.each(['br', 'deflate', 'gzip, gzip'])('%s is refused', async (encoding) => {
      const response = await app.call('POST', path, { headers: { 'Content-Encoding': encoding }, body: '[]' })
      expect(response.headers.get('Accept-Encoding')).toBe('gzip, identity')
      await problem(response, 415, 'unsupported_encoding')
    })
  })

  describe('limits', () => {
    const long = JSON.stringify({ ...one, phone: 'x'.repeat(2000) })

    test('a body larger than it may be, by its Content-Length', async () => {
      const refused = await problem(
        await app.call('POST', path, { headers: { 'Content-Length': '2001' }, body: '[]' }),
        413,
        'body_too_large',
      )
      expect(refused.limit).toBe(2000)
    })

    test('a body larger than it may be, found out while it is read', async () => {
      let isCancelled = false
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(Buffer.from(long.slice(0, 500))),
        cancel: () => {
          isCancelled = true
        },
      })
      await problem(await app.call('POST', path, { body }), 413, 'body_too_large')
      expect(isCancelled).toBe(true)
      expect(await kept()).toBe(0)
    })

    test('a body too large once it is unpacked', async () => {
      const body = gzipSync(JSON.stringify({ ...one, phone: 'x'.repeat(100_000) }))
      expect(body.length).toBeLessThan(2000)
      const refused = await problem(
        await app.call('POST', path, { headers: { 'Content-Encoding': 'gzip' }, body }),
        413,
        'decompressed_too_large',
      )
      expect(refused.limit).toBe(5000)
      expect(await kept()).toBe(0)
    })

    test('too many objects', async () => {
      const body = Array.from({ length: 6 }, (_, index) => ({ ...one, ms_id: String(index) }))
      await problem(await app.call('POST', path, { body }), 413, 'too_many_objects')
      expect(await kept()).toBe(0)
    })
  })

  describe('refusals', () => {
    test('schema errors: 422, the first ones told with their pointers, the message kept', async () => {
      const response = await app.call('POST', path, { body: [one, { ms_id: 5, title: 1 }, { title: 1 }] })
      const location = response.headers.get('Location')
      const refused = await problem(response, 422, 'schema')
      expect(refused.errors).toHaveLength(2)
      expect(refused.errorCount).toBeGreaterThan(2)
      expect(refused.errors?.[0]?.pointer).toMatch(/^\/1\//)
      expect(location).toBe(`../../messages/${refused.id}`)
      const message = await app.get(`/api/messages/${refused.id}`, messageShape)
      expect(message).toMatchObject({
        status: -1,
        statusLabel: 'Message received, not correct',
        problem: { code: 'schema', errorCount: refused.errorCount },
      })
    })

    test.each([
      ['json_syntax', '{"ms_id": '],
      ['too_deep', '['.repeat(50) + ']'.repeat(50)],
      ['duplicate_key', '{"ms_id":"a","ms_id":"b"}'],
    ])('%s: 400, the bytes kept', async (code, body) => {
      const refused = await problem(await app.call('POST', path, { body }), 400, code)
      expect(refused.errors).toHaveLength(1)
      expect(await stored(refused.id ?? '')).toBe(body)
    })

    test('an empty body is no JSON', async () => {
      const refused = await problem(await app.call('POST', path), 400, 'json_syntax')
      expect(await stored(refused.id ?? '')).toBe('')
    })

    test('a list of something else', async () => {
      const refused = await problem(await app.call('POST', path, { body: '[1]' }), 422, 'schema')
      expect(refused.errors).toMatchObject([{ pointer: '/0', code: 'not_an_object' }])
    })

    test('an unknown integration', async () => {
      await problem(await app.call('POST', '/api/integrations/nobody/messages', { body: one }), 404, 'unknown_integration')
      await problem(await app.call('POST', '/api/integrations/No%20Body/messages', { body: one }), 404, 'unknown_integration')
    })

    test('keep-valid: 202 with the errors', async () => {
      const receipt = await read(
        await app.call('POST', '/api/integrations/lenient/messages', { body: [{ id: 'a' }, { id: 1 }] }),
        202,
        receiptShape,
      )
      expect(receipt).toMatchObject({ status: 1, total: 2, errorCount: 1, errors: [{ pointer: '/1/id' }] })
    })

    test('validation that takes long goes on after the answer', async () => {
      let release = (): void => undefined
      const gate = new Promise<void>((resolve) => {
        release = resolve
      })
      const slow = defineIntegration({
        name: 'slow',
        schema: z.object({ id: z.string() }).refine(async () => {
          await gate
          return true
        }),
        key: 'id',
        target: (t) => t.handler({ apply: () => 'created' }),
      })
      const slowApp = createTestApp(opened.db, [slow], { validateWithin: 0.05 })
      const receipt = await read(await slowApp.call('POST', '/api/integrations/slow/messages', { body: [{ id: 'a' }] }), 202, receiptShape)
      expect(receipt).toMatchObject({ status: 0, total: null })
      release()
      await expect.poll(() => slowApp.status(receipt.id)).toBe(1)
    })
  })

  describe('idempotency', () => {
    const headers = { 'Idempotency-Key': '"key-1"' }

    test('the same key and body give the first receipt again', async () => {
      const first = await read(await app.call('POST', path, { headers, body: [one] }), 202, receiptShape)
      const again = await app.call('POST', path, { headers: { 'Idempotency-Key': 'key-1' }, body: [one] })
      expect(again.headers.get('Idempotency-Replayed')).toBe('true')
      expect((await read(again, 202, receiptShape)).id).toBe(first.id)
      expect(await kept()).toBe(1)
    })

    test('a refusal comes again too', async () => {
      const first = await problem(await app.call('POST', path, { headers, body: '[1]' }), 422, 'schema')
      const again = await app.call('POST', path, { headers, body: '[1]' })
      expect(again.headers.get('Idempotency-Replayed')).toBe('true')
      expect(await problem(again, 422, 'schema')).toEqual(first)
    })

    test('another integration is a conflict, told as one', async () => {
      const both = createTestApp(opened.db, [organization, employee])
      const send = (to: string) => both.call('POST', `/api/integrations/${to}/messages`, { headers, body: '[]' })
      const first = await read(await send('organization'), 202, receiptShape)
      const refused = await problem(await send('employee'), 409, 'idempotency_conflict')
      expect(refused).toMatchObject({ id: first.id, detail: expect.stringContaining('was used before for the integration "organization"') })
    })

    test('another body is a conflict', async () => {
      const first = await read(await app.call('POST', path, { headers, body: [one] }), 202, receiptShape)
      const refused = await problem(await app.call('POST', path, { headers, body: [two] }), 409, 'idempotency_conflict')
      expect(refused.id).toBe(first.id)
    })

    test('a key that is none', async () => {
      await problem(await app.call('POST', path, { headers: { 'Idempotency-Key': 'a b' }, body: [one] }), 400, 'bad_idempotency_key')
      expect(await kept()).toBe(0)
    })
  })

  describe('waiting', () => {
    test('Prefer: wait gives the finished message', async () => {
      const worker = startWorker(app.services, { name: 'waiting' })
      try {
        const response = await app.call('POST', path, { headers: { Prefer: 'wait=30' }, body: [one, two] })
        expect(response.headers.get('Preference-Applied')).toBe('wait=30')
        const message = await read(response, 200, messageShape)
        expect(message).toMatchObject({ status: 3, total: 2, counts: { processed: 2, created: 2, failed: 0, waiting: 0, processing: 0 } })
      } finally {
        await worker.stop()
      }
    })

    test('after that time the answer is 202', async () => {
      const response = await app.call('POST', path, { headers: { Prefer: 'wait=0' }, body: [one] })
      expect(response.headers.get('Preference-Applied')).toBe('wait=0')
      expect(await read(response, 202, receiptShape)).toMatchObject({ status: 1 })
    })

    test('a repeated message that is finished is told at once', async () => {
      const headers = { 'Idempotency-Key': 'k', Prefer: 'wait=30' }
      await app.call('POST', path, { headers: { 'Idempotency-Key': 'k' }, body: [one] })
      await app.drain()
      const response = await app.call('POST', path, { headers, body: [one] })
      expect(response.headers.get('Idempotency-Replayed')).toBe('true')
      expect(await read(response, 200, messageShape)).toMatchObject({ status: 3 })
    })
  })

  describe('dry run', () => {
    test('of a paused integration: the reason, instead of results that say nothing', async () => {
      await opened.db.query(
        `INSERT INTO sluice.paused_integration (integration, reason) VALUES ('organization', '{"message":"no column"}')`,
      )
      const refused = await problem(await app.call('POST', `${path}?dryRun=true`, { body: one }), 409, 'target_mismatch')
      expect(refused.detail).toMatch(/"organization" is paused since 2\S+: no column\. Mend that and resume it/)
    })

    test('tells what would become of it, and keeps nothing', async () => {
      await app.process('organization', [one])
      const before = await kept()
      const response = await app.call('POST', `${path}?dryRun=true`, {
        body: [{ ...one, title: 'Renamed', changed_at: '2026-02-01T00:00:00Z' }, two],
      })
      const { results } = await read(response, 200, dryRunShape)
      expect(results).toMatchObject([
        { ordinal: 0, externalId: 'o-1', outcome: 'updated', changes: { title: { before: 'City hospital', after: 'Renamed' } } },
        { ordinal: 1, externalId: 'o-2', outcome: 'created' },
      ])
      expect(await kept()).toBe(before)
      expect(await app.rows('SELECT ms_id, title FROM public.organization')).toEqual([{ ms_id: 'o-1', title: 'City hospital' }])
    })

    test('a refusal has no id', async () => {
      const refused = await problem(await app.call('POST', `${path}?dryRun=true`, { body: '[1]' }), 422, 'schema')
      expect(refused.id).toBeUndefined()
      expect(await kept()).toBe(0)
    })

    test('is for operators', async () => {
      const sender = await app.token('dry-sender', 'sender')
      await problem(await app.call('POST', `${path}?dryRun=true`, { token: sender, body: [one] }), 403, 'forbidden')
      await app.rows("DELETE FROM sluice.api_token WHERE name = 'dry-sender' RETURNING id")
    })
  })
})
