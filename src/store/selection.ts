/**
 * What a run's filter chooses: messages to split or to roll up, instances to process again. Every list is paged by key,
 * and no statement reads more than a page.
 */
import { parseInstanceIds, type RunParameters } from '../model/task.ts'
import type { Parameter, Queryable } from './db.ts'
import { likePattern } from './like.ts'
import type { InstanceKey } from './requeue.ts'

/** A page of instances. */
export interface InstancePage {
  keys: InstanceKey[]
  /** Where the next page begins after; null: there is none. */
  reached: InstanceKey | null
}

/** Collects the parameters of a statement; each call gives the text that stands for one. */
class Values {
  readonly list: Parameter[] = []
  add(value: Parameter): string {
    this.list.push(value)
    return `$${this.list.length}`
  }
}

/**
 * Conditions on a message `m`, as far as a filter says anything of messages.
 *
 * @param inHand the message that the last page ended in: what was put back of it has changed its status
 */
function onMessage(filter: RunParameters, values: Values, inHand?: string): string[] {
  const conditions: string[] = []
  if (filter.messages !== undefined) conditions.push(`m.id = ANY(${values.add(filter.messages)}::bigint[])`)
  if (filter.integration !== undefined) conditions.push(`m.integration = ${values.add(filter.integration)}`)
  if (filter.sinceDays !== undefined)
    conditions.push(`m.received_at >= now() - make_interval(secs => ${values.add(filter.sinceDays * 86_400)})`)
  if (filter.draft !== undefined) conditions.push(`m.is_draft = ${values.add(filter.draft)}`)
  if (filter.status !== undefined) {
    const isAt = `m.status = ${values.add(filter.status)}::smallint`
    conditions.push(inHand === undefined ? isAt : `(${isAt} OR m.id = ${values.add(inHand)}::bigint)`)
  }
  if (filter.source !== undefined) conditions.push(`m.source = ${values.add(filter.source)}`)
  if (filter.from !== undefined) conditions.push(`m.received_at >= ${values.add(filter.from)}::timestamptz`)
  if (filter.to !== undefined) conditions.push(`m.received_at < ${values.add(filter.to)}::timestamptz`)
  return conditions
}

/** Conditions on an instance `i`, as far as a filter says anything of objects. */
function onObject(filter: RunParameters, values: Values): string[] {
  const conditions: string[] = []
  if (filter.externalId !== undefined) {
    const externalId = values.add(filter.externalId)
    // The index of objects has hashes.
    conditions.push(
      `hashtext(i.external_id) = hashtext(${externalId}::text) AND i.external_id = ${externalId} AND i.integration = ${values.add(filter.integration ?? '')}`,
    )
  }
  if (filter.text !== undefined) conditions.push(`i.data::text ILIKE ${values.add(likePattern(filter.text))}`)
  return conditions
}

/** The same for a message `m`: it has such an instance. */
function onMessageOfObject(filter: RunParameters, values: Values): string[] {
  const conditions = onObject(filter, values)
  if (conditions.length === 0) return []
  return [`EXISTS (SELECT FROM sluice.instance i WHERE i.message_id = m.id AND ${conditions.join(' AND ')})`]
}

/** The same, where chosen instances and objects stand for their messages. */
function onMessageOrInstances(filter: RunParameters, values: Values): string[] {
  const conditions = [...onMessage(filter, values), ...onMessageOfObject(filter, values)]
  if (filter.instances !== undefined) {
    const ids = parseInstanceIds(filter.instances).map((key) => key.messageId)
    conditions.push(`m.id = ANY(${values.add([...new Set(ids)])}::bigint[])`)
  }
  return conditions
}

/** Text of two arrays, `unnest` of which are the chosen instances. */
function instanceArrays(filter: RunParameters, values: Values): string {
  const keys = parseInstanceIds(filter.instances ?? [])
  return `unnest(${values.add(keys.map((key) => key.messageId))}::bigint[], ${values.add(keys.map((key) => key.ordinal))}::integer[])`
}

/**
 * Messages that may be split: at 1, left at 0 for longer than `graceSeconds` (to be validated first), and, when
 * `retryFailed`, at -2. An error code is that of the failed split.
 */
export async function messagesToSplit(
  db: Queryable,
  filter: RunParameters,
  options: { integrations: readonly string[]; graceSeconds: number; retryFailed: boolean; after: string; limit: number },
): Promise<{ id: string; status: 0 | 1 | -2 }[]> {
  const values = new Values()
  const conditions = onMessageOrInstances(filter, values)
  if (filter.errorCode !== undefined) conditions.push(`m.status_details ->> 'code' = ${values.add(filter.errorCode)}`)
  conditions.push(
    `m.integration = ANY(${values.add(options.integrations)})`,
    `m.id > ${values.add(options.after)}`,
    `m.status IN (${options.retryFailed ? '0, 1, -2' : '0, 1'})`,
    `(m.status <> 0 OR m.received_at < now() - make_interval(secs => ${values.add(options.graceSeconds)}))`,
  )
  const { rows } = await db.query<{ id: string; status: 0 | 1 | -2 }>(
    `SELECT m.id, m.status FROM sluice.message m WHERE ${conditions.join(' AND ')} ORDER BY m.id LIMIT ${values.add(options.limit)}`,
    values.list,
  )
  return rows
}

/** Messages at 2 whose chunks are all finished: nobody rolled them up. An error code is that of any of their failures. */
export function messagesToRollUp(db: Queryable, filter: RunParameters, page: { after: string; limit: number }): Promise<string[]> {
  return pageOfMessages(db, filter, page, [
    'm.status = 2',
    `NOT EXISTS (SELECT FROM sluice.chunk c WHERE c.message_id = m.id AND c.state <> 'finished')`,
  ])
}

/** Messages that are rolled up, at 3 or -3, and whose instances are still there. */
export function rolledUpMessages(db: Queryable, filter: RunParameters, page: { after: string; limit: number }): Promise<string[]> {
  return pageOfMessages(db, filter, page, ['m.status IN (3, -3) AND m.instances_pruned_at IS NULL'])
}

async function pageOfMessages(
  db: Queryable,
  filter: RunParameters,
  page: { after: string; limit: number },
  more: readonly string[],
): Promise<string[]> {
  const values = new Values()
  const conditions = [...onMessageOrInstances(filter, values), ...more, `m.id > ${values.add(page.after)}`]
  if (filter.errorCode !== undefined) {
    conditions.push(`EXISTS (SELECT FROM sluice.failure f WHERE f.message_id = m.id AND f.code = ${values.add(filter.errorCode)})`)
  }
  const { rows } = await db.query<{ id: string }>(
    `SELECT m.id FROM sluice.message m WHERE ${conditions.join(' AND ')} ORDER BY m.id LIMIT ${values.add(page.limit)}`,
    values.list,
  )
  return rows.map((row) => row.id)
}

/** True when the counts of a message's chunks and its status agree with its instances. Reads all of them. */
export async function countsAgree(db: Queryable, messageId: string): Promise<boolean> {
  const { rows } = await db.query<{ agree: boolean }>(
    `SELECT i.total = coalesce(m.total, 0) AND i.total = c.total AND i.failed = c.failed AND i.waiting = 0
       AND m.status = CASE WHEN i.failed > 0 THEN -3 ELSE 3 END AS agree
     FROM sluice.message m
     CROSS JOIN (SELECT count(*) AS total, count(*) FILTER (WHERE status = -2) AS failed, count(*) FILTER (WHERE status = 0) AS waiting
       FROM sluice.instance WHERE message_id = $1) AS i
     CROSS JOIN (SELECT coalesce(sum(total), 0) AS total, coalesce(sum(failed), 0) AS failed FROM sluice.chunk WHERE message_id = $1) AS c
     WHERE m.id = $1`,
    [messageId],
  )
  return rows[0]?.agree ?? false
}

/** Before the first instance there can be. */
export const beforeAll: InstanceKey = { messageId: '0', ordinal: -1 }

/**
 * A page of the instances that a run of `reprocess` puts back, by message and ordinal. Failed ones come from
 * `sluice.failure`; a replay reads the instances themselves.
 *
 * @param options.until only messages that had arrived by then (ISO 8601, or `infinity`): a replay must not run after what keeps coming
 * @param options.onlyDue only transient failures whose time has come
 */
export async function selectForRun(
  db: Queryable,
  filter: RunParameters,
  options: { after: InstanceKey; limit: number; until: string; onlyDue?: boolean },
): Promise<InstancePage> {
  // Only a failure has an error code, so a replay by code is a retry of failures.
  if (filter.replay !== true || filter.errorCode !== undefined || filter.fingerprint !== undefined)
    return selectFailures(db, filter, options)
  if (filter.instances !== undefined) return selectChosen(db, filter, options)
  return selectOfMessages(db, filter, options)
}

type PageOptions = Parameters<typeof selectForRun>[2]

async function selectFailures(db: Queryable, filter: RunParameters, options: PageOptions): Promise<InstancePage> {
  const values = new Values()
  const conditions = [
    ...onMessage(filter, values, options.after.messageId),
    `m.received_at <= ${values.add(options.until)}`,
    `(f.message_id, f.ordinal) > (${values.add(options.after.messageId)}, ${values.add(options.after.ordinal)})`,
  ]
  // The same as of the message; said of the failure too, so that its index can serve.
  if (filter.integration !== undefined) conditions.push(`f.integration = ${values.add(filter.integration)}`)
  if (filter.messages !== undefined) conditions.push(`f.message_id = ANY(${values.add(filter.messages)}::bigint[])`)
  if (filter.errorCode !== undefined) conditions.push(`f.code = ${values.add(filter.errorCode)}`)
  if (filter.fingerprint !== undefined) conditions.push(`f.fingerprint = ${values.add(filter.fingerprint)}`)
  const objects = onObject(filter, values)
  if (objects.length > 0) {
    conditions.push(
      `EXISTS (SELECT FROM sluice.instance i WHERE i.message_id = f.message_id AND i.ordinal = f.ordinal AND ${objects.join(' AND ')})`,
    )
  }
  if (filter.instances !== undefined) conditions.push(`(f.message_id, f.ordinal) IN (SELECT * FROM ${instanceArrays(filter, values)})`)
  if (options.onlyDue === true) conditions.push('f.due_at IS NOT NULL AND f.due_at <= now()')
  const { rows } = await db.query<InstanceKey>(
    `SELECT f.message_id AS "messageId", f.ordinal FROM sluice.failure f JOIN sluice.message m ON m.id = f.message_id
     WHERE ${conditions.join(' AND ')} ORDER BY f.message_id, f.ordinal LIMIT ${values.add(options.limit)}`,
    values.list,
  )
  return pageOf(rows, options.limit)
}

async function selectChosen(db: Queryable, filter: RunParameters, options: PageOptions): Promise<InstancePage> {
  const values = new Values()
  const conditions = [
    ...onMessage(filter, values, options.after.messageId),
    `m.received_at <= ${values.add(options.until)}`,
    `(i.message_id, i.ordinal) > (${values.add(options.after.messageId)}, ${values.add(options.after.ordinal)})`,
  ]
  const { rows } = await db.query<InstanceKey>(
    `SELECT i.message_id AS "messageId", i.ordinal FROM ${instanceArrays(filter, values)} AS k (message_id, ordinal)
     JOIN sluice.instance i ON i.message_id = k.message_id AND i.ordinal = k.ordinal
     JOIN sluice.message m ON m.id = i.message_id
     WHERE i.status IN (2, -2) AND ${[...conditions, ...onObject(filter, values)].join(' AND ')}
     ORDER BY i.message_id, i.ordinal LIMIT ${values.add(options.limit)}`,
    values.list,
  )
  return pageOf(rows, options.limit)
}

/** As many whole messages as fit in a page; of one that doesn't fit, a range of ordinals. */
async function selectOfMessages(db: Queryable, filter: RunParameters, options: PageOptions): Promise<InstancePage> {
  const { after, limit } = options
  // One more than fit: the message that the last page ended in is listed again.
  const mostListed = limit + 1
  const values = new Values()
  const conditions = [
    ...onMessage(filter, values, after.messageId),
    ...onMessageOfObject(filter, values),
    `m.received_at <= ${values.add(options.until)}`,
    `m.id >= ${values.add(after.messageId)}`,
    'm.status IN (2, 3, -3)',
  ]
  const listed = await db.query<{ id: string; total: number }>(
    `SELECT m.id, m.total FROM sluice.message m WHERE ${conditions.join(' AND ')} ORDER BY m.id LIMIT ${values.add(mostListed)}`,
    values.list,
  )
  const ranges: { messageId: string; from: number; to: number }[] = []
  let sum = 0
  for (const { id, total } of listed.rows) {
    const from = id === after.messageId ? after.ordinal + 1 : 0
    const left = total - from
    if (left <= 0) continue
    if (sum > 0 && sum + left > limit) break
    ranges.push({ messageId: id, from, to: from + Math.min(left, limit) - 1 })
    sum += left
    if (sum >= limit) break
  }
  const last = ranges.at(-1)
  if (last === undefined) {
    const seen = listed.rows.at(-1)
    // A page of nothing but empty messages is not the end.
    return {
      keys: [],
      reached: seen !== undefined && listed.rows.length === mostListed ? { messageId: seen.id, ordinal: seen.total } : null,
    }
  }
  const found = new Values()
  const bounds = [
    `${found.add(ranges.map((range) => range.messageId))}::bigint[]`,
    `${found.add(ranges.map((range) => range.from))}::integer[]`,
    `${found.add(ranges.map((range) => range.to))}::integer[]`,
  ]
  const { rows } = await db.query<InstanceKey>(
    `SELECT i.message_id AS "messageId", i.ordinal FROM unnest(${bounds.join(', ')}) AS r (message_id, from_ordinal, to_ordinal)
     JOIN sluice.instance i ON i.message_id = r.message_id AND i.ordinal BETWEEN r.from_ordinal AND r.to_ordinal
     WHERE ${['i.status IN (2, -2)', ...onObject(filter, found)].join(' AND ')} ORDER BY i.message_id, i.ordinal`,
    found.list,
  )
  return { keys: rows, reached: { messageId: last.messageId, ordinal: last.to } }
}

function pageOf(keys: InstanceKey[], limit: number): InstancePage {
  return { keys, reached: keys.length < limit ? null : (keys.at(-1) ?? null) }
}

/** Conditions on a chunk `c` of a message `m` that waits for a later attempt. An error code is that of what sent it back. */
function onWaitingChunk(filter: RunParameters, values: Values): string {
  const conditions = ["c.state = 'ready' AND c.due_at > now()", ...onMessage(filter, values), ...onMessageOfObject(filter, values)]
  if (filter.errorCode !== undefined) conditions.push(`c.last_error ->> 'code' = ${values.add(filter.errorCode)}`)
  if (filter.instances !== undefined) {
    conditions.push(`c.id IN (SELECT i.chunk_id FROM ${instanceArrays(filter, values)} AS k (message_id, ordinal)
      JOIN sluice.instance i ON i.message_id = k.message_id AND i.ordinal = k.ordinal)`)
  }
  return conditions.join(' AND ')
}

/** How many chunks {@link makeChunksDue} would find, at most `limit`. */
export async function chunksToMakeDue(db: Queryable, filter: RunParameters, limit: number): Promise<number> {
  const values = new Values()
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM (SELECT FROM sluice.chunk c JOIN sluice.message m ON m.id = c.message_id
     WHERE ${onWaitingChunk(filter, values)} LIMIT ${values.add(limit)}) AS waiting`,
    values.list,
  )
  return rows[0]?.count ?? 0
}

/**
 * Makes chunks that wait for a later attempt due now.
 *
 * @returns how many there were in this page of at most `limit`
 */
export async function makeChunksDue(db: Queryable, filter: RunParameters, limit: number): Promise<number> {
  const values = new Values()
  const { rowCount } = await db.query(
    `WITH waiting AS MATERIALIZED (
       SELECT c.id FROM sluice.chunk c JOIN sluice.message m ON m.id = c.message_id
       WHERE ${onWaitingChunk(filter, values)}
       ORDER BY c.id LIMIT ${values.add(limit)} FOR UPDATE OF c SKIP LOCKED)
     UPDATE sluice.chunk c SET due_at = now() FROM waiting WHERE c.id = waiting.id`,
    values.list,
  )
  if (rowCount > 0) await db.query("SELECT pg_notify('sluice', 'process')")
  return rowCount
}
