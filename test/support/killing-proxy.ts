/** A proxy that kills what is behind it in the middle of a request: a kill that waits for nothing and can't come too late. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface KillingProxy {
  /** Its own address, `http://127.0.0.1:…`. */
  readonly url: string
  /** Resolves once `kill` has ended. */
  readonly killed: Promise<void>
  close(): Promise<void>
}

/**
 * Passes requests on to `target()`. At the `nth` POST, counted from 1, the request is passed on too, but while it is worked on
 * `kill` is called, its answer is lost, and so is every later request until `target` is asked for again after the kill.
 */
export async function startKillingProxy(target: () => string, nth: number, kill: () => Promise<void>): Promise<KillingProxy> {
  const { promise: killed, resolve } = Promise.withResolvers<void>()
  let posts = 0
  const server = createServer((request, response) => {
    const isFatal = request.method === 'POST' && ++posts === nth
    forward(request, target())
      .then(async (answer) => {
        const body = Buffer.from(await answer.arrayBuffer())
        if (isFatal) response.destroy()
        else response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' }).end(body)
      })
      .catch(() => response.destroy())
    if (isFatal) setTimeout(() => void kill().then(resolve), 30)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    killed,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function forward(request: IncomingMessage, target: string): Promise<Response> {
  const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' && !['host', 'connection', 'content-length', 'transfer-encoding'].includes(name) ? [[name, value]] : [],
  )
  const method = request.method ?? 'GET'
  return fetch(new URL(request.url ?? '/', target), { method, headers, ...(method === 'POST' ? { body: await buffer(request) } : {}) })
}
