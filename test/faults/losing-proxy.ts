/** A proxy in front of PostgreSQL that passes a COMMIT on, waits for its answer and drops it with the connection. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface LosingProxy {
  /** The database's URL, through the proxy. */
  readonly url: string
  /** The answers to the next so many COMMITs are lost. */
  lose(commits: number): void
  /** How many were lost so far: the server had committed each. */
  readonly lost: number
  close(): Promise<void>
}

/** Starts the proxy in front of the server of `target`. */
export async function startLosingProxy(target: string): Promise<LosingProxy> {
  const server = new URL(target)
  const sockets = new Set<Socket>()
  let toLose = 0
  let lost = 0
  const proxy = createServer((client) => {
    const database = connect(Number(server.port), server.hostname)
    let isLosing = false
    for (const socket of [client, database]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('data', (bytes: Buffer) => {
      if (toLose > 0 && isCommit(bytes)) {
        toLose--
        isLosing = true
      }
      database.write(bytes)
    })
    database.on('data', (bytes: Buffer) => {
      if (!isLosing) client.write(bytes)
      else if (hasCommitted(bytes)) {
        lost++
        client.destroy()
        database.destroy()
      }
    })
    client.on('close', () => database.destroy())
    database.on('close', () => client.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const url = new URL(target)
  url.port = String((proxy.address() as AddressInfo).port)
  return {
    url: url.href,
    lose(commits) {
      toLose = commits
    },
    get lost() {
      return lost
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}

/** A simple query (`Q`, its length, the text, a zero), which `pg` sends by itself. */
const commit = Buffer.from('Q\0\0\0\x0bCOMMIT\0', 'latin1')

function isCommit(bytes: Buffer): boolean {
  return bytes.equals(commit)
}

/** CommandComplete (`C`, its length, the tag, a zero): from now on it is committed. */
const committed = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1')

function hasCommitted(bytes: Buffer): boolean {
  return bytes.includes(committed)
}
