/** What `sluice doctor` asks the database. */
import type { Queryable } from './db.ts'

/** The server's version as a number (`180001`) and as text. */
export async function serverVersion(db: Queryable): Promise<{ number: number; text: string }> {
  const { rows } = await db.query<{ number: number; text: string }>(
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS text`,
  )
  return rows[0] ?? { number: 0, text: 'unknown' }
}

/**
 * When a worker last did something that left a trace, ISO 8601, and how many seconds ago by the database's clock: every worker's
 * clock leaves one each minute. Null: never.
 */
export async function workerSeen(db: Queryable): Promise<{ at: string; secondsAgo: number } | null> {
  const { rows } = await db.query<{ at: string | null; secondsAgo: number }>(
    `SELECT max(started_at) AS at, extract(epoch FROM clock_timestamp() - max(started_at))::float8 AS "secondsAgo"
     FROM sluice.task_run WHERE worker IS NOT NULL`,
  )
  const { at = null, secondsAgo = 0 } = rows[0] ?? {}
  return at === null ? null : { at, secondsAgo }
}

/** Whether the clock's plan is there and nothing of it is overdue: the first thing that the first worker does. */
export async function isClockPlanned(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ planned: boolean }>(
    'SELECT coalesce(bool_and(next_slot > now()), false) AS planned FROM sluice.schedule',
  )
  return rows[0]?.planned ?? false
}
