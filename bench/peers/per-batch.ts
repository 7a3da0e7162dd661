/** The peer of `handlers`: the same query in a loop written by hand, a transaction per batch of 1,000, in two processes. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { organizationCount, tablesSql } from '../employees.ts'
import { expectCount } from './floor.ts'

export const batchSize = 1000

/** As many as Sluice has workers. */
const processes = 2

/** Runs the loop in an empty database. Returns seconds, from the body's text to the last commit. */
export async function runPerBatch(url: string, how: 'apply' | 'applyMany', body: string, count: number): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const children = Array.from({ length: processes }, (_, number) =>
    fork(fileURLToPath(new URL('per-batch-worker.ts', import.meta.url)), [url, how, String(number), String(processes)]),
  )
  try {
    await client.query(tablesSql)
    await client.query('CREATE TABLE public.received (ordinal integer PRIMARY KEY, data json NOT NULL, status smallint NOT NULL DEFAULT 0)')
    await client.query(
      `INSERT INTO public.organization (ms_id, title) SELECT 'O-' || i, 'Organisation ' || i FROM generate_series(0, $1::integer - 1) AS i`,
      [organizationCount],
    )
    await Promise.all(children.map(said))
    const started = performance.now()
    const objects = JSON.parse(body) as object[]
    await client.query(
      'INSERT INTO public.received (ordinal, data) SELECT u.n - 1, u.data::json FROM unnest($1::text[]) WITH ORDINALITY AS u (data, n)',
      [objects.map((object) => JSON.stringify(object))],
    )
    for (const child of children) child.send({ count })
    await Promise.all(children.map(said))
    const seconds = (performance.now() - started) / 1000
    await expectCount(client, count)
    return seconds
  } finally {
    for (const child of children) child.kill()
    await client.end()
  }
}

/** Waits for a child's next word. Throws when it ends without one. */
async function said(child: ChildProcess): Promise<void> {
  const word = once(child, 'message')
  const end = once(child, 'exit').then(() => Promise.reject(new Error('a process of the loop has ended')))
  await Promise.race([word, end])
  end.catch(() => {})
}
