/** Sluice behind Node's own HTTP server, and what is built on that (Express, NestJS). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'

/** Handles requests of `http.createServer`, or of Express under any base path. */
export type NodeHandler = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/**
 * Makes a handler for Node from a fetch handler. It reads bodies itself: mount it before a body parser.
 *
 * @example app.use('/integration', toNodeHandler(sluice)) // Express
 * @example http.createServer(toNodeHandler(sluice)).listen(7300)
 */
export function toNodeHandler(sluice: { fetch(request: Request): Promise<Response> }): NodeHandler {
  const listener = getRequestListener(
    (request, { incoming }) => {
      const mounted = mountedAt(incoming)
      if (mounted !== '') request.headers.append('X-Forwarded-Prefix', mounted)
      return sluice.fetch(request)
    },
    { overrideGlobalObjects: false },
  )
  return (incoming, outgoing) => {
    listener(incoming, outgoing)
  }
}

/** What Express cut off the front of the path: it tells in `baseUrl` of its request. Empty elsewhere. */
function mountedAt(incoming: object): string {
  return 'baseUrl' in incoming && typeof incoming.baseUrl === 'string' ? incoming.baseUrl : ''
}
