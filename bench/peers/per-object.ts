/**
 * The per-object baseline: what a receiving side looks like that handles one object at a time. For each object one
 * transaction: look the reference up, upsert the row, record its status. On one connection, as the floor is, and on two, as
 * Sluice has two workers.
 */
import pg from 'pg'
import { employee, organizationCount, tablesSql } from '../employees.ts'
import { expectCount } from './floor.ts'

const statusSql = 'CREATE TABLE public.received (ordinal integer PRIMARY KEY, data json NOT NULL, status smallint NOT NULL DEFAULT 0);'

/** Runs the baseline in an empty database, on as many connections. Returns seconds. */
export async function runPerObject(url: string, count: number, connections: number): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const workers = Array.from({ length: connections }, () => new pg.Client({ connectionString: url }))
  try {
    await client.query(tablesSql + statusSql)
    await client.query(
      `INSERT INTO public.organization (ms_id, title) SELECT 'O-' || i, 'Organisation ' || i FROM generate_series(0, $1::integer - 1) AS i`,
      [organizationCount],
    )
    const objects = Array.from({ length: count }, (_, index) => employee(index))
    const start = performance.now()
    await client.query(
      'INSERT INTO public.received (ordinal, data) SELECT u.n - 1, u.data::json FROM unnest($1::text[]) WITH ORDINALITY AS u (data, n)',
      [objects.map((object) => JSON.stringify(object))],
    )
    let next = 0
    await Promise.all(
      workers.map(async (worker) => {
        await worker.connect()
        for (let index = next++; index < count; index = next++) await applyOne(worker, index, objects[index] ?? {})
      }),
    )
    const seconds = (performance.now() - start) / 1000
    await expectCount(client, count)
    return seconds
  } finally {
    await Promise.all([client, ...workers].map((each) => each.end()))
  }
}

async function applyOne(worker: pg.Client, ordinal: number, object: Record<string, unknown>): Promise<void> {
  await worker.query('BEGIN')
  const { rows } = await worker.query<{ id: string }>('SELECT id FROM public.organization WHERE ms_id = $1', [object.organization_ms_id])
  await worker.query(
    `INSERT INTO public.employee (ms_id, name, position, date_joined, joined_by, organization_id, deleted_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (ms_id) DO UPDATE SET name = excluded.name, position = excluded.position, date_joined = excluded.date_joined,
       joined_by = excluded.joined_by, organization_id = excluded.organization_id, deleted_at = excluded.deleted_at`,
    [object.ms_id, object.name, object.position, object.date_joined, object.joined_by, rows[0]?.id, object.deleted_at],
  )
  await worker.query('UPDATE public.received SET status = 2 WHERE ordinal = $1', [ordinal])
  await worker.query('COMMIT')
}
