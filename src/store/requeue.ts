/**
 * Retry and replay: instances leave their chunk for a new one of kind `retry`, wait there at 0, and their message goes
 * back to 2. Locks in the order message, chunk, instance, each by its key, so that requeues can't deadlock.
 */
import { type Outcome, outcomes } from '../model/outcome.ts'
import type { Db, Queryable, Transaction } from './db.ts'
import { withRetry } from './retry.ts'

/** One instance: its message and its place in it. */
export interface InstanceKey {
  messageId: string
  ordinal: number
}

export interface RequeueOptions {
  /** Processed instances too; raises the generation of every instance that is put back. Default: only failed ones. */
  replay?: boolean
  /** Mode of the new attempt. Default: the mode of the last one, which at first is the message's own. */
  asDraft?: boolean
  /** Most instances in a new chunk. */
  chunkSize: number
  /** A person asked for it: a transient failure has all its retries again. Default: false. */
  byClick?: boolean
}

/** What was put back. */
export interface Requeued {
  instances: number
  chunks: number
  /** Ids, in order. */
  messages: string[]
}

/** Most instances that one transaction puts back. */
export const mostAtOnce = 10_000

/**
 * Puts failed instances (with `replay` processed ones too) back to 0. Instances that moved meanwhile are left out, and so
 * are kept invalid objects without an external ID: nothing could be done with them.
 *
 * One transaction per 10,000 instances, tried again after a deadlock or a serialization failure.
 *
 * @returns how many were put back
 */
export async function requeueInstances(db: Db, keys: readonly InstanceKey[], options: RequeueOptions): Promise<number> {
  const sorted = sortKeys(keys)
  let sum = 0
  for (let from = 0; from < sorted.length; from += mostAtOnce) {
    const part = sorted.slice(from, from + mostAtOnce)
    const requeued = await withRetry(() => db.transaction((tx) => requeueInside(tx, part, options)))
    sum += requeued.instances
  }
  return sum
}

/** The same inside a transaction of the caller's, which has locked nothing yet. At most {@link mostAtOnce} keys. */
export async function requeueInside(tx: Transaction, keys: readonly InstanceKey[], options: RequeueOptions): Promise<Requeued> {
  const sorted = sortKeys(keys)
  const locked = await lockMessages(tx, sorted)
  // What retention is removing is gone.
  const there = sorted.filter((key) => locked.has(key.messageId))
  const moving = await lockMoving(tx, there, options.replay === true)
  if (moving.length === 0) return { instances: 0, chunks: 0, messages: [] }
  const chunks = await insertRetryChunks(tx, planChunks(moving, locked, options))
  await moveInstances(tx, moving, chunks, options)
  await takeFromOldChunks(tx, moving)
  await forgetFailures(tx, moving)
  const messages = [...new Set(moving.map((instance) => instance.messageId))]
  await tx.query(
    'UPDATE sluice.message SET status = 2, finished_at = NULL, history_pruned_at = NULL WHERE id = ANY($1) AND status IN (3, -3)',
    [messages],
  )
  await tx.query("SELECT pg_notify('sluice', 'process')")
  return { instances: moving.length, chunks: chunks.length, messages }
}

/** Transient failures whose time has come, the longest due first. */
export async function selectDueTransient(db: Queryable, limit: number): Promise<InstanceKey[]> {
  const { rows } = await db.query<InstanceKey>(
    `SELECT message_id AS "messageId", ordinal FROM sluice.failure
     WHERE due_at IS NOT NULL AND due_at <= now() ORDER BY due_at LIMIT $1`,
    [limit],
  )
  return rows
}

/** A failed instance and its object. */
export interface ObjectFailure extends InstanceKey {
  externalId: string
}

/** A page of an integration's failures with a code, by message and ordinal. */
export async function failuresWithCode(
  db: Queryable,
  integration: string,
  code: string,
  page: { after: InstanceKey | null; limit: number },
): Promise<ObjectFailure[]> {
  const { rows } = await db.query<ObjectFailure>(
    `SELECT message_id AS "messageId", ordinal, external_id AS "externalId" FROM sluice.failure
     WHERE integration = $1 AND code = $2 AND external_id IS NOT NULL AND (message_id, ordinal) > ($3::bigint, $4::integer)
     ORDER BY message_id, ordinal LIMIT $5`,
    [integration, code, page.after?.messageId ?? '0', page.after?.ordinal ?? -1, page.limit],
  )
  return rows
}

/** Without duplicates, in the order that locks are taken in. */
function sortKeys(keys: readonly InstanceKey[]): InstanceKey[] {
  const byId = new Map(keys.map((key) => [`${key.messageId}.${key.ordinal}`, key]))
  return [...byId.values()].sort((a, b) => {
    const [idA, idB] = [BigInt(a.messageId), BigInt(b.messageId)]
    return idA === idB ? a.ordinal - b.ordinal : idA < idB ? -1 : 1
  })
}

/**
 * Locks the messages. From here on none of their instances changes its chunk, and none that is at rest leaves it: only
 * a requeue does that, and it holds this lock.
 *
 * @returns those that are there
 */
async function lockMessages(tx: Transaction, keys: readonly InstanceKey[]): Promise<Map<string, LockedMessage>> {
  const { rows } = await tx.query<LockedMessage & { id: string }>(
    `SELECT id, integration, body_size::double precision / greatest(total, 1) AS "objectBytes" FROM sluice.message
     WHERE id = ANY($1) AND status IN (2, 3, -3) AND instances_pruned_at IS NULL ORDER BY id FOR UPDATE`,
    [[...new Set(keys.map((key) => key.messageId))]],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

interface LockedMessage {
  integration: string
  /** The bytes of an object of it, on average. */
  objectBytes: number
}

interface MovingInstance extends InstanceKey {
  chunkId: string
  /** What it is counted as in its chunk. */
  countedAs: Outcome | 'failed'
  /** Mode of its last attempt. */
  isDraft: boolean
}

/** Locks the chunks that instances are taken from, then reads what still can be taken: nobody changes it until the end. */
async function lockMoving(tx: Transaction, keys: readonly InstanceKey[], replay: boolean): Promise<MovingInstance[]> {
  const messageIds = keys.map((key) => key.messageId)
  const ordinals = keys.map((key) => key.ordinal)
  const atRest = replay ? [2, -2] : [-2]
  const wanted = `unnest($1::bigint[], $2::integer[]) AS k (message_id, ordinal)
    JOIN sluice.instance i ON i.message_id = k.message_id AND i.ordinal = k.ordinal`
  const chunks = await tx.query<{ id: string }>(
    `SELECT c.id FROM sluice.chunk c
     WHERE c.id IN (SELECT i.chunk_id FROM ${wanted} WHERE i.status = ANY($3) AND i.external_id IS NOT NULL)
     ORDER BY c.id FOR UPDATE`,
    [messageIds, ordinals, atRest],
  )
  if (chunks.rows.length === 0) return []
  const { rows } = await tx.query<MovingInstance>(
    `SELECT i.message_id AS "messageId", i.ordinal, i.chunk_id AS "chunkId", coalesce(i.outcome, 'failed') AS "countedAs", c.is_draft AS "isDraft"
     FROM ${wanted} JOIN sluice.chunk c ON c.id = i.chunk_id
     WHERE i.status = ANY($3) AND i.external_id IS NOT NULL AND c.id = ANY($4)
     ORDER BY i.message_id, i.ordinal`,
    [messageIds, ordinals, atRest, chunks.rows.map((row) => row.id)],
  )
  return rows
}

interface PlannedChunk {
  messageId: string
  integration: string
  isDraft: boolean
  ordinals: number[]
}

/** Bytes after which a chunk is full, however few instances it has, as at the split; reckoned with objects as they are on average. */
const mostBytes = 1024 * 1024

/** Per message and mode, in order, no chunk larger than wanted. */
function planChunks(
  moving: readonly MovingInstance[],
  messages: ReadonlyMap<string, LockedMessage>,
  options: RequeueOptions,
): PlannedChunk[] {
  const open = new Map<string, PlannedChunk>()
  const all: PlannedChunk[] = []
  for (const { messageId, ordinal, isDraft: lastMode } of moving) {
    const isDraft = options.asDraft ?? lastMode
    const key = `${messageId} ${isDraft}`
    const { integration = '', objectBytes = 0 } = messages.get(messageId) ?? {}
    let chunk = open.get(key)
    if (chunk === undefined || chunk.ordinals.length >= options.chunkSize || chunk.ordinals.length * objectBytes >= mostBytes) {
      chunk = { messageId, integration, isDraft, ordinals: [] }
      open.set(key, chunk)
      all.push(chunk)
    }
    chunk.ordinals.push(ordinal)
  }
  return all
}

interface RetryChunk extends PlannedChunk {
  id: string
}

async function insertRetryChunks(tx: Transaction, planned: readonly PlannedChunk[]): Promise<RetryChunk[]> {
  const numbers = await tx.query<{ messageId: string; last: number }>(
    'SELECT message_id AS "messageId", max(number) AS last FROM sluice.chunk WHERE message_id = ANY($1) GROUP BY message_id',
    [[...new Set(planned.map((chunk) => chunk.messageId))]],
  )
  const last = new Map(numbers.rows.map((row) => [row.messageId, row.last]))
  const numbered = planned.map((chunk) => {
    const number = (last.get(chunk.messageId) ?? -1) + 1
    last.set(chunk.messageId, number)
    return { ...chunk, number }
  })
  const { rows } = await tx.query<{ id: string; messageId: string; number: number }>(
    `INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, ordinals, is_draft, total)
     SELECT u.message_id, u.integration, 'retry', u.number, u.first_ordinal, u.last_ordinal, u.ordinals::integer[], u.is_draft, u.total
     FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::integer[], $5::integer[], $6::text[], $7::boolean[], $8::integer[])
       AS u (message_id, integration, number, first_ordinal, last_ordinal, ordinals, is_draft, total)
     RETURNING id, message_id AS "messageId", number`,
    [
      numbered.map((chunk) => chunk.messageId),
      numbered.map((chunk) => chunk.integration),
      numbered.map((chunk) => chunk.number),
      numbered.map((chunk) => chunk.ordinals[0] ?? 0),
      numbered.map((chunk) => chunk.ordinals[chunk.ordinals.length - 1] ?? 0),
      // An array of arrays of different lengths is no array in SQL.
      numbered.map((chunk) => `{${chunk.ordinals.join(',')}}`),
      numbered.map((chunk) => chunk.isDraft),
      numbered.map((chunk) => chunk.ordinals.length),
    ],
  )
  const ids = new Map(rows.map((row) => [`${row.messageId} ${row.number}`, row.id]))
  return numbered.map((chunk) => ({ ...chunk, id: ids.get(`${chunk.messageId} ${chunk.number}`) ?? '' }))
}

/** How many earlier attempts an instance remembers. */
const longestHistory = 20

/** Each into its new chunk, back to 0; the attempt that ended is remembered. */
async function moveInstances(
  tx: Transaction,
  moving: readonly MovingInstance[],
  chunks: readonly RetryChunk[],
  { replay, byClick }: RequeueOptions,
): Promise<void> {
  const chunkOf = new Map<string, string>()
  for (const chunk of chunks) for (const ordinal of chunk.ordinals) chunkOf.set(`${chunk.messageId}.${ordinal}`, chunk.id)
  const moved = await tx.query(
    `UPDATE sluice.instance i SET status = 0, chunk_id = u.chunk_id, outcome = NULL, detail = NULL, changes = NULL, error = NULL, finished_at = NULL,
       generation = i.generation + $5, attempts_before = CASE WHEN $6 THEN i.attempts ELSE i.attempts_before END,
       history = (CASE WHEN jsonb_array_length(i.history) >= ${longestHistory} THEN i.history - 0 ELSE coalesce(i.history, '[]') END)
         || (jsonb_build_object('at', to_char(i.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
           || CASE WHEN i.status = -2 THEN jsonb_build_object('error', i.error) ELSE jsonb_build_object('outcome', i.outcome) END
           || CASE WHEN i.detail IS NULL THEN '{}' ELSE jsonb_build_object('detail', i.detail) END
           || CASE WHEN i.changes IS NULL THEN '{}' ELSE jsonb_build_object('changes', i.changes) END)
     FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[]) AS u (message_id, ordinal, old_chunk_id, chunk_id)
     WHERE i.message_id = u.message_id AND i.ordinal = u.ordinal AND i.chunk_id = u.old_chunk_id AND i.status IN (2, -2)`,
    [
      moving.map((instance) => instance.messageId),
      moving.map((instance) => instance.ordinal),
      moving.map((instance) => instance.chunkId),
      moving.map((instance) => chunkOf.get(`${instance.messageId}.${instance.ordinal}`) ?? ''),
      replay === true ? 1 : 0,
      byClick === true,
    ],
  )
  if (moved.rowCount !== moving.length) {
    throw new Error(
      `${moving.length} instances were to be processed again, but ${moving.length - moved.rowCount} of them moved under the lock`,
    )
  }
}

const counters = [...outcomes, 'failed'] as const

/** The chunks that the instances belonged to no longer count them. */
async function takeFromOldChunks(tx: Transaction, moving: readonly MovingInstance[]): Promise<void> {
  const taken = new Map<string, Record<(typeof counters)[number], number>>()
  for (const { chunkId, countedAs } of moving) {
    const counts = taken.get(chunkId) ?? { created: 0, updated: 0, unchanged: 0, deleted: 0, superseded: 0, ignored: 0, failed: 0 }
    counts[countedAs]++
    taken.set(chunkId, counts)
  }
  const entries = [...taken]
  await tx.query(
    `UPDATE sluice.chunk c SET total = c.total - (${counters.map((name) => `u.${name}`).join(' + ')}),
       ${counters.map((name) => `${name} = c.${name} - u.${name}`).join(', ')}
     FROM unnest($1::bigint[], ${counters.map((_, index) => `$${index + 2}::integer[]`).join(', ')}) AS u (id, ${counters.join(', ')})
     WHERE c.id = u.id`,
    [entries.map(([id]) => id), ...counters.map((name) => entries.map(([, counts]) => counts[name]))],
  )
}

async function forgetFailures(tx: Transaction, moving: readonly MovingInstance[]): Promise<void> {
  const failed = moving.filter((instance) => instance.countedAs === 'failed')
  if (failed.length === 0) return
  const parameters = [failed.map((instance) => instance.messageId), failed.map((instance) => instance.ordinal)]
  await tx.query(
    `DELETE FROM sluice.failure f USING unnest($1::bigint[], $2::integer[]) AS k (message_id, ordinal)
     WHERE f.message_id = k.message_id AND f.ordinal = k.ordinal`,
    parameters,
  )
  // Who marks references as come holds no message: these rows need an order of their own.
  await tx.query(
    `DELETE FROM sluice.awaited_reference a USING (
       SELECT w.message_id, w.ordinal, w.wanted, w.wanted_id FROM sluice.awaited_reference w
       JOIN unnest($1::bigint[], $2::integer[]) AS k (message_id, ordinal) ON w.message_id = k.message_id AND w.ordinal = k.ordinal
       ORDER BY w.message_id, w.ordinal, w.wanted, w.wanted_id FOR UPDATE OF w) AS locked
     WHERE a.message_id = locked.message_id AND a.ordinal = locked.ordinal AND a.wanted = locked.wanted AND a.wanted_id = locked.wanted_id`,
    parameters,
  )
}
