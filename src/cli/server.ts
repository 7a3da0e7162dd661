/** The HTTP server of `sluice dev` and `sluice serve`. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SluiceError } from '../errors.ts'
import type { Sluice } from '../sluice.ts'

/** A server that listens. */
export interface Listening {
  /** With the port that it really has. */
  url: string
  /** Lets requests in hand finish, then closes. */
  close(): Promise<void>
}

/** Milliseconds in which the headers of a request must have come. */
const headersTimeout = 60_000
/** Milliseconds in which the next bytes of a body must come. */
const bodyTimeout = 60_000

/**
 * Serves an inbox. A body may take as long as it keeps coming: Node's own limit of five minutes for a whole request would cut a giant off.
 *
 * @param port 0: any free one
 * @param stalled milliseconds after which a body of which nothing more comes is cut off
 * @throws SluiceError `port_in_use`
 */
export async function listen(sluice: Sluice, host: string, port: number, stalled = bodyTimeout): Promise<Listening> {
  const { toNodeHandler } = await import('../node.ts')
  const handle = toNodeHandler(sluice)
  const server = createServer({ requestTimeout: 0, headersTimeout }, (incoming, outgoing) => {
    cutOffStalled(incoming, stalled)
    handle(incoming, outgoing)
  })
  await opened(server, host, port)
  const address = server.address() as AddressInfo
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return {
    url: `http://${name.includes(':') ? `[${name}]` : name}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        sluice.endStreams()
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

/** While a body comes in, its connection must not fall silent. Without a listener of the server's, Node closes one that does. */
function cutOffStalled(incoming: IncomingMessage, milliseconds: number): void {
  const { socket, headers } = incoming
  // Without one, silence may be an answer that is a stream.
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return
  socket.setTimeout(milliseconds)
  incoming.once('end', () => socket.setTimeout(0))
}

async function opened(server: Server, host: string, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : ''
    if (code === 'EADDRINUSE' || code === 'EACCES') {
      const why = code === 'EADDRINUSE' ? 'is in use by another program' : 'may not be opened by this user'
      throw new SluiceError(
        'port_in_use',
        `Port ${port} on ${host} ${why}. Choose another one: PORT=7301, or --port 7301; 0 takes any free one.`,
        { cause: error },
      )
    }
    throw error
  }
}
