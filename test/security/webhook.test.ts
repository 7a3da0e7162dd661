/** Messages that are signed instead of sent with a token: Standard Webhooks 1.0. */
import { createHmac } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { defineConfig } from '../../src/config.ts'
import { receiptShape } from '../../src/http/contract/message.ts'
import { longestSigned } from '../../src/http/webhook.ts'
import { isSignedBy, isWebhookSecret, webhookTolerance } from '../../src/model/webhook.ts'
import { createTestApp, problem, read, type TestApp } from '../http/support.ts'
import { onPostgres } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'

const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const nextSecret = `whsec_${Buffer.alloc(32, 2).toString('base64')}`
const wrongSecret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`
const body = Buffer.from('[{"ms_id":"o-1","title":"City hospital","changed_at":"2026-01-01T00:00:00Z"}]')
const now = (): number => Math.floor(Date.now() / 1000)

function sign(key: string, id: string, timestamp: number, content: Uint8Array): string {
  const bytes = Buffer.from(key.slice('whsec_'.length), 'base64')
  return `v1,${createHmac('sha256', bytes).update(`${id}.${timestamp}.`).update(content).digest('base64')}`
}

describe('signatures', () => {
  const published = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: '1614265330',
    body: Buffer.from('{"test": 2432232314}'),
  }
  const publishedSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const right = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='

  test('the published vector', () => {
    expect(isSignedBy([publishedSecret], published, right)).toBe(true)
    expect(isSignedBy([wrongSecret, publishedSecret], published, `v1a,AAAA v1,AAAA ${right}`)).toBe(true)
  })

  test.each([
    ['another id', { id: 'msg_1' }, right],
    ['another time', { timestamp: '1614265331' }, right],
    ['another body', { body: Buffer.from('{"test":2432232314}') }, right],
    ['no signature', {}, ''],
    ['another scheme', {}, right.replace('v1,', 'v2,')],
    ['half of it', {}, right.slice(0, 20)],
  ])('%s is refused', (_, changed, header) => {
    expect(isSignedBy([publishedSecret], { ...published, ...changed }, header)).toBe(false)
  })

  test('secrets have 24 to 64 bytes', () => {
    const ofBytes = (count: number): string => `whsec_${Buffer.alloc(count).toString('base64')}`
    expect([23, 24, 64, 65].map((count) => isWebhookSecret(ofBytes(count)))).toEqual([false, true, true, false])
    expect(isWebhookSecret(Buffer.alloc(32).toString('base64'))).toBe(false)
  })

  test('a wrong secret in the config is not told', () => {
    const wrong = () => defineConfig({ integrations: [organization], webhooks: { erp: { secrets: ['hunter2hunter2'] } } }, {})
    expect(wrong).toThrow(/webhooks\.erp\.secrets\.0.*whsec_/)
    expect(wrong).not.toThrow(/hunter2/)
  })
})

onPostgres((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization, employee], {
      webhooks: { erp: { secrets: [nextSecret, secret], integrations: ['organization'] } },
    })
  })

  interface Sent {
    key?: string
    id?: string
    timestamp?: number
    content?: Uint8Array
    source?: string
    integration?: string
    headers?: Record<string, string>
  }

  function send({
    key = secret,
    id = 'msg_1',
    timestamp = now(),
    content = body,
    source = 'erp',
    integration = 'organization',
    headers,
  }: Sent) {
    return app.call('POST', `/api/integrations/${integration}/messages?source=${source}`, {
      token: null,
      body: content,
      headers: {
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': sign(key, id, timestamp, content),
        ...headers,
      },
    })
  }

  const kept = async (): Promise<unknown> =>
    (await app.rows<{ count: number }>('SELECT count(*)::integer AS count FROM sluice.message_body'))[0]?.count

  test('either of two secrets signs a message of the source', async () => {
    for (const key of [secret, nextSecret]) {
      const { id } = await read(await send({ key, id: `by ${key}`.replaceAll(/\W/g, '') }), 202, receiptShape)
      expect(await app.rows('SELECT source FROM sluice.message WHERE id = $1', [id])).toEqual([{ source: 'erp' }])
    }
  })

  test('the same webhook-id again is the same message, though signed anew; with another body it is a conflict', async () => {
    const first = await read(await send({ timestamp: now() - 200 }), 202, receiptShape)
    const again = await send({ key: nextSecret })
    expect(again.headers.get('Idempotency-Replayed')).toBe('true')
    expect((await read(again, 202, receiptShape)).id).toBe(first.id)
    await problem(await send({ content: Buffer.from('[]') }), 409, 'idempotency_conflict')
  })

  test('what is signed is the body as sent', async () => {
    const { id } = await read(await send({ content: gzipSync(body), headers: { 'Content-Encoding': 'gzip' } }), 202, receiptShape)
    expect(Buffer.from(await (await app.call('GET', `/api/messages/${id}/body`)).arrayBuffer())).toEqual(body)
  })

  // An hour, so that no slow machine comes near the bound; the bound itself is one comparison.
  const farOff = webhookTolerance * 12
  test.each<[string, Sent]>([
    ['a wrong secret', { key: wrongSecret }],
    ['a source that is not there', { source: 'crm' }],
    ['no source', { source: '' }],
    ['a name that every object has', { source: 'constructor' }],
    ['a time long ago', { timestamp: now() - farOff }],
    ['a time to come', { timestamp: now() + farOff }],
    ['a time that is none', { headers: { 'webhook-timestamp': '1e9' } }],
    ['another id than was signed', { headers: { 'webhook-id': 'msg_2' } }],
    ['no id', { headers: { 'webhook-id': '' } }],
  ])('%s is refused, and nothing is kept', async (_, sent) => {
    await problem(await send(sent), 401, 'bad_signature')
    expect(await kept()).toBe(0)
  })

  test('a source sends to its own integrations only', async () => {
    await problem(await send({ integration: 'employee' }), 403, 'forbidden')
  })

  test('a body that is too large to sign is refused before it is kept', async () => {
    const { detail } = await problem(await send({ content: Buffer.alloc(longestSigned + 1, 32) }), 413, 'body_too_large')
    expect(detail).toContain('take a token')
    expect(await kept()).toBe(0)
  })

  test('a signature opens nothing but the intake', async () => {
    const timestamp = now()
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(timestamp),
      'webhook-signature': sign(secret, 'msg_1', timestamp, Buffer.alloc(0)),
    }
    await problem(await app.call('GET', '/api/messages?source=erp', { token: null, headers }), 401, 'unauthorized')
  })
})
