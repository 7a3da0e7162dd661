/** Reads of messages, for API, command line and UI. */
import { type SelectQueryBuilder, sql } from 'kysely'
import { type Outcome, outcomes } from '../../model/outcome.ts'
import type { MessageStatus } from '../../model/status.ts'
import type { Db, Queryable } from '../db.ts'
import { likePattern } from '../like.ts'
import { builder, type Page, pageOf, run, type Scope } from './query.ts'
import type { Tables } from './tables.ts'

/** How many of a message's instances are where; `processed` is the sum of the outcomes. */
export type InstanceCounts = Record<'waiting' | 'processing' | 'processed' | 'failed' | Outcome, number>

/** A message, whole but for its bytes. */
export interface MessageView {
  id: string
  integration: string
  source: string
  status: MessageStatus
  /** JSON text: what is wrong with it. */
  statusDetails: string | null
  total: number | null
  counts: InstanceCounts
  isDraft: boolean
  idempotencyKey: string | null
  format: 'json' | 'ndjson'
  /** Of its bytes, in the store. */
  uploadId: string
  bodySize: number
  bodySha256: Uint8Array
  receivedAt: string
  validatedAt: string | null
  splitAt: string | null
  finishedAt: string | null
  /** When retention removed its bytes; of its instances the earlier attempts; the instances. */
  bodyPrunedAt: string | null
  historyPrunedAt: string | null
  instancesPrunedAt: string | null
}

export interface MessageFilter {
  integration?: string | undefined
  status?: number | undefined
  source?: string | undefined
  /** Received at this time or later (ISO 8601). */
  from?: string | undefined
  /** Received before this time. */
  to?: string | undefined
  /** Messages that have an object with this external ID, in one of `integrations`. */
  object?: { externalId: string; integrations: readonly string[] } | undefined
  /** Text in the data of an instance, as it was sent. Slow without a narrow `from` and `to`. */
  text?: string | undefined
}

/** By arrival. */
export type MessageOrder = 'newest' | 'oldest'

/** Where a page of messages ended. `receivedAt` is to the microsecond and set when the list is in the order of time. */
export interface MessagePosition {
  id: string
  receivedAt: string | null
}

/** Longest that a search for text may take, in milliseconds; then it fails with SQLSTATE 57014. */
export const longestSearch = 10_000

const exactTime = sql<string>`to_char(m.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/**
 * A page of messages: by id, and where `from` or `to` is given by time of arrival, so that an index serves either.
 *
 * @param page.order default: newest first
 * @throws DatabaseError 57014 when a search for `text` takes longer than ten seconds
 */
export async function listMessages(
  db: Db,
  scope: Scope,
  filter: MessageFilter,
  page: { limit: number; after: MessagePosition | null; order?: MessageOrder | undefined },
): Promise<Page<MessageView, MessagePosition>> {
  const isByTime = filter.from !== undefined || filter.to !== undefined
  let query = filtered(scopedMessages(scope).select(exactTime.as('exactTime')), filter).limit(page.limit + 1)
  const { after, order = 'newest' } = page
  const direction = order === 'newest' ? 'desc' : 'asc'
  const beyond = order === 'newest' ? '<' : '>'
  if (isByTime) {
    query = query.orderBy('m.received_at', direction).orderBy('m.id', direction)
    if (after !== null)
      query = query.where(sql<boolean>`(m.received_at, m.id) ${sql.raw(beyond)} (${after.receivedAt}::timestamptz, ${after.id}::bigint)`)
  } else {
    query = query.orderBy('m.id', direction)
    if (after !== null) query = query.where('m.id', beyond, after.id)
  }
  const rows =
    filter.text === undefined ? await run(db, query) : await db.transaction((tx) => run(tx, query), { statementTimeout: longestSearch })
  const { items, next } = pageOf(rows, page.limit, (last) => ({ id: last.id, receivedAt: isByTime ? last.exactTime : null }))
  return {
    items: await withCounts(
      db,
      items.map(({ exactTime: _, ...item }) => item),
    ),
    next,
  }
}

/** One message; null when there is none. Whether somebody may see it is the caller's to check. */
export async function findMessageView(db: Queryable, id: string): Promise<MessageView | null> {
  const rows = await run(db, selectMessages().where('m.id', '=', id))
  return (await withCounts(db, rows))[0] ?? null
}

/** Status only: for somebody who waits for a message to end. Null when there is none. */
export async function findMessageStatus(db: Queryable, id: string): Promise<MessageStatus | null> {
  const { rows } = await db.query<{ status: MessageStatus }>('SELECT status FROM sluice.message WHERE id = $1', [id])
  return rows[0]?.status ?? null
}

/** The integrations that messages belong to, each once. Unknown ids are passed over. */
export async function integrationsOfMessages(db: Queryable, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ integration: string }>('SELECT DISTINCT integration FROM sluice.message WHERE id = ANY($1::bigint[])', [
    ids,
  ])
  return rows.map((row) => row.integration)
}

function selectMessages() {
  return builder
    .selectFrom('message as m')
    .select([
      'm.id',
      'm.integration',
      'm.source',
      'm.status',
      'm.status_details as statusDetails',
      'm.total',
      'm.is_draft as isDraft',
      'm.idempotency_key as idempotencyKey',
      'm.format',
      'm.upload_id as uploadId',
      'm.body_size as bodySize',
      'm.body_sha256 as bodySha256',
      'm.received_at as receivedAt',
      'm.validated_at as validatedAt',
      'm.split_at as splitAt',
      'm.finished_at as finishedAt',
      'm.body_pruned_at as bodyPrunedAt',
      'm.history_pruned_at as historyPrunedAt',
      'm.instances_pruned_at as instancesPrunedAt',
    ])
}

function scopedMessages(scope: Scope) {
  let query = selectMessages()
  if (scope.integrations !== null) query = query.where(sql<boolean>`m.integration = ANY(${scope.integrations}::text[])`)
  if (scope.source !== null) query = query.where('m.source', '=', scope.source)
  return query
}

function filtered<Row>(query: SelectQueryBuilder<Tables & { m: Tables['message'] }, 'm', Row>, filter: MessageFilter) {
  const { integration, status, source, from, to, object, text } = filter
  return query
    .$if(integration !== undefined, (q) => q.where('m.integration', '=', integration ?? ''))
    .$if(status !== undefined, (q) => q.where(sql<boolean>`m.status = ${status}::smallint`))
    .$if(source !== undefined, (q) => q.where('m.source', '=', source ?? ''))
    .$if(from !== undefined, (q) => q.where(sql<boolean>`m.received_at >= ${from}::timestamptz`))
    .$if(to !== undefined, (q) => q.where(sql<boolean>`m.received_at < ${to}::timestamptz`))
    .$if(object !== undefined, (q) =>
      q.where(
        sql<boolean>`m.id IN (SELECT o.message_id FROM sluice.instance o
          WHERE hashtext(o.external_id) = hashtext(${object?.externalId}::text) AND o.external_id = ${object?.externalId}
            AND o.integration = ANY(${object?.integrations}::text[]))`,
      ),
    )
    .$if(text !== undefined, (q) =>
      q.where(
        sql<boolean>`EXISTS (SELECT FROM sluice.instance t WHERE t.message_id = m.id AND t.data::text ILIKE ${likePattern(text ?? '')})`,
      ),
    )
}

const done = outcomes.map((outcome) => `c.${outcome}`).join(' + ')
const sum = (expression: string): string => `coalesce(sum(${expression}), 0)::integer`
const countsById = `SELECT c.message_id AS id,
  ${sum(`CASE WHEN c.state <> 'claimed' THEN c.total - c.failed - (${done}) ELSE 0 END`)} AS waiting,
  ${sum(`CASE WHEN c.state = 'claimed' THEN c.total - c.failed - (${done}) ELSE 0 END`)} AS processing,
  ${sum(done)} AS processed, ${sum('c.failed')} AS failed, ${outcomes.map((outcome) => `${sum(`c.${outcome}`)} AS ${outcome}`).join(', ')}
  FROM sluice.chunk c WHERE c.message_id = ANY($1::bigint[]) GROUP BY c.message_id`

/** Counts are sums over chunk rows, about one per thousand instances; no instance is read for them. */
async function withCounts<Row extends { id: string; bodySize: string }>(
  db: Queryable,
  messages: readonly Row[],
): Promise<(Omit<Row, 'bodySize'> & { bodySize: number; counts: InstanceCounts })[]> {
  if (messages.length === 0) return []
  const { rows } = await db.query<InstanceCounts & { id: string }>(countsById, [messages.map((message) => message.id)])
  const byId = new Map(rows.map(({ id, ...counts }) => [id, counts]))
  return messages.map((message) => ({ ...message, bodySize: Number(message.bodySize), counts: byId.get(message.id) ?? noInstances() }))
}

function noInstances(): InstanceCounts {
  return { waiting: 0, processing: 0, processed: 0, failed: 0, created: 0, updated: 0, unchanged: 0, deleted: 0, superseded: 0, ignored: 0 }
}
