/** What the queues of `queues` have in common: what a job carries, and what a worker does with it. */

/** Some objects of the body, in its order. One of them, or 1,000. */
export interface Payload {
  /** The place of the first of them in the body. */
  first: number
  objects: readonly Record<string, unknown>[]
}

/** Where the queue and the tables are. */
export interface Places {
  databaseUrl: string
  redisPort: number
}

export interface Producer {
  /** Returns when the jobs are on disk. */
  enqueue(payloads: readonly Payload[]): Promise<void>
  /** Jobs that aren't done. Throws when one has failed. */
  left(): Promise<number>
  close(): Promise<void>
}

/** One queue, used as its documentation recommends. */
export interface Queue {
  readonly name: string
  /** How it is set up, for the table's reader. */
  readonly about: string
  /** Creates what the queue needs, and gives what adds jobs. */
  open(places: Places): Promise<Producer>
  /** Works until the process is killed. */
  work(places: Places, jobs: JobSize): Promise<void>
}

/** Objects in a job. */
export type JobSize = 1 | 1000

/** What runs SQL: a client, a pool or a transaction. */
export interface Runs {
  query(sql: string, values: readonly unknown[]): Promise<unknown>
}

export const receivedSql = 'CREATE TABLE public.received (ordinal integer PRIMARY KEY, status smallint NOT NULL);'

const setSql = `name = excluded.name, position = excluded.position, date_joined = excluded.date_joined, joined_by = excluded.joined_by,
    organization_id = excluded.organization_id, deleted_at = excluded.deleted_at`

/** The row and its status in one statement, so in one transaction: the fewest round trips there can be. */
const oneSql = `
  WITH applied AS (
    INSERT INTO public.employee (ms_id, name, position, date_joined, joined_by, organization_id, deleted_at)
    SELECT $2, $3, $4, $5::date, $6, o.id, $8::timestamptz FROM public.organization o WHERE o.ms_id = $7
    ON CONFLICT (ms_id) DO UPDATE SET ${setSql}
    RETURNING ms_id
  )
  INSERT INTO public.received (ordinal, status) SELECT $1::integer, CASE WHEN EXISTS (SELECT FROM applied) THEN 2 ELSE -2 END
  ON CONFLICT (ordinal) DO UPDATE SET status = excluded.status
`

const manySql = `
  WITH sent AS MATERIALIZED (
    SELECT * FROM ROWS FROM (json_to_recordset($2::json) AS
      (ms_id text, name text, position text, date_joined date, joined_by text, organization_ms_id text, deleted_at timestamptz)) WITH ORDINALITY AS s
      (ms_id, name, position, date_joined, joined_by, organization_ms_id, deleted_at, n)
  ), applied AS (
    INSERT INTO public.employee (ms_id, name, position, date_joined, joined_by, organization_id, deleted_at)
    SELECT s.ms_id, s.name, s.position, s.date_joined, s.joined_by, o.id, s.deleted_at
    FROM sent s JOIN public.organization o ON o.ms_id = s.organization_ms_id ORDER BY s.ms_id
    ON CONFLICT (ms_id) DO UPDATE SET ${setSql}
    RETURNING ms_id
  )
  INSERT INTO public.received (ordinal, status)
  SELECT $1::integer + s.n - 1, CASE WHEN a.ms_id IS NULL THEN -2 ELSE 2 END FROM sent s LEFT JOIN applied a USING (ms_id)
  ON CONFLICT (ordinal) DO UPDATE SET status = excluded.status
`

/** Upserts the rows of a job and records the status of each of its objects. Doing it twice does nothing more. */
export async function apply(runs: Runs, { first, objects }: Payload): Promise<void> {
  const [object] = objects
  if (object === undefined || objects.length > 1) await runs.query(manySql, [first, JSON.stringify(objects)])
  else {
    const { ms_id, name, position, date_joined, joined_by, organization_ms_id, deleted_at } = object
    await runs.query(oneSql, [first, ms_id, name, position, date_joined, joined_by, organization_ms_id, deleted_at])
  }
}
