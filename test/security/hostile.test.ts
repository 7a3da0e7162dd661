/** Whatever bytes come, and whatever stands in a name or a value: refused, or kept byte for byte; never a failure of ours. */
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { createTestApp, type TestApp } from '../http/support.ts'
import { onPostgres } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'

const injection = `'; DROP TABLE sluice.message; -- " $$ \\ %27 {{1}} \${1}`

/** Bytes, JSON of anything, JSON with a piece torn out, and objects that nearly are organizations. */
const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map((text) => Buffer.from(text)),
  fc.tuple(fc.json(), fc.nat(), fc.uint8Array({ maxLength: 3 })).map(([text, at, piece]) => {
    const bytes = Buffer.from(text)
    const place = bytes.length === 0 ? 0 : at % bytes.length
    return Buffer.concat([bytes.subarray(0, place), piece, bytes.subarray(place + 1)])
  }),
  fc
    .array(fc.record({ ms_id: fc.string({ unit: 'binary' }), title: fc.string({ unit: 'binary' }), ['__proto__']: fc.anything() }), {
      maxLength: 3,
    })
    .map((objects) => Buffer.from(JSON.stringify(objects) ?? '')),
)

onPostgres((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization, employee])
  })

  test('any bytes are refused with 4xx, or come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, fc.constantFrom('application/json', 'application/x-ndjson'), async (body, type) => {
        const response = await app.call('POST', '/api/integrations/organization/messages', { body, headers: { 'Content-Type': type } })
        const { id } = JSON.parse(await response.text()) as { id?: string }
        expect(response.status === 202 || (response.status >= 400 && response.status < 500)).toBe(true)
        if (id === undefined) return expect(response.status).not.toBe(202)
        const kept = await app.call('GET', `/api/messages/${id}/body`)
        expect(Buffer.from(await kept.arrayBuffer()).equals(Buffer.from(body))).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('SQL in every name and value is only text', async () => {
    const value = encodeURIComponent(injection)
    const paths = [
      ...['integration', 'externalId', 'source', 'status', 'from', 'to', 'text', 'cursor', 'limit', 'order', 'code', 'nonsense'].flatMap(
        (name) => ['messages', 'instances', 'errors', 'task-runs', 'tokens', 'integrations'].map((list) => `/api/${list}?${name}=${value}`),
      ),
      `/api/messages/${value}`,
      `/api/messages/${value}/body`,
      `/api/instances/${value}`,
      `/api/objects/${value}/${value}`,
      `/api/objects/organization/${value}`,
      `/api/objects/organization/${value}/target`,
      `/api/integrations/${value}`,
      `/api/task-runs/${value}`,
    ]
    for (const path of paths) {
      const { status } = await app.call('GET', path)
      expect({ path, isFailure: status >= 500 }).toEqual({ path, isFailure: false })
    }
    const object = { ms_id: injection, title: injection, changed_at: '2026-01-01T00:00:00Z', [injection]: injection }
    const sent = await app.call('POST', '/api/integrations/organization/messages', {
      body: [object],
      headers: { 'Idempotency-Key': "';--" },
    })
    expect(sent.status).toBe(202)
    const created = await app.call('POST', '/api/tokens', { body: { name: injection, role: 'viewer' } })
    expect(created.status).toBeLessThan(500)
    await app.drain()
    expect(await app.rows('SELECT ms_id, title FROM public.organization')).toEqual([{ ms_id: injection, title: injection }])
  })

  test('every answer has the headers that browsers go by', async () => {
    for (const path of ['/api/messages', '/api/docs', '/livez', '/nothing', '/', '/api/tokens/x']) {
      const { headers } = await app.call('GET', path, { token: null, headers: { Accept: 'text/html' } })
      expect({ path, ...Object.fromEntries(headers) }).toMatchObject({
        path,
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'permissions-policy': expect.stringContaining('camera=()'),
        'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
      })
    }
  })
})
