/** The peer of `giant`: {@link file://./whole-body-server.ts} in a process of its own. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { organizationCount, tablesSql } from '../employees.ts'

/** The peer, running on an empty database. */
export interface WholeBody {
  url: string
  pid: number
  /** How many employees there are. */
  count(): Promise<number>
  stop(): Promise<void>
}

export async function startWholeBody(databaseUrl: string): Promise<WholeBody> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(tablesSql)
  await client.query(
    `INSERT INTO public.organization (ms_id, title) SELECT 'O-' || i, 'Organisation ' || i FROM generate_series(0, $1::integer - 1) AS i`,
    [organizationCount],
  )
  const server = fork(fileURLToPath(new URL('whole-body-server.ts', import.meta.url)), [databaseUrl])
  const gone = once(server, 'exit')
  const said = await Promise.race([once(server, 'message'), gone.then(() => null)])
  if (said === null || server.pid === undefined) throw new Error('the peer ended before it was ready')
  return {
    url: `http://127.0.0.1:${said[0]}/`,
    pid: server.pid,
    async count() {
      const { rows } = await client.query<{ count: number }>('SELECT count(*)::integer AS count FROM public.employee')
      return rows[0]?.count ?? 0
    },
    async stop() {
      server.kill()
      await gone
      await client.end()
    },
  }
}
