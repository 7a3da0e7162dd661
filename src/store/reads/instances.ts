/** Reads of instances. A list never scans for a status: failures are read from `failure`, others by the counts of their chunks. */
import { sql } from 'kysely'
import { type Outcome, outcomes } from '../../model/outcome.ts'
import type { InstanceStatus } from '../../model/status.ts'
import type { Queryable } from '../db.ts'
import { builder, type Page, pageOf, run, type Scope } from './query.ts'

/** An instance as lists have it. */
export interface InstanceItemView {
  messageId: string
  ordinal: number
  integration: string
  externalId: string | null
  status: InstanceStatus
  outcome: Outcome | null
  detail: string | null
  /** JSON text. */
  changes: string | null
  /** JSON text. */
  error: string | null
  attempts: number
  generation: number
  finishedAt: string | null
}

/** An instance with all that is known of it. */
export interface InstanceView extends InstanceItemView {
  /** The object's own text, as sent. */
  data: string
  /** JSON text of an array, oldest first. */
  history: string | null
  /** Who sent its message. */
  source: string
  waitsFor: { wanted: string; externalId: string; field: string; cameAt: string | null }[]
}

/** Where a page over several messages ended. */
export interface InstancePosition {
  messageId: string
  ordinal: number
}

const columns = [
  'i.message_id as messageId',
  'i.ordinal',
  'i.integration',
  'i.external_id as externalId',
  'i.outcome',
  'i.detail',
  'i.changes',
  'i.error',
  'i.attempts',
  'i.generation',
  'i.finished_at as finishedAt',
] as const

/** As in the view `integration_instance`: a waiting instance of a claimed chunk is being processed. */
const shownStatus = sql<InstanceStatus>`(CASE WHEN i.status = 0 AND c.state = 'claimed' THEN 1 ELSE i.status END)::smallint`.as('status')

function selectInstances() {
  return builder
    .selectFrom('instance as i')
    .leftJoin('chunk as c', (join) => join.onRef('c.id', '=', 'i.chunk_id').on('i.status', '=', 0))
    .select(columns)
    .select(shownStatus)
}

function selectFailures() {
  return builder
    .selectFrom('failure as f')
    .innerJoin('instance as i', (join) => join.onRef('i.message_id', '=', 'f.message_id').onRef('i.ordinal', '=', 'f.ordinal'))
    .select(columns)
    .select(sql<InstanceStatus>`i.status`.as('status'))
}

export interface InstanceFilter {
  integration?: string | undefined
  /** Needs `integration`. */
  externalId?: string | undefined
  errorCode?: string | undefined
  /** Cause of the failure, as groups of errors have it. */
  fingerprint?: string | undefined
  /** Only those at -2. */
  failed?: boolean | undefined
}

/** A page of the instances of all messages, newest first. */
export async function listInstances(
  db: Queryable,
  scope: Scope,
  filter: InstanceFilter,
  page: { limit: number; after: InstancePosition | null },
): Promise<Page<InstanceItemView, InstancePosition>> {
  const isFailed = filter.failed === true || filter.errorCode !== undefined || filter.fingerprint !== undefined
  let rows: InstanceItemView[]
  if (filter.externalId !== undefined) rows = await run(db, instancesOfObject(scope, filter, filter.externalId, isFailed, page))
  else if (isFailed) rows = await run(db, failedInstances(scope, filter, page))
  else rows = await run(db, newestInstances(scope, filter, page))
  return pageOf(rows, page.limit, ({ messageId, ordinal }) => ({ messageId, ordinal }))
}

type PageRequest = { limit: number; after: InstancePosition | null }

/** Served by the index of objects, which has hashes. */
function instancesOfObject(scope: Scope, filter: InstanceFilter, externalId: string, isFailed: boolean, { limit, after }: PageRequest) {
  return selectInstances()
    .where('i.integration', '=', filter.integration ?? '')
    .where(sql<boolean>`hashtext(i.external_id) = hashtext(${externalId}::text)`)
    .where('i.external_id', '=', externalId)
    .where(inScope(scope, 'i'))
    .$if(isFailed, (q) => q.where('i.status', '=', -2))
    .$if(filter.errorCode !== undefined, (q) => q.where(sql<boolean>`i.error ->> 'code' = ${filter.errorCode}`))
    .$if(filter.fingerprint !== undefined, (q) =>
      q.where(
        sql<boolean>`EXISTS (SELECT FROM sluice.failure f WHERE f.message_id = i.message_id AND f.ordinal = i.ordinal AND f.fingerprint = ${filter.fingerprint})`,
      ),
    )
    .$if(after !== null, (q) => q.where(isBefore(after, 'i')))
    .orderBy('i.message_id', 'desc')
    .orderBy('i.ordinal', 'desc')
    .limit(limit + 1)
}

function failedInstances(scope: Scope, filter: InstanceFilter, { limit, after }: PageRequest) {
  return selectFailures()
    .where(inScope(scope, 'f'))
    .$if(filter.integration !== undefined, (q) => q.where('f.integration', '=', filter.integration ?? ''))
    .$if(filter.errorCode !== undefined, (q) => q.where('f.code', '=', filter.errorCode ?? ''))
    .$if(filter.fingerprint !== undefined, (q) => q.where('f.fingerprint', '=', filter.fingerprint ?? ''))
    .$if(after !== null, (q) => q.where(isBefore(after, 'f')))
    .orderBy('f.message_id', 'desc')
    .orderBy('f.ordinal', 'desc')
    .limit(limit + 1)
}

/** Goes by messages, which have indexes for integration and source; of each message no more than a page is read. */
function newestInstances(scope: Scope, filter: InstanceFilter, { limit, after }: PageRequest) {
  return builder
    .selectFrom('message as m')
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom('instance as o')
          .selectAll('o')
          .whereRef('o.message_id', '=', 'm.id')
          .$if(after !== null, (q) =>
            q.where(sql<boolean>`(o.message_id, o.ordinal) < (${after?.messageId}::bigint, ${after?.ordinal}::integer)`),
          )
          .orderBy('o.ordinal', 'desc')
          .limit(limit + 1)
          .as('i'),
      (join) => join.onTrue(),
    )
    .leftJoin('chunk as c', (join) => join.onRef('c.id', '=', 'i.chunk_id').on('i.status', '=', 0))
    .select(columns)
    .select(shownStatus)
    .$if(scope.integrations !== null, (q) => q.where(sql<boolean>`m.integration = ANY(${scope.integrations}::text[])`))
    .$if(scope.source !== null, (q) => q.where('m.source', '=', scope.source ?? ''))
    .$if(filter.integration !== undefined, (q) => q.where('m.integration', '=', filter.integration ?? ''))
    .$if(after !== null, (q) => q.where('m.id', '<=', after?.messageId ?? ''))
    .orderBy('m.id', 'desc')
    .orderBy('i.ordinal', 'desc')
    .limit(limit + 1)
}

function isBefore(after: InstancePosition | null, alias: 'i' | 'f') {
  return sql<boolean>`(${sql.ref(`${alias}.message_id`)}, ${sql.ref(`${alias}.ordinal`)}) < (${after?.messageId}::bigint, ${after?.ordinal}::integer)`
}

function inScope(scope: Scope, alias: 'i' | 'f') {
  const integrations =
    scope.integrations === null ? sql<boolean>`true` : sql<boolean>`${sql.ref(`${alias}.integration`)} = ANY(${scope.integrations}::text[])`
  const source =
    scope.source === null
      ? sql<boolean>`true`
      : sql<boolean>`EXISTS (SELECT FROM sluice.message s WHERE s.id = ${sql.ref(`${alias}.message_id`)} AND s.source = ${scope.source})`
  return sql<boolean>`(${integrations} AND ${source})`
}

/** One instance; null when there is none. Whether somebody may see it is the caller's to check. */
export async function findInstanceView(db: Queryable, messageId: string, ordinal: number): Promise<InstanceView | null> {
  const [instance] = await run(
    db,
    selectInstances()
      .innerJoin('message as m', 'm.id', 'i.message_id')
      .select(['i.data', 'i.history', 'm.source'])
      .where('i.message_id', '=', messageId)
      .where('i.ordinal', '=', ordinal),
  )
  if (instance === undefined) return null
  const waiting = await db.query<InstanceView['waitsFor'][number]>(
    `SELECT wanted, wanted_id AS "externalId", field, came_at AS "cameAt" FROM sluice.awaited_reference
     WHERE message_id = $1 AND ordinal = $2 ORDER BY wanted, wanted_id`,
    [messageId, ordinal],
  )
  return { ...instance, waitsFor: waiting.rows }
}

export interface MessageInstanceFilter {
  status?: number | undefined
  outcome?: Outcome | undefined
  errorCode?: string | undefined
}

/** A page of one message's instances, by ordinal. */
export async function listMessageInstances(
  db: Queryable,
  messageId: string,
  filter: MessageInstanceFilter,
  page: { limit: number; after: number | null },
): Promise<Page<InstanceItemView, number>> {
  const after = page.after ?? -1
  const rows = await rowsOfMessage(db, messageId, filter, after, page.limit + 1)
  return pageOf(rows, page.limit, (last) => last.ordinal)
}

async function rowsOfMessage(
  db: Queryable,
  messageId: string,
  filter: MessageInstanceFilter,
  after: number,
  limit: number,
): Promise<InstanceItemView[]> {
  const { status, outcome, errorCode } = filter
  if (status === -2 || errorCode !== undefined) {
    if (outcome !== undefined || (status !== undefined && status !== -2)) return []
    return run(
      db,
      selectFailures()
        .where('f.message_id', '=', messageId)
        .where('f.ordinal', '>', after)
        .$if(errorCode !== undefined, (q) => q.where('f.code', '=', errorCode ?? ''))
        .orderBy('f.ordinal')
        .limit(limit),
    )
  }
  if (status === undefined && outcome === undefined) return run(db, ordered(messageId, after, null, limit))
  return byChunks(db, messageId, { status, outcome }, after, limit)
}

function ordered(messageId: string, after: number, until: number | null, limit: number) {
  return selectInstances()
    .where('i.message_id', '=', messageId)
    .where('i.ordinal', '>', after)
    .$if(until !== null, (q) => q.where('i.ordinal', '<=', until ?? 0))
    .orderBy('i.ordinal')
    .limit(limit)
}

const done = outcomes.join(' + ')

/** Chunks that have what a filter asks for, by their counts. */
function chunkHas({ status, outcome }: MessageInstanceFilter): string {
  if (outcome !== undefined) return status === undefined || status === 2 ? `${outcome} > 0` : 'false'
  if (status === 2) return `${done} > 0`
  return `${done} + failed < total AND state ${status === 1 ? '=' : '<>'} 'claimed'`
}

const firstWindow = 16

/**
 * Reads only the chunks that have what is asked for, a window of them at a time. Retry chunks may overlap others, so a
 * window is good up to where the first chunk after it begins.
 */
async function byChunks(
  db: Queryable,
  messageId: string,
  filter: MessageInstanceFilter,
  after: number,
  limit: number,
): Promise<InstanceItemView[]> {
  const found: InstanceItemView[] = []
  let from = after
  let window = firstWindow
  while (found.length < limit) {
    const { rows: chunks } = await db.query<{ id: string; first: number; last: number }>(
      `SELECT id, first_ordinal AS first, last_ordinal AS last FROM sluice.chunk
       WHERE message_id = $1 AND last_ordinal > $2 AND ${chunkHas(filter)} ORDER BY first_ordinal, id LIMIT $3`,
      [messageId, from, window + 1],
    )
    const beyond = chunks[window]
    const inside = chunks.slice(0, window)
    const until = beyond === undefined ? null : beyond.first - 1
    if (until !== null && until <= from) {
      window *= 2
      continue
    }
    if (inside.length > 0) found.push(...(await run(db, inChunks(messageId, inside, filter, from, until, limit - found.length))))
    if (until === null) return found
    from = until
  }
  return found
}

function inChunks(
  messageId: string,
  chunks: readonly { id: string; first: number; last: number }[],
  filter: MessageInstanceFilter,
  after: number,
  until: number | null,
  limit: number,
) {
  const { status, outcome } = filter
  const lowest = Math.max(after, (chunks[0]?.first ?? 0) - 1)
  const highest = Math.max(...chunks.map((chunk) => chunk.last))
  return ordered(messageId, lowest, until === null ? highest : Math.min(until, highest), limit)
    .where(sql<boolean>`i.chunk_id = ANY(${chunks.map((chunk) => chunk.id)}::bigint[])`)
    .$if(outcome !== undefined, (q) => q.where('i.outcome', '=', outcome ?? 'created'))
    .$if(status === 2, (q) => q.where('i.status', '=', 2))
    .$if(status === 0, (q) => q.where(sql<boolean>`i.status = 0 AND c.state <> 'claimed'`))
    .$if(status === 1, (q) => q.where(sql<boolean>`i.status = 0 AND c.state = 'claimed'`))
}
