/** The numbers of the first page: what needs a person, how much goes through, and how each integration is. Reads no instances. */
import { outcomes } from '../../model/outcome.ts'
import type { Queryable } from '../db.ts'

/** Where counting messages that need a person stops. */
const mostCounted = 1000
/** How many of the newest chunks are looked at for what went through in the last hour: about ten million instances. */
const mostChunks = 10_000
const mostStuck = 20

const done = outcomes.join(' + ')

/** An integration as it is now. */
export interface IntegrationNumbers {
  integration: string
  lastMessageAt: string | null
  /** Instances waiting or being processed. */
  backlog: number
  /** Arrival of the oldest thing that is still to be done. */
  oldestAt: string | null
  /** Instances at -2. */
  failed: number
}

/** What went through in a minute. */
export interface MinuteNumbers {
  integration: string
  /** Beginning of the minute. */
  at: string
  processed: number
  failed: number
}

/** A chunk that comes again because something around it failed, or whose worker is silent. */
export interface StuckChunk {
  messageId: string
  integration: string
  attempts: number
  dueAt: string
  /** JSON text. */
  lastError: string | null
}

/** One row per integration given, in their order. */
export async function readIntegrationNumbers(db: Queryable, integrations: readonly string[]): Promise<IntegrationNumbers[]> {
  const { rows } = await db.query<IntegrationNumbers>(
    `WITH open AS (
       SELECT integration, total - failed - (${done}) AS waiting, created_at AS at FROM sluice.chunk WHERE state = 'ready'
       UNION ALL
       SELECT integration, total - failed - (${done}), created_at FROM sluice.chunk WHERE state = 'claimed'
       UNION ALL
       SELECT integration, coalesce(total, 0), received_at FROM sluice.message WHERE status IN (0, 1)),
     backlog AS (SELECT integration, sum(waiting)::float8 AS waiting, min(at) AS oldest FROM open GROUP BY integration),
     failures AS (SELECT integration, count(*)::float8 AS failed FROM sluice.failure GROUP BY integration)
     SELECT n.name AS integration, last.received_at AS "lastMessageAt", coalesce(b.waiting, 0) AS backlog, b.oldest AS "oldestAt",
       coalesce(f.failed, 0) AS failed
     FROM unnest($1::text[]) WITH ORDINALITY AS n (name, place)
     LEFT JOIN backlog b ON b.integration = n.name
     LEFT JOIN failures f ON f.integration = n.name
     LEFT JOIN LATERAL (SELECT m.received_at FROM sluice.message m WHERE m.integration = n.name ORDER BY m.id DESC LIMIT 1) AS last ON true
     ORDER BY n.place`,
    [integrations],
  )
  return rows
}

/** What ended in the last hour, by integration and minute; a chunk counts when all of it has ended. */
export async function readThroughput(db: Queryable, integrations: readonly string[]): Promise<MinuteNumbers[]> {
  const { rows } = await db.query<MinuteNumbers>(
    `SELECT integration, date_trunc('minute', finished_at) AS at, sum(${done})::float8 AS processed, sum(failed)::float8 AS failed
     FROM (SELECT * FROM sluice.chunk ORDER BY id DESC LIMIT ${mostChunks}) AS newest
     WHERE finished_at > now() - interval '1 hour' AND integration = ANY($1::text[])
     GROUP BY 1, 2 ORDER BY 2, 1`,
    [integrations],
  )
  return rows
}

/** Messages that wait for a person: not correct, received in the last week, and not split. Counting stops at 1,000. */
export async function countMessagesForPeople(
  db: Queryable,
  integrations: readonly string[],
): Promise<{ incorrect: number; splitFailed: number }> {
  const { rows } = await db.query<{ incorrect: number; splitFailed: number }>(
    // The first id of the week ends the way down the index by status, which knows no times.
    `SELECT (SELECT count(*)::integer FROM (SELECT FROM sluice.message WHERE status = -1 AND received_at > now() - interval '7 days'
         AND id >= (SELECT id FROM sluice.message WHERE received_at > now() - interval '7 days' ORDER BY received_at, id LIMIT 1)
         AND integration = ANY($1::text[]) ORDER BY id DESC LIMIT ${mostCounted}) AS i) AS incorrect,
       (SELECT count(*)::integer FROM (SELECT FROM sluice.message WHERE status = -2
         AND integration = ANY($1::text[]) ORDER BY id DESC LIMIT ${mostCounted}) AS s) AS "splitFailed"`,
    [integrations],
  )
  return rows[0] ?? { incorrect: 0, splitFailed: 0 }
}

/** The oldest chunks that are stuck, at most twenty. */
export async function listStuckChunks(db: Queryable, integrations: readonly string[]): Promise<StuckChunk[]> {
  const { rows } = await db.query<StuckChunk>(
    `SELECT message_id AS "messageId", integration, attempts, due_at AS "dueAt", last_error AS "lastError" FROM sluice.chunk
     WHERE ((state = 'ready' AND last_error IS NOT NULL) OR (state = 'claimed' AND lease_until < now()))
       AND integration = ANY($1::text[])
     ORDER BY id LIMIT ${mostStuck}`,
    [integrations],
  )
  return rows
}
