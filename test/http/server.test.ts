/** Over a real connection: uploads that are compressed, slow, too large or broken off. */
import { once } from 'node:events'
import { createServer, request as httpRequest, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { receiptShape } from '../../src/http/contract/message.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { onBoth } from '../support/both.ts'
import { organization, resetCompany } from '../support/company.ts'
import { adminToken, createTestApp, type TestApp } from './support.ts'

const path = '/api/integrations/organization/messages'
const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/x-ndjson' }
const limit = 8 * 1024 * 1024

interface Answer {
  status: number
  headers: NodeJS.Dict<string | string[]>
  body: string
}

onBoth((opened) => {
  let app: TestApp
  let server: Server
  let port: number

  beforeEach(async () => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization], { limits: { body: limit, decompressed: limit, objects: 200_000 } })
    server = await listening(createServer(toNodeHandler(app)))
    port = (server.address() as AddressInfo).port
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const post = async (body: Readable, more: Record<string, string> = {}, at = path): Promise<Answer> => {
    const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: at, headers: { ...headers, ...more } })
    const response = once(request, 'response')
    // The server may answer and close before everything is sent.
    const sent = pipeline(body, request).catch(() => undefined)
    const [incoming] = await response
    let text = ''
    for await (const part of incoming) text += part
    await sent
    return { status: incoming.statusCode, headers: incoming.headers, body: text }
  }
  const count = async (table: string): Promise<number> =>
    (await app.rows<{ n: number }>(`SELECT count(*)::integer AS n FROM sluice.${table}`))[0]?.n ?? -1

  test('a gzip stream of many parts', async () => {
    const answer = await post(Readable.from(lines(20_000)).pipe(createGzip()), { 'content-encoding': 'gzip' })
    expect(answer.status).toBe(202)
    const receipt = receiptShape.parse(JSON.parse(answer.body))
    expect(receipt).toMatchObject({ status: 2, total: 20_000 })
    const body = await app.call('GET', `/api/messages/${receipt.id}/body`)
    expect(await body.text()).toBe([...lines(20_000)].join(''))
  })

  describe('a body that is too large is answered while it is still being sent', () => {
    test('by its announced length', async () => {
      const body = Readable.from(endless())
      const answer = await post(body, { 'content-length': String(limit + 1) })
      expect(answer).toMatchObject({ status: 413 })
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'body_too_large', limit })
      expect(await count('message_body')).toBe(0)
    })

    test('as sent', async () => {
      const answer = await post(Readable.from(endless()))
      expect(answer).toMatchObject({ status: 413 })
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'body_too_large' })
      await expect.poll(() => count('message_body')).toBe(0)
    })

    test('unpacked', async () => {
      const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))
      const answer = await post(Readable.from([bomb]), { 'content-encoding': 'gzip' })
      expect(answer).toMatchObject({ status: 413 })
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'decompressed_too_large' })
      await expect.poll(() => count('message_body')).toBe(0)
    })
  })

  test.each([
    ['with a length', 'Content-Length: 4000000'],
    ['in pieces', 'Transfer-Encoding: chunked'],
    ['compressed', 'Content-Encoding: gzip\r\nTransfer-Encoding: chunked'],
  ])('an upload %s that breaks off leaves nothing', async (_, framing) => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${headers.authorization}\r\nContent-Type: application/x-ndjson\r\n${framing}\r\n\r\n`,
    )
    const text = [...lines(15_000)].join('')
    const piece = framing.includes('gzip') ? gzipSync(text).subarray(0, -1000) : Buffer.from(text)
    const isChunked = framing.includes('chunked')
    socket.write(isChunked ? Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]) : piece)
    // The first parts are stored while the rest is awaited.
    await expect.poll(() => count('message_body')).toBeGreaterThan(0)
    socket.destroy()
    await expect.poll(() => count('message_body'), { timeout: 10_000 }).toBe(0)
    expect(await count('message')).toBe(0)
    expect((await app.call('GET', '/livez')).status).toBe(200)
  })

  test('mounted as Express does it: the base path is cut off the URL', async () => {
    const handler = toNodeHandler(app)
    server.removeAllListeners('request')
    server.on('request', (incoming, outgoing) => {
      incoming.url = (incoming.url ?? '').replace(/^\/integration/, '')
      handler(incoming, outgoing)
    })
    const at = `/integration${path}`
    const answer = await post(Readable.from(lines(1)), {}, at)
    expect(answer.status).toBe(202)
    const location = new URL(String(answer.headers.location), `http://127.0.0.1:${port}${at}`)
    const message = await fetch(location, { headers: { authorization: headers.authorization } })
    expect(await message.json()).toMatchObject({ id: JSON.parse(answer.body).id })
  })

  test('the globals of the process stay its own', () => {
    const { Request, Response } = globalThis
    toNodeHandler(app)
    expect(globalThis.Request).toBe(Request)
    expect(globalThis.Response).toBe(Response)
  })
})

async function listening(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function* lines(count: number): Generator<string> {
  for (let index = 0; index < count; index++)
    yield `{"ms_id":"o-${index}","title":"${'x'.repeat(60)}","changed_at":"2026-01-01T00:00:00Z"}\n`
}

function* endless(): Generator<string> {
  const block = `{"ms_id":"o","title":"${'x'.repeat(60_000)}"}\n`
  for (;;) yield block
}
