/** The HTTP server of `sluice dev` and `sluice serve`. */
import { createServer, type Server } from 'node:http'
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

/**
 * Serves an inbox.
 *
 * @param port 0: any free one
 * @throws SluiceError `port_in_use`
 */
export async function listen(sluice: Sluice, host: string, port: number): Promise<Listening> {
  const { toNodeHandler } = await import('../node.ts')
  const server = createServer(toNodeHandler(sluice))
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
