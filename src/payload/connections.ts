/** What becomes of a site's connections to PostgreSQL when the server goes. */
import type { LocalApi } from './local-api.ts'

const heard = new WeakSet<object>()

/**
 * Listens to connections that break while nothing runs on them: unheard, as Payload leaves them, they would end the process. What
 * runs on one fails by itself, and the pool opens another.
 */
export function hearConnections({ db: { pool } }: LocalApi): void {
  if (pool === undefined || heard.has(pool)) return
  heard.add(pool)
  const ignore = (): void => undefined
  pool.on('error', ignore)
  pool.on('acquire', (client) => {
    if (heard.has(client)) return
    heard.add(client)
    client.on('error', ignore)
  })
}
