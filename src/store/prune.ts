/**
 * Retention: removes what its time has come for, in transactions of bounded size. Ages count from the end of a message, by
 * the database's clock. Rows of the ledger and links stay, whatever message they came from.
 */
import { editorDraft, type LogRule, type MessagePart, type PartRule } from '../model/retention.ts'
import type { Db, Parameter, Queryable, Transaction } from './db.ts'
import { withRetry } from './retry.ts'

/** Most instances that one transaction removes. */
export const mostInstancesAtOnce = 10_000
/** Most bytes of bodies that one transaction removes, but for a single larger body. */
const mostBytesAtOnce = 64 * 1024 * 1024
const mostMessagesAtOnce = 1000

/** What a batch removed. */
export interface Pruned {
  /** Messages that the part went of. */
  messages: number
  instances: number
  /** Of bodies. */
  bytes: number
  /** Where the next batch goes on; null: there is nothing more. */
  reached: string | null
}

/** Of a message `m`: it ended with the status, long enough ago, and nothing of it comes again by itself or waits for an editor. */
const isDue = `m.status = $1::smallint AND m.finished_at < now() - make_interval(secs => $2)
  AND NOT EXISTS (SELECT FROM sluice.failure f WHERE f.message_id = m.id AND (f.due_at IS NOT NULL OR f.code = '${editorDraft}'))`

/** What a message still has of each part. */
const isThere: Record<MessagePart, string> = {
  body: 'm.body_pruned_at IS NULL',
  history: 'm.history_pruned_at IS NULL AND m.instances_pruned_at IS NULL',
  instances: 'm.instances_pruned_at IS NULL',
  message: 'true',
}

/** The parameters of {@link isDue}. */
function dueParameters({ status, days }: PartRule): Parameter[] {
  return [status, days * 86_400]
}

/**
 * Removes a part of the next messages that it is due of. A message that somebody has in hand, or whose instances are
 * processed again, is passed over.
 *
 * @param after `reached` of the batch before; `'0'` for the first
 */
export async function prunePart(db: Db, rule: PartRule, after: string): Promise<Pruned> {
  const { rows } = await db.query<{ id: string; total: number; size: string }>(
    `SELECT m.id, coalesce(m.total, 0) AS total, m.body_size AS size FROM sluice.message m
     WHERE ${isDue} AND ${isThere[rule.what]} AND m.id > $3 AND m.id <= ${lastOld} ORDER BY m.id LIMIT $4`,
    [...dueParameters(rule), after, mostMessagesAtOnce],
  )
  const batch = firstOf(rows, rule.what)
  const last = batch.at(-1)
  if (last === undefined) return { messages: 0, instances: 0, bytes: 0, reached: null }
  const ids = batch.map((message) => message.id)
  const isLarge = last.total > mostInstancesAtOnce && rule.what !== 'body'
  const done = isLarge ? await pruneLarge(db, rule, last) : await withRetry(() => db.transaction((tx) => pruneInside(tx, rule, ids)))
  return { ...done, reached: batch.length === rows.length && rows.length < mostMessagesAtOnce ? null : last.id }
}

/** Arrival comes before the end, and ids are in the order of arrival: beyond this one nothing can be old enough. */
const lastOld = `coalesce((SELECT o.id FROM sluice.message o WHERE o.received_at < now() - make_interval(secs => $2)
  ORDER BY o.received_at DESC, o.id DESC LIMIT 1), 0)`

/** As many of the messages as one transaction may take; one that is too large for that comes alone. */
function firstOf(messages: readonly { id: string; total: number; size: string }[], what: MessagePart): { id: string; total: number }[] {
  let instances = 0
  let bytes = 0
  const end = messages.findIndex(({ total, size }, index) => {
    if (what !== 'body') instances += total
    if (what === 'body' || what === 'message') bytes += Number(size)
    return index > 0 && (instances > mostInstancesAtOnce || bytes > mostBytesAtOnce)
  })
  return messages.slice(0, end === -1 ? undefined : end)
}

type Done = Omit<Pruned, 'reached'>

/** Locks those messages that are still due; nobody puts their instances back until the end. */
async function lockDue(tx: Transaction, rule: PartRule, ids: readonly string[]): Promise<{ id: string; uploadId: string; size: string }[]> {
  const { rows } = await tx.query<{ id: string; uploadId: string; size: string }>(
    `SELECT m.id, m.upload_id AS "uploadId", CASE WHEN m.body_pruned_at IS NULL THEN m.body_size ELSE 0 END AS size FROM sluice.message m
     WHERE m.id = ANY($3) AND ${isDue} AND ${isThere[rule.what]} ORDER BY m.id FOR UPDATE SKIP LOCKED`,
    [...dueParameters(rule), ids],
  )
  return rows
}

async function pruneInside(tx: Transaction, rule: PartRule, among: readonly string[]): Promise<Done> {
  const locked = await lockDue(tx, rule, among)
  const ids = locked.map((message) => message.id)
  const done: Done = { messages: ids.length, instances: 0, bytes: 0 }
  if (ids.length === 0) return done
  if (rule.what === 'body' || rule.what === 'message') {
    done.bytes = locked.reduce((sum, { size }) => sum + Number(size), 0)
    await tx.query('DELETE FROM sluice.message_body WHERE upload_id = ANY($1::uuid[])', [locked.map((message) => message.uploadId)])
  }
  if (rule.what === 'instances' || rule.what === 'message') {
    await deleteAwaited(tx, 'message_id = ANY($1)', [ids])
    await tx.query('DELETE FROM sluice.failure WHERE message_id = ANY($1)', [ids])
    done.instances = (await tx.query('DELETE FROM sluice.instance WHERE message_id = ANY($1)', [ids])).rowCount
  }
  if (rule.what === 'history') done.instances = await forgetHistory(tx, 'message_id = ANY($1)', [ids])
  if (rule.what === 'message') {
    await tx.query('DELETE FROM sluice.chunk WHERE message_id = ANY($1)', [ids])
    await tx.query('DELETE FROM sluice.message WHERE id = ANY($1)', [ids])
  } else await mark(tx, rule.what, ids)
  return done
}

/** Locked first, in the order in which others lock them when what they wait for comes. */
async function deleteAwaited(tx: Transaction, which: string, parameters: readonly Parameter[]): Promise<void> {
  await tx.query(
    `SELECT FROM sluice.awaited_reference WHERE ${which} ORDER BY message_id, ordinal, wanted, wanted_id FOR UPDATE`,
    parameters,
  )
  await tx.query(`DELETE FROM sluice.awaited_reference WHERE ${which}`, parameters)
}

async function mark(tx: Queryable, what: Exclude<MessagePart, 'message'>, ids: readonly string[]): Promise<void> {
  await tx.query(`UPDATE sluice.message SET ${what}_pruned_at = clock_timestamp() WHERE id = ANY($1)`, [ids])
}

/** Values before and after, and earlier attempts. Gives how many instances had any. */
async function forgetHistory(tx: Transaction, which: string, parameters: readonly Parameter[]): Promise<number> {
  const { rowCount } = await tx.query(
    `UPDATE sluice.instance SET changes = NULL, history = NULL WHERE ${which} AND (changes IS NOT NULL OR history IS NOT NULL)`,
    parameters,
  )
  return rowCount
}

/** A message with more instances than one transaction should touch. */
async function pruneLarge(db: Db, rule: PartRule, { id, total }: { id: string; total: number }): Promise<Done> {
  let instances = 0
  if (rule.what === 'history') {
    for (const range of rangesOf(id, total)) {
      const forgotten = await withRetry(() => db.transaction((tx) => forgetRange(tx, rule, range)))
      // Its instances are processed again: what they write now is not old.
      if (forgotten === null) return { messages: 0, instances, bytes: 0 }
      instances += forgotten
    }
  } else {
    if (!(await withRetry(() => db.transaction((tx) => beginPruning(tx, rule, id))))) return { messages: 0, instances: 0, bytes: 0 }
    instances = await finishPruning(db, { id, total })
    if (rule.what === 'instances') return { messages: 1, instances, bytes: 0 }
  }
  const last = await withRetry(() => db.transaction((tx) => pruneInside(tx, rule, [id])))
  return { ...last, instances: instances + last.instances }
}

/** From here on the instances count as gone: a crash in between leaves rows that nobody shows. */
async function beginPruning(tx: Transaction, rule: PartRule, id: string): Promise<boolean> {
  if ((await lockDue(tx, rule, [id])).length === 0) return false
  await tx.query(
    `UPDATE sluice.message SET is_pruning = instances_pruned_at IS NULL, instances_pruned_at = coalesce(instances_pruned_at, clock_timestamp())
     WHERE id = $1`,
    [id],
  )
  return true
}

/** Large messages whose instances a run began to remove and didn't come to the end of. */
export async function findPruning(db: Queryable): Promise<{ id: string; total: number }[]> {
  const { rows } = await db.query<{ id: string; total: number }>('SELECT id, total FROM sluice.message WHERE is_pruning ORDER BY id')
  return rows
}

/** Removes what is left of the instances of a message that {@link findPruning} told of. Gives how many there were. */
export async function finishPruning(db: Db, { id, total }: { id: string; total: number }): Promise<number> {
  let removed = 0
  for (const range of rangesOf(id, total)) {
    removed += await withRetry(() =>
      db.transaction(async (tx) => {
        await deleteAwaited(tx, inRange, range)
        await tx.query(`DELETE FROM sluice.failure WHERE ${inRange}`, range)
        return (await tx.query(`DELETE FROM sluice.instance WHERE ${inRange}`, range)).rowCount
      }),
    )
  }
  await db.query('UPDATE sluice.message SET is_pruning = false WHERE id = $1', [id])
  return removed
}

const inRange = 'message_id = $1 AND ordinal >= $2 AND ordinal < $3'

function* rangesOf(id: string, total: number): Generator<[id: string, from: number, to: number]> {
  for (let from = 0; from < total; from += mostInstancesAtOnce) yield [id, from, from + mostInstancesAtOnce]
}

async function forgetRange(
  tx: Transaction,
  rule: PartRule,
  range: readonly [id: string, from: number, to: number],
): Promise<number | null> {
  if ((await lockDue(tx, rule, [range[0]])).length === 0) return null
  return forgetHistory(tx, inRange, range)
}

const logs = {
  runs: { table: 'sluice.task_run', at: 'created_at', ended: 'finished_at' },
  audit: { table: 'sluice.audit_log', at: 'at', ended: 'at' },
} as const

/**
 * Removes the next runs that ended, or entries of the audit log that were written, so many days ago. Read in the order of
 * their ids, which is that of time, up to the first page that is young. The setting, for this transaction only, is what the
 * audit log's trigger asks for.
 *
 * @param after `reached` of the batch before; `'0'` for the first
 */
export async function pruneLog(db: Queryable, { what, days }: LogRule, after: string): Promise<{ rows: number; reached: string | null }> {
  const { table, at, ended } = logs[what]
  const { rows } = await db.query<{ removed: number; last: string | null; old: boolean | null }>(
    `WITH page AS MATERIALIZED (SELECT id, ${at} AS at, ${ended} AS ended FROM ${table}
         WHERE id > $2 AND set_config('sluice.pruning', 'on', true) = 'on' ORDER BY id LIMIT ${mostInstancesAtOnce}),
       removed AS (DELETE FROM ${table} t USING page WHERE t.id = page.id AND page.ended < now() - make_interval(secs => $1) RETURNING t.id)
     SELECT (SELECT count(*) FROM removed)::integer AS removed, max(page.id) AS last,
       (max(page.at) < now() - make_interval(secs => $1)) AND count(*) = ${mostInstancesAtOnce} AS old FROM page`,
    [days * 86_400, after],
  )
  const page = rows[0]
  return { rows: page?.removed ?? 0, reached: page?.old === true ? page.last : null }
}

/** What a rule would remove now. */
export interface Prunable {
  /** Messages, runs or entries. */
  count: number
  instances: number
  /** Of bodies. */
  bytes: number
}

/** Counts what {@link prunePart} would remove. */
export async function countPart(db: Queryable, rule: PartRule): Promise<Prunable> {
  const { rows } = await db.query<{ count: number; instances: number; bytes: number }>(
    `SELECT count(*)::integer AS count,
       coalesce(sum(m.total) FILTER (WHERE m.instances_pruned_at IS NULL), 0)::float8 AS instances,
       coalesce(sum(m.body_size) FILTER (WHERE m.body_pruned_at IS NULL), 0)::float8 AS bytes
     FROM sluice.message m WHERE ${isDue} AND ${isThere[rule.what]} AND m.id <= ${lastOld}`,
    dueParameters(rule),
  )
  const { count = 0, instances = 0, bytes = 0 } = rows[0] ?? {}
  return { count, instances: rule.what === 'body' ? 0 : instances, bytes: rule.what === 'body' || rule.what === 'message' ? bytes : 0 }
}

/** Counts what {@link pruneLog} would remove. */
export async function countLog(db: Queryable, { what, days }: LogRule): Promise<Prunable> {
  const { table, ended } = logs[what]
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM ${table} WHERE ${ended} < now() - make_interval(secs => $1)`,
    [days * 86_400],
  )
  return { count: rows[0]?.count ?? 0, instances: 0, bytes: 0 }
}
