/** Failures, grouped by cause. */
import type { Parameter, Queryable } from '../db.ts'
import { type Page, pageOf } from './query.ts'

/** Failures of one cause. */
export interface ErrorGroupView {
  integration: string
  code: string
  class: string
  fingerprint: string
  /** At most {@link mostCounted}. */
  count: number
  firstAt: string
  lastAt: string
  /** One of the newest message. */
  exampleMessageId: string
  exampleOrdinal: number
  exampleExternalId: string | null
  exampleMessage: string
}

/** Where a page of groups ended. */
export interface ErrorGroupPosition {
  integration: string
  code: string
  fingerprint: string
}

const columns = ['integration', 'code', 'fingerprint'] as const

/** Where counting the failures of a group stops. */
export const mostCounted = 100_000

/**
 * A page of groups, in the order of the index that serves them: integration, code, fingerprint. Goes from one group to the next
 * by that index, and reads the ends of each: a million failures of one cause cost little more than one.
 */
export async function listErrorGroups(
  db: Queryable,
  integrations: readonly string[] | null,
  filter: { integration?: string | undefined; errorCode?: string | undefined },
  page: { limit: number; after: ErrorGroupPosition | null },
): Promise<Page<ErrorGroupView, ErrorGroupPosition>> {
  const { after } = page
  const parameters: Parameter[] = []
  const parameter = (value: Parameter): string => `$${parameters.push(value)}`
  const conditions = [
    ...(integrations === null ? [] : [`f.integration = ANY(${parameter([...integrations])}::text[])`]),
    ...(filter.integration === undefined ? [] : [`f.integration = ${parameter(filter.integration)}`]),
    ...(filter.errorCode === undefined ? [] : [`f.code = ${parameter(filter.errorCode)}`]),
  ]
  // What is the same in all of them is left out: PostgreSQL goes to the place by the index then, and doesn't read up to it.
  const places = columns.slice(filter.integration === undefined ? 0 : filter.errorCode === undefined ? 1 : 2)
  const next = (beyond: readonly string[] | null): string => {
    const isBeyond = `(${places.map((column) => `f.${column}`)}) > (${beyond})`
    const all = beyond === null ? conditions : [...conditions, isBeyond]
    return `SELECT f.integration, f.code, f.fingerprint FROM sluice.failure f ${all.length === 0 ? '' : `WHERE ${all.join(' AND ')}`}
      ORDER BY f.integration, f.code, f.fingerprint LIMIT 1`
  }
  const start = after === null ? null : places.map((column) => `${parameter(after[column])}::text`)
  const ofGroup = 'f.integration = g.integration AND f.code = g.code AND f.fingerprint = g.fingerprint'
  const { rows } = await db.query<ErrorGroupView>(
    `WITH RECURSIVE groups AS (
       (${next(start)})
       UNION ALL
       SELECT n.* FROM groups p CROSS JOIN LATERAL (${next(places.map((column) => `p.${column}`))}) n
     ),
     g AS MATERIALIZED (SELECT * FROM groups LIMIT ${parameter(page.limit + 1)})
     SELECT g.integration, g.code, x.class, g.fingerprint, x.message_id AS "exampleMessageId", x.ordinal AS "exampleOrdinal",
       x.external_id AS "exampleExternalId", coalesce(i.error ->> 'message', '') AS "exampleMessage",
       (SELECT count(*)::integer FROM (SELECT FROM sluice.failure f WHERE ${ofGroup} LIMIT ${mostCounted}) counted) AS count,
       (SELECT f.failed_at FROM sluice.failure f WHERE ${ofGroup} ORDER BY f.failed_at LIMIT 1) AS "firstAt",
       (SELECT f.failed_at FROM sluice.failure f WHERE ${ofGroup} ORDER BY f.failed_at DESC LIMIT 1) AS "lastAt"
     FROM g
     CROSS JOIN LATERAL (
       SELECT f.* FROM sluice.failure f WHERE ${ofGroup} ORDER BY f.message_id DESC, f.ordinal DESC LIMIT 1
     ) x
     JOIN sluice.instance i ON i.message_id = x.message_id AND i.ordinal = x.ordinal
     ORDER BY g.integration, g.code, g.fingerprint`,
    parameters,
  )
  return pageOf(rows, page.limit, ({ integration, code, fingerprint }) => ({ integration, code, fingerprint }))
}
