/** Reads of objects: the ledger, and the instances that touched one. */
import type { Queryable } from '../db.ts'

/** What the ledger knows of an object. */
export interface LedgerView {
  version: string | null
  messageId: string | null
  ordinal: number | null
  /** JSON text: per field that the applied version lacked, the version that supplied it. */
  fields: string | null
  targetRef: string | null
  deleted: boolean
  firstMessageId: string | null
  updatedAt: string | null
}

/** A link that is left empty until the other object comes. */
export interface DeferredLinkView {
  field: string
  wanted: string
  externalId: string
  since: string
}

/** How many empty links are shown of one object. */
const mostLinks = 1000

/** The ledger's entry of an object; null when it was never met, or only locked. */
export async function findLedgerEntry(db: Queryable, integration: string, externalId: string): Promise<LedgerView | null> {
  const { rows } = await db.query<LedgerView>(
    `SELECT version, message_id AS "messageId", ordinal, fields, target_ref AS "targetRef", deleted, first_message_id AS "firstMessageId",
       updated_at AS "updatedAt"
     FROM sluice.object WHERE integration = $1 AND external_id = $2 AND message_id IS NOT NULL`,
    [integration, externalId],
  )
  return rows[0] ?? null
}

/** The links of an object that are still empty, at most 1,000. */
export async function listDeferredLinks(db: Queryable, integration: string, externalId: string): Promise<DeferredLinkView[]> {
  const { rows } = await db.query<DeferredLinkView>(
    `SELECT field, wanted, wanted_id AS "externalId", created_at AS since FROM sluice.deferred_link
     WHERE integration = $1 AND external_id = $2 ORDER BY field, wanted, wanted_id, id LIMIT $3`,
    [integration, externalId, mostLinks],
  )
  return rows
}
