/** Chunks are the queue: claimed with a lease and an epoch, given back, finished, reclaimed. */
import { type Outcome, outcomes } from '../model/outcome.ts'
import { type Db, prepared, type Queryable, type Transaction } from './db.ts'
import { beginning, type QueueMarks, type QueuePart, queueParts } from './queue-marks.ts'

/** A chunk that this worker holds as long as its epoch stands. */
export interface ClaimedChunk {
  id: string
  messageId: string
  integration: string
  isDraft: boolean
  epoch: number
  attempts: number
  /** How often a worker was lost with it; from the first time on its objects go one by one. */
  losses: number
  /** The ordinal that was in hand when a worker was lost, and how often that one was. */
  suspect: number | null
  suspectLosses: number
  /** Instances still to be processed. */
  waiting: number
}

const outcomeSum = [...outcomes, 'failed'].join(' + ')

const claimed = `id, message_id AS "messageId", integration, is_draft AS "isDraft", epoch, attempts, losses, suspect,
  suspect_losses AS "suspectLosses", total - (${outcomeSum}) AS waiting`

/** How many small chunks may be claimed to be applied together. */
export const mostChunksAtOnce = 128

/** The part of the queue that a chunk stands in. As the index `chunk_due` has it, or claims read all there is. */
const partOf = (table: string): string => `(CASE WHEN ${table}.number = 0 THEN 0 WHEN ${table}.number < 16 THEN 1 ELSE 2 END)`

/**
 * Claims the chunk that has been due longest and, while they are small, more of the same integration and mode, together
 * at most `size` instances. The claims of a worker take turns between the parts of the queues, so that no message waits for a giant. One that came back is claimed alone: what sent it back must not hold others up. Each claim raises
 * the epoch and takes a lease by the database's clock. It waits for the disk: an epoch that a crash of the server took back
 * would be given out twice.
 *
 * @param options.leaseSeconds how long the claim holds
 * @param options.messageId only this message's chunks (a dry run's)
 * @param options.marks where the claims before this one came to; default: every claim looks from the beginning
 */
export async function claimChunks(
  db: Db,
  options: {
    integrations: readonly string[]
    worker: string
    leaseSeconds: number
    size: number
    messageId?: string
    marks?: QueueMarks
  },
): Promise<ClaimedChunk[]> {
  return db.transaction((tx) => claimInside(tx, options), { inOrder: true })
}

type ClaimOptions = Parameters<typeof claimChunks>[1]

const moreSql = prepared(`SELECT c.id, c.total - (${outcomeSum}) AS waiting FROM sluice.chunk c
  WHERE c.state = 'ready' AND c.integration = $1 AND ${partOf('c')} = $6 AND c.due_at >= $5 AND c.due_at <= now() AND c.is_draft = $2
    AND c.losses = 0 AND c.last_error IS NULL AND c.id <> $3
  ORDER BY c.due_at, c.id LIMIT $4 FOR UPDATE OF c SKIP LOCKED`)

const claimSql = prepared(`UPDATE sluice.chunk SET state = 'claimed', epoch = epoch + 1, attempts = attempts + 1, worker = $2,
    lease_until = now() + make_interval(secs => $3)
  WHERE id = ANY($1) RETURNING ${claimed}`)

async function claimInside(tx: Transaction, options: ClaimOptions): Promise<ClaimedChunk[]> {
  const head = await lockHead(tx, options)
  if (head === null) return []
  const ids = [head.id]
  // A chunk of a giant that has few objects has large ones: it is full.
  if (options.messageId === undefined && head.part !== 2 && !head.hasFailed && head.waiting * 2 <= options.size) {
    const more = await tx.query<{ id: string; waiting: number }>(moreSql, [
      head.integration,
      head.isDraft,
      head.id,
      mostChunksAtOnce - 1,
      head.dueAt,
      head.part,
    ])
    let sum = head.waiting
    for (const row of more.rows) {
      sum += row.waiting
      if (sum > options.size) break
      ids.push(row.id)
    }
  }
  const { rows } = await tx.query<ClaimedChunk>(claimSql, [ids, options.worker, options.leaseSeconds])
  return rows.sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
}

interface Head {
  id: string
  integration: string
  isDraft: boolean
  dueAt: string
  part: QueuePart
  waiting: number
  /** It came back. */
  hasFailed: boolean
}

const headColumns = `c.id, c.integration, c.is_draft AS "isDraft", c.due_at AS "dueAt", ${partOf('c')} AS part,
  c.total - (${outcomeSum}) AS waiting,
  c.losses > 0 OR c.last_error IS NOT NULL AS "hasFailed"`

const isNotPaused = 'NOT EXISTS (SELECT FROM sluice.paused_integration p WHERE p.integration = i.name)'

/** How soon it is a part's turn, from the one whose turn it is now. */
const turnOf = (now: string): string => `(i.part - ${now}::integer + ${queueParts.length}) % ${queueParts.length}`

const lockHeadSql = prepared(`WITH queue AS MATERIALIZED (
    SELECT i.name, i.part, oldest.due_at FROM unnest($1::text[], $2::integer[], $3::timestamptz[]) AS i (name, part, since) CROSS JOIN LATERAL (
      SELECT w.due_at, w.id FROM sluice.chunk w
      WHERE w.state = 'ready' AND w.integration = i.name AND ${partOf('w')} = i.part AND w.due_at >= i.since AND w.due_at <= now()
      ORDER BY w.due_at, w.id LIMIT 1) AS oldest
    WHERE ${isNotPaused} ORDER BY ${turnOf('$4')}, oldest.due_at, oldest.id LIMIT 1)
  SELECT ${headColumns} FROM sluice.chunk c
  WHERE c.state = 'ready' AND c.integration = (SELECT name FROM queue) AND ${partOf('c')} = (SELECT part FROM queue)
    AND c.due_at >= (SELECT due_at FROM queue) AND c.due_at <= now()
  ORDER BY c.due_at, c.id LIMIT 1 FOR UPDATE OF c SKIP LOCKED`)

/** Locks the chunk that has been due longest, in the part whose turn it is first. Each integration is looked at by the beginning of its own queues. */
async function lockHead(tx: Transaction, { integrations, messageId, marks }: ClaimOptions): Promise<Head | null> {
  if (messageId !== undefined) {
    // In a dry run, one transaction, now() stands still at its begin and no new chunk is due by it.
    const { rows } = await tx.query<Head>(
      `SELECT ${headColumns} FROM sluice.chunk c JOIN unnest($1::text[]) AS i (name) ON i.name = c.integration
       WHERE c.state = 'ready' AND c.message_id = $2 AND c.due_at <= clock_timestamp() AND ${isNotPaused}
       ORDER BY c.due_at, c.id LIMIT 1 FOR UPDATE OF c SKIP LOCKED`,
      [integrations, messageId],
    )
    return rows[0] ?? null
  }
  const queues = integrations.flatMap((name) => queueParts.map((part) => ({ name, part })))
  const names = queues.map(({ name }) => name)
  const parts = queues.map(({ part }) => part)
  const turn = marks?.turn ?? 0
  const since = marks?.from(queues) ?? queues.map(() => beginning)
  const { rows } = await tx.query<Head>(lockHeadSql, [names, parts, since, turn])
  // From the beginning, with locks at once: others may have locked all that was found to be due.
  const first = rows[0] ?? (await tx.query<Head>(lockAnyHeadSql, [names, parts, turn])).rows[0] ?? null
  if (first !== null) marks?.note(first.integration, first.part, first.dueAt)
  return first
}

const lockAnyHeadSql = prepared(`SELECT head.* FROM unnest($1::text[], $2::integer[]) AS i (name, part) CROSS JOIN LATERAL (
    SELECT ${headColumns} FROM sluice.chunk c
    WHERE c.state = 'ready' AND c.integration = i.name AND ${partOf('c')} = i.part AND c.due_at <= now()
    ORDER BY c.due_at, c.id LIMIT 1 FOR UPDATE OF c SKIP LOCKED) AS head
  WHERE ${isNotPaused} ORDER BY ${turnOf('$3')}, head."dueAt", head.id LIMIT 1`)

const lockChunksSql =
  prepared(`SELECT c.id FROM sluice.chunk c JOIN unnest($1::bigint[], $2::integer[]) AS mine (id, epoch) ON mine.id = c.id AND mine.epoch = c.epoch
  WHERE c.state = 'claimed' ORDER BY c.id FOR UPDATE OF c`)

/**
 * Locks the chunks whose epoch is still ours, in the order of their ids. A chunk that another worker has claimed since
 * is left out: nothing may be written for it.
 */
export async function lockChunks(tx: Transaction, chunks: readonly ClaimedChunk[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ id: string }>(lockChunksSql, [chunks.map((chunk) => chunk.id), chunks.map((chunk) => chunk.epoch)])
  return new Set(rows.map((row) => row.id))
}

/** Results of a chunk's instances, counted. */
export type OutcomeCounts = Record<Outcome | 'failed', number>

/** No results yet. */
export function noCounts(): OutcomeCounts {
  return { created: 0, updated: 0, unchanged: 0, deleted: 0, superseded: 0, ignored: 0, failed: 0 }
}

const countNames = [...outcomes, 'failed'] as const
const countSum = countNames.map((name) => `c.${name} + u.${name}`).join(' + ')
const addCountsSql = prepared(`UPDATE sluice.chunk c SET ${countNames.map((name) => `${name} = c.${name} + u.${name}`).join(', ')},
     state = CASE WHEN ${countSum} = c.total THEN 'finished' ELSE c.state END,
     finished_at = CASE WHEN ${countSum} = c.total THEN clock_timestamp() END,
     lease_until = CASE WHEN ${countSum} = c.total THEN NULL ELSE c.lease_until END,
     worker = CASE WHEN ${countSum} = c.total THEN NULL ELSE c.worker END,
     trying = NULL, last_error = NULL
   FROM unnest($1::bigint[], ${countNames.map((_, index) => `$${index + 2}::integer[]`).join(', ')}) AS u (id, ${countNames.join(', ')})
   WHERE c.id = u.id`)

/** Adds results to chunks locked by {@link lockChunks}; one that has nothing left to do is finished. */
export async function addCounts(tx: Transaction, counts: ReadonlyMap<string, OutcomeCounts>): Promise<void> {
  const entries = [...counts]
  await tx.query(addCountsSql, [entries.map(([id]) => id), ...countNames.map((name) => entries.map(([, count]) => count[name]))])
}

/**
 * Gives chunks back after a failure of the surroundings; they are due again after `delaySeconds`.
 *
 * @param options.oneByOne their objects go one by one from now on, as after the loss of a worker
 */
export async function giveBack(
  db: Queryable,
  chunks: readonly ClaimedChunk[],
  error: object,
  { delaySeconds, oneByOne }: { delaySeconds: number; oneByOne: boolean },
): Promise<void> {
  await db.query(
    `UPDATE sluice.chunk c SET state = 'ready', lease_until = NULL, worker = NULL, trying = NULL, last_error = $3,
       due_at = now() + make_interval(secs => $4), losses = CASE WHEN $5 THEN greatest(c.losses, 1) ELSE c.losses END
     FROM (SELECT l.id FROM sluice.chunk l JOIN unnest($1::bigint[], $2::integer[]) AS mine (id, epoch) ON mine.id = l.id AND mine.epoch = l.epoch
           WHERE l.state = 'claimed' ORDER BY l.id FOR UPDATE OF l) AS held
     WHERE c.id = held.id`,
    [chunks.map((chunk) => chunk.id), chunks.map((chunk) => chunk.epoch), JSON.stringify(error), delaySeconds, oneByOne],
  )
}

/** Notes, outside the object's transaction, which object is tried next. False when the chunk isn't ours any more. */
export async function noteTrying(db: Queryable, chunk: ClaimedChunk, ordinal: number, leaseSeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE sluice.chunk SET trying = $3, lease_until = now() + make_interval(secs => $4) WHERE id = $1 AND epoch = $2 AND state = 'claimed'`,
    [chunk.id, chunk.epoch, ordinal, leaseSeconds],
  )
  return rowCount === 1
}

/**
 * Takes back the chunks whose lease ran out, by the database's clock: their worker was lost. Chunks inside a transaction
 * are locked and passed over. The object that was in hand becomes the suspect.
 */
export async function reclaimExpired(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE sluice.chunk c SET state = 'ready', lease_until = NULL, worker = NULL, losses = c.losses + 1, due_at = now(),
       suspect_losses = CASE WHEN c.trying IS NULL THEN c.suspect_losses WHEN c.trying = c.suspect THEN c.suspect_losses + 1 ELSE 1 END,
       suspect = coalesce(c.trying, c.suspect), trying = NULL
     FROM (SELECT id FROM sluice.chunk WHERE state = 'claimed' AND lease_until < now()
           ORDER BY id FOR UPDATE SKIP LOCKED) AS lost
     WHERE c.id = lost.id`,
  )
  if (rowCount > 0) await db.query("SELECT pg_notify('sluice', 'process')")
  return rowCount
}

/** Stops claiming an integration's chunks until somebody resumes it. The first reason stands. */
export async function pauseIntegration(db: Queryable, integration: string, reason: object): Promise<void> {
  await db.query('INSERT INTO sluice.paused_integration (integration, reason) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    integration,
    JSON.stringify(reason),
  ])
}
