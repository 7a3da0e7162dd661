/** What the adapter for Wagtail makes of answers that are none. Real ones come in test/conformance and in faults.test.ts. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { wagtailSite } from '../../src/wagtail/index.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** Asks a site that answers so, one answer after the other, the last one for ever; gives the outcome and the requests. */
async function ask(...answers: { status: number; retryAfter?: string; body?: string }[]): Promise<{ outcome: unknown; ids: string[] }> {
  const requests: IncomingMessage[] = []
  server = createServer((request, response) => {
    const { status, retryAfter, body = '{}' } = answers[Math.min(requests.push(request), answers.length) - 1] ?? { status: 500 }
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sluice/`
  const outcome = await wagtailSite({ url, secret: Buffer.alloc(32).toString('base64') })
    .lookup([])
    .catch((error: unknown) => error)
  return { outcome, ids: requests.map((request) => String(request.headers['webhook-id'])) }
}

test('a database that is away for a moment: the same request again, when the site says', async () => {
  const { outcome, ids } = await ask({ status: 503, retryAfter: '1' }, { status: 503 }, { status: 200, body: '{"pages":[]}' })
  expect(outcome).toEqual([])
  expect(ids).toHaveLength(3)
  expect(new Set(ids).size).toBe(1)
})

test.each([
  ['three times no answer', [{ status: 503, retryAfter: '0' }], 3],
  ['one that wants to be left alone for long', [{ status: 429, retryAfter: '600' }], 1],
])('%s: the batch comes again later', async (_, answers, requests) => {
  const { outcome, ids } = await ask(...answers)
  expect(outcome).toMatchObject({ code: 'site_unavailable', retryable: true })
  expect(ids).toHaveLength(requests)
})

test.each([
  ['refuses', { status: 401 }],
  ['leads elsewhere', { status: 302 }],
  ['is no such site', { status: 200, body: '<html>' }],
])('a site that %s is asked once, and the integration pauses', async (_, answer) => {
  const { outcome, ids } = await ask(answer)
  expect(outcome).toMatchObject({ code: 'target_mismatch' })
  expect(ids).toHaveLength(1)
})
