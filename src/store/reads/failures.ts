/** Failures, grouped by cause. */
import { sql } from 'kysely'
import type { Queryable } from '../db.ts'
import { builder, type Page, pageOf, run } from './query.ts'

/** Failures of one cause. */
export interface ErrorGroupView {
  integration: string
  code: string
  class: string
  fingerprint: string
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

/** A page of groups, in the order of the index that serves them: integration, code, fingerprint. */
export async function listErrorGroups(
  db: Queryable,
  integrations: readonly string[] | null,
  filter: { integration?: string | undefined; errorCode?: string | undefined },
  page: { limit: number; after: ErrorGroupPosition | null },
): Promise<Page<ErrorGroupView, ErrorGroupPosition>> {
  const { integration, errorCode } = filter
  const { after } = page
  const groups = builder
    .selectFrom('failure as f')
    .select(['f.integration', 'f.code', 'f.fingerprint'])
    .select([
      sql<number>`count(*)::integer`.as('count'),
      sql<string>`min(f.failed_at)`.as('firstAt'),
      sql<string>`max(f.failed_at)`.as('lastAt'),
      sql<string>`max(f.message_id)`.as('newest'),
    ])
    .$if(integrations !== null, (q) => q.where(sql<boolean>`f.integration = ANY(${integrations}::text[])`))
    .$if(integration !== undefined, (q) => q.where('f.integration', '=', integration ?? ''))
    .$if(errorCode !== undefined, (q) => q.where('f.code', '=', errorCode ?? ''))
    .$if(after !== null, (q) =>
      q.where(sql<boolean>`(f.integration, f.code, f.fingerprint) > (${after?.integration}, ${after?.code}, ${after?.fingerprint})`),
    )
    .groupBy(['f.integration', 'f.code', 'f.fingerprint'])
    .orderBy('f.integration')
    .orderBy('f.code')
    .orderBy('f.fingerprint')
    .limit(page.limit + 1)
  const rows = await run(
    db,
    builder
      .selectFrom(groups.as('g'))
      .innerJoinLateral(
        (eb) =>
          eb
            .selectFrom('failure as e')
            .innerJoin('instance as i', (join) => join.onRef('i.message_id', '=', 'e.message_id').onRef('i.ordinal', '=', 'e.ordinal'))
            .select(['e.class', 'e.ordinal', 'e.external_id', sql<string>`coalesce(i.error ->> 'message', '')`.as('message')])
            .whereRef('e.integration', '=', 'g.integration')
            .whereRef('e.code', '=', 'g.code')
            .whereRef('e.fingerprint', '=', 'g.fingerprint')
            .whereRef('e.message_id', '=', 'g.newest')
            .orderBy('e.ordinal')
            .limit(1)
            .as('x'),
        (join) => join.onTrue(),
      )
      .select(['g.integration', 'g.code', 'x.class', 'g.fingerprint', 'g.count', 'g.firstAt', 'g.lastAt', 'g.newest as exampleMessageId'])
      .select(['x.ordinal as exampleOrdinal', 'x.external_id as exampleExternalId', 'x.message as exampleMessage'])
      .orderBy('g.integration')
      .orderBy('g.code')
      .orderBy('g.fingerprint'),
  )
  return pageOf(rows, page.limit, ({ integration: name, code, fingerprint }) => ({ integration: name, code, fingerprint }))
}
