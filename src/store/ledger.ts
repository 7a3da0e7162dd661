/** The ledger: for every object the version that was applied and what references to it resolve to (`sluice.object`). */
import type { ObjectVersions } from '../model/fields.ts'
import { decodeFields, encodeFields } from '../model/fields.ts'
import type { Queryable, Transaction } from './db.ts'

/** A ledger row, locked for the rest of the transaction. */
export interface LedgerEntry extends ObjectVersions {
  externalId: string
  /** What references to the object resolve to; null while there is nothing to refer to. */
  ref: string | null
}

/**
 * Locks the ledger rows of these objects, in the order of their external IDs, and makes the ones that are not there: two
 * workers with the same objects come one after the other, whoever asks first.
 */
export async function lockObjects(tx: Transaction, integration: string, externalIds: readonly string[]): Promise<Map<string, LedgerEntry>> {
  await tx.query(
    `INSERT INTO sluice.object (integration, external_id) SELECT $1, u.id FROM unnest($2::text[]) AS u (id)
     ORDER BY u.id COLLATE "C" ON CONFLICT DO NOTHING`,
    [integration, externalIds],
  )
  const { rows } = await tx.query<{
    externalId: string
    version: string | null
    messageId: string | null
    ordinal: number | null
    fields: string | null
    ref: string | null
    deleted: boolean
  }>(
    `SELECT external_id AS "externalId", version, message_id AS "messageId", ordinal, fields, target_ref AS ref, deleted
     FROM sluice.object WHERE integration = $1 AND external_id = ANY($2) ORDER BY external_id COLLATE "C" FOR UPDATE`,
    [integration, externalIds],
  )
  return new Map(
    rows.map((row) => [
      row.externalId,
      {
        externalId: row.externalId,
        applied: row.messageId === null || row.ordinal === null ? null : { version: row.version, messageId: row.messageId, ordinal: row.ordinal },
        fields: decodeFields(row.fields),
        deleted: row.deleted,
        ref: row.ref,
      },
    ]),
  )
}

/** Writes ledger rows that {@link lockObjects} locked. */
export async function writeObjects(tx: Transaction, integration: string, entries: readonly LedgerEntry[]): Promise<void> {
  await tx.query(
    `UPDATE sluice.object o SET version = u.version, message_id = u.message_id, ordinal = u.ordinal, fields = u.fields::jsonb,
       target_ref = u.ref, deleted = u.deleted, first_message_id = coalesce(o.first_message_id, u.message_id), updated_at = clock_timestamp()
     FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::integer[], $6::text[], $7::text[], $8::boolean[])
       AS u (integration, external_id, version, message_id, ordinal, fields, ref, deleted)
     WHERE o.integration = u.integration AND o.external_id = u.external_id`,
    [
      // A constant instead would invite the planner to read the whole integration.
      entries.map(() => integration),
      entries.map((entry) => entry.externalId),
      entries.map((entry) => entry.applied?.version ?? null),
      entries.map((entry) => entry.applied?.messageId ?? null),
      entries.map((entry) => entry.applied?.ordinal ?? null),
      entries.map((entry) => encodeFields(entry.fields)),
      entries.map((entry) => entry.ref),
      entries.map((entry) => entry.deleted),
    ],
  )
}

/** What references to these objects resolve to, of those that can be referred to. */
export async function findObjectRefs(db: Queryable, integration: string, externalIds: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await db.query<{ externalId: string; ref: string }>(
    `SELECT external_id AS "externalId", target_ref AS ref FROM sluice.object
     WHERE integration = $1 AND external_id = ANY($2) AND target_ref IS NOT NULL`,
    [integration, externalIds],
  )
  return new Map(rows.map((row) => [row.externalId, row.ref]))
}
