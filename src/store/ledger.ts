/** The ledger: for every object the version that was applied and what references to it resolve to (`sluice.object`). */
import type { ObjectVersions } from '../model/fields.ts'
import { decodeFields, encodeFields } from '../model/fields.ts'
import { DatabaseError, type Parameter, prepared, type Queryable, type Transaction } from './db.ts'

/** A ledger row, locked for the rest of the transaction. */
export interface LedgerEntry extends ObjectVersions {
  externalId: string
  /** What references to the object resolve to; null while there is nothing to refer to. */
  ref: string | null
  /** Whether the object has a row already. */
  isStored: boolean
}

const lockObjectsSql =
  prepared(`SELECT external_id AS "externalId", version, message_id AS "messageId", ordinal, fields, target_ref AS ref, deleted
  FROM sluice.object WHERE integration = $1 AND external_id = ANY($2::text[]) ORDER BY external_id COLLATE "C" FOR UPDATE`)

/**
 * Locks the ledger rows of these objects, in the order of their external IDs, and returns one entry for each object. An
 * object without a row gets an empty entry; {@link writeObjects} notices when somebody else makes its row meanwhile.
 */
export async function lockObjects(tx: Transaction, integration: string, externalIds: readonly string[]): Promise<Map<string, LedgerEntry>> {
  const { rows } = await tx.query<{
    externalId: string
    version: string | null
    messageId: string | null
    ordinal: number | null
    fields: string | null
    ref: string | null
    deleted: boolean
  }>(lockObjectsSql, [integration, externalIds])
  const entries = new Map<string, LedgerEntry>(
    externalIds.map((externalId) => [externalId, { externalId, applied: null, fields: {}, deleted: false, ref: null, isStored: false }]),
  )
  for (const { externalId, version, messageId, ordinal, fields, ref, deleted } of rows) {
    const applied = messageId === null || ordinal === null ? null : { version, messageId, ordinal }
    entries.set(externalId, { externalId, applied, fields: decodeFields(fields), deleted, ref, isStored: true })
  }
  return entries
}

/**
 * Writes the entries that {@link lockObjects} gave, as they are now.
 *
 * @throws DatabaseError 40001 when another transaction made a row that was not there: what was decided without it must be
 *   decided again
 */
export async function writeObjects(tx: Transaction, integration: string, entries: readonly LedgerEntry[]): Promise<void> {
  await updateObjects(
    tx,
    integration,
    entries.filter((entry) => entry.isStored),
  )
  await insertObjects(
    tx,
    integration,
    entries.filter((entry) => !entry.isStored),
  )
}

const rowSql = `unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::integer[], $6::text[], $7::text[], $8::boolean[])
  AS u (integration, external_id, version, message_id, ordinal, fields, ref, deleted)`

function rowParameters(integration: string, entries: readonly LedgerEntry[]): Parameter[] {
  return [
    // A constant instead would invite the planner to read the whole integration.
    entries.map(() => integration),
    entries.map((entry) => entry.externalId),
    entries.map((entry) => entry.applied?.version ?? null),
    entries.map((entry) => entry.applied?.messageId ?? null),
    entries.map((entry) => entry.applied?.ordinal ?? null),
    entries.map((entry) => encodeFields(entry.fields)),
    entries.map((entry) => entry.ref),
    entries.map((entry) => entry.deleted),
  ]
}

const updateObjectsSql =
  prepared(`UPDATE sluice.object o SET version = u.version, message_id = u.message_id, ordinal = u.ordinal, fields = u.fields::jsonb,
    target_ref = u.ref, deleted = u.deleted, first_message_id = coalesce(o.first_message_id, u.message_id), updated_at = clock_timestamp()
  FROM ${rowSql} WHERE o.integration = u.integration AND o.external_id = u.external_id`)

async function updateObjects(tx: Transaction, integration: string, entries: readonly LedgerEntry[]): Promise<void> {
  if (entries.length === 0) return
  await tx.query(updateObjectsSql, rowParameters(integration, entries))
}

const insertObjectsSql =
  prepared(`INSERT INTO sluice.object (integration, external_id, version, message_id, ordinal, fields, target_ref, deleted, first_message_id, updated_at)
  SELECT u.integration, u.external_id, u.version, u.message_id, u.ordinal, u.fields::jsonb, u.ref, u.deleted, u.message_id, clock_timestamp()
  FROM ${rowSql} ORDER BY u.external_id COLLATE "C"`)

async function insertObjects(tx: Transaction, integration: string, entries: readonly LedgerEntry[]): Promise<void> {
  if (entries.length === 0) return
  // Not ON CONFLICT, which looks into the index once more for each row: hardly ever is there a conflict.
  await tx.query(insertObjectsSql, rowParameters(integration, entries)).catch((error: DatabaseError) => {
    if (error.sqlstate !== uniqueViolation) throw error
    const message = `another transaction applied objects of "${integration}" for the first time just now`
    throw new DatabaseError(message, { sqlstate: '40001' }, error)
  })
}

const uniqueViolation = '23505'

const findRefsSql = prepared(`SELECT external_id AS "externalId", target_ref AS ref FROM sluice.object
  WHERE integration = $1 AND external_id = ANY($2::text[]) AND target_ref IS NOT NULL`)

/** What references to these objects resolve to, of those that can be referred to. */
export async function findObjectRefs(db: Queryable, integration: string, externalIds: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await db.query<{ externalId: string; ref: string }>(findRefsSql, [integration, externalIds])
  return new Map(rows.map((row) => [row.externalId, row.ref]))
}
