/** The peer of `small`: an HTTP server that keeps the body and upserts the row of each request before it answers. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { employee, organizationCount, tablesSql } from '../employees.ts'
import { many, postTo } from '../load.ts'

/** Runs the peer in an empty database. Returns messages a second. */
export async function runPerRequest(url: string, { senders, seconds }: { senders: number; seconds: number }): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`${tablesSql}
    CREATE TABLE public.received (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, data json NOT NULL, received_at timestamptz NOT NULL DEFAULT now())`)
  await client.query(
    `INSERT INTO public.organization (ms_id, title) SELECT 'O-' || i, 'Organisation ' || i FROM generate_series(0, $1::integer - 1) AS i`,
    [organizationCount],
  )
  const server = fork(fileURLToPath(new URL('per-request-server.ts', import.meta.url)), [url])
  try {
    const [port] = await once(server, 'message')
    const post = postTo(`http://127.0.0.1:${port}/`)
    let next = 0
    const send = (): Promise<void> => post(JSON.stringify(employee(next++)))
    await many(senders, send, 2)
    const before = next
    const started = performance.now()
    await many(senders, send, seconds)
    const taken = (next - before) / ((performance.now() - started) / 1000)
    const { rows } = await client.query<{ rows: number; received: number }>(
      'SELECT (SELECT count(*)::integer FROM public.employee) AS rows, (SELECT count(*)::integer FROM public.received) AS received',
    )
    if (rows[0]?.rows !== next || rows[0].received !== next) throw new Error(`expected ${next} rows, got ${JSON.stringify(rows[0])}`)
    return taken
  } finally {
    server.kill()
    await once(server, 'exit')
    await client.end()
  }
}
