/** LISTEN on a connection of its own, which is made anew whenever it breaks. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

const firstDelayMilliseconds = 250
const longestDelayMilliseconds = 30_000

/**
 * Calls back for every notification on a channel; after a broken connection once with '', since what was notified
 * meanwhile is lost.
 *
 * @param create makes a client that is not connected yet
 * @returns stops listening
 * @throws what the first connection fails with; later ones are tried until they succeed
 */
export async function listenOn(
  create: () => pg.Client,
  channel: string,
  onNotify: (payload: string) => void,
): Promise<() => Promise<void>> {
  const stopping = new AbortController()
  let current: pg.Client | undefined

  const connect = async (): Promise<void> => {
    const client = create()
    const lost = (): void => {
      if (current !== client) return
      current = undefined
      void end(client)
      void reconnect()
    }
    client.on('error', lost)
    client.on('end', lost)
    client.on('notification', ({ payload }) => {
      if (!stopping.signal.aborted) onNotify(payload ?? '')
    })
    try {
      await client.connect()
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      void end(client)
      throw error
    }
    if (stopping.signal.aborted) await end(client)
    else current = client
  }

  const reconnect = async (): Promise<void> => {
    for (let delay = firstDelayMilliseconds; ; delay = Math.min(delay * 2, longestDelayMilliseconds)) {
      await sleep(delay * (0.5 + Math.random() / 2), undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
      if (stopping.signal.aborted) return
      const isConnected = await connect().then(
        () => true,
        () => false,
      )
      if (!isConnected) continue
      if (!stopping.signal.aborted) onNotify('')
      return
    }
  }

  await connect()
  return async () => {
    stopping.abort()
    const client = current
    current = undefined
    if (client !== undefined) await end(client)
  }
}

/** A client that is broken already can't say goodbye. */
async function end(client: pg.Client): Promise<void> {
  await client.end().catch(() => undefined)
}
