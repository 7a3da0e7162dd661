/**
 * The floor: the same rows into the same table with the least that a database can be asked to do. One connection, logged
 * tables: COPY into a staging table, one set-wise upsert with the reference join, one status update. No HTTP, no schema
 * check, no ledger, no history.
 */
import { once } from 'node:events'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { employee, organizationCount, tablesSql } from '../employees.ts'

const stagingSql = `
  CREATE TABLE public.staging (ordinal integer PRIMARY KEY, ms_id text NOT NULL, name text, position text, date_joined date, joined_by text,
    organization_ms_id text, deleted_at timestamptz, status smallint NOT NULL DEFAULT 0);
`

const upsertSql = `
  INSERT INTO public.employee AS e (ms_id, name, position, date_joined, joined_by, organization_id, deleted_at)
  SELECT s.ms_id, s.name, s.position, s.date_joined, s.joined_by, o.id, s.deleted_at
  FROM public.staging s JOIN public.organization o ON o.ms_id = s.organization_ms_id
  ORDER BY s.ms_id
  ON CONFLICT (ms_id) DO UPDATE SET name = excluded.name, position = excluded.position, date_joined = excluded.date_joined,
    joined_by = excluded.joined_by, organization_id = excluded.organization_id, deleted_at = excluded.deleted_at
  WHERE (e.name, e.position, e.date_joined, e.joined_by, e.organization_id, e.deleted_at)
    IS DISTINCT FROM (excluded.name, excluded.position, excluded.date_joined, excluded.joined_by, excluded.organization_id, excluded.deleted_at)
`

/** Runs the floor in an empty database. Returns seconds, from the start of COPY to the last commit. */
export async function runFloor(url: string, count: number): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(tablesSql + stagingSql)
    await client.query(
      `INSERT INTO public.organization (ms_id, title) SELECT 'O-' || i, 'Organisation ' || i FROM generate_series(0, $1::integer - 1) AS i`,
      [organizationCount],
    )
    const lines = Buffer.from(Array.from({ length: count }, (_, index) => copyLine(index)).join(''))
    const start = performance.now()
    const stream = client.query(
      copyFrom('COPY public.staging (ordinal, ms_id, name, position, date_joined, joined_by, organization_ms_id, deleted_at) FROM STDIN'),
    )
    stream.end(lines)
    await once(stream, 'finish')
    await client.query(upsertSql)
    await client.query('UPDATE public.staging SET status = 2')
    const seconds = (performance.now() - start) / 1000
    await expectCount(client, count)
    return seconds
  } finally {
    await client.end()
  }
}

function copyLine(index: number): string {
  const { ms_id, name, position, date_joined, joined_by, organization_ms_id } = employee(index)
  return `${[index, ms_id, name, position, date_joined, joined_by, organization_ms_id, '\\N'].join('\t')}\n`
}

/** Checks that a run did its work: as many linked rows as there were objects. */
export async function expectCount(client: pg.Client, count: number): Promise<void> {
  const { rows } = await client.query<{ n: string }>(
    'SELECT count(*) AS n FROM public.employee e JOIN public.organization o ON o.id = e.organization_id',
  )
  if (Number(rows[0]?.n) !== count) throw new Error(`expected ${count} employees, the table has ${rows[0]?.n}`)
}
