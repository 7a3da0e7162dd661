/** What waits for an object that has not come: awaited references of failed instances, deferred links of applied objects. */
import { type Db, prepared, type Queryable, type Transaction } from './db.ts'
import type { InstanceKey } from './requeue.ts'

/** An instance waits for an object. `wanted` is an integration, or `table:<name>.<column>`. */
export interface AwaitedReference {
  messageId: string
  ordinal: number
  wanted: string
  wantedId: string
  field: string
}

/** Notes what failed instances wait for. */
export async function insertAwaited(tx: Transaction, references: readonly AwaitedReference[]): Promise<void> {
  await tx.query(
    `INSERT INTO sluice.awaited_reference (message_id, ordinal, wanted, wanted_id, field)
     SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
    [
      references.map((reference) => reference.messageId),
      references.map((reference) => reference.ordinal),
      references.map((reference) => reference.wanted),
      references.map((reference) => reference.wantedId),
      references.map((reference) => reference.field),
    ],
  )
}

/** Marks awaited objects as come, and tells which instances waited for them. Locks in the order that requeueing locks in. */
export async function markCome(db: Queryable, wanted: string, wantedIds: readonly string[]): Promise<InstanceKey[]> {
  const { rows } = await db.query<InstanceKey>(
    `UPDATE sluice.awaited_reference a SET came_at = clock_timestamp()
     FROM (SELECT message_id, ordinal, wanted, wanted_id FROM sluice.awaited_reference
           WHERE wanted = $1 AND wanted_id = ANY($2::text[]) AND came_at IS NULL ORDER BY 1, 2, 3, 4 FOR UPDATE) AS l
     WHERE a.message_id = l.message_id AND a.ordinal = l.ordinal AND a.wanted = l.wanted AND a.wanted_id = l.wanted_id
     RETURNING a.message_id AS "messageId", a.ordinal`,
    [wanted, wantedIds],
  )
  return rows
}

/** Marks whatever has come, by joining what waits with the ledger. */
export async function markComeFromLedger(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE sluice.awaited_reference a SET came_at = clock_timestamp()
     FROM (SELECT w.message_id, w.ordinal, w.wanted, w.wanted_id FROM sluice.awaited_reference w
           JOIN sluice.object o ON o.integration = w.wanted AND o.external_id = w.wanted_id AND o.target_ref IS NOT NULL
           WHERE w.came_at IS NULL ORDER BY 1, 2, 3, 4 FOR UPDATE OF w) AS l
     WHERE a.message_id = l.message_id AND a.ordinal = l.ordinal AND a.wanted = l.wanted AND a.wanted_id = l.wanted_id`,
  )
  return rowCount
}

/** Of these instances (null: of all), the ones that fail for a missing reference though all they wait for has come. */
export async function selectReleased(db: Queryable, among: readonly InstanceKey[] | null, limit: number): Promise<InstanceKey[]> {
  const { rows } = await db.query<InstanceKey>(
    `SELECT f.message_id AS "messageId", f.ordinal FROM sluice.failure f
     ${among === null ? '' : 'JOIN unnest($2::bigint[], $3::integer[]) AS u (message_id, ordinal) ON u.message_id = f.message_id AND u.ordinal = f.ordinal'}
     WHERE f.class = 'missing_reference' AND NOT EXISTS (
       SELECT FROM sluice.awaited_reference a WHERE a.message_id = f.message_id AND a.ordinal = f.ordinal AND a.came_at IS NULL)
     ORDER BY f.message_id, f.ordinal LIMIT $1`,
    among === null ? [limit] : [limit, among.map((key) => key.messageId), among.map((key) => key.ordinal)],
  )
  return rows
}

/** What instances and links still wait for, apart from integrations that only the ledger knows. Paged by (wanted, wanted id). */
export async function selectWanted(db: Queryable, wanted: string, after: string, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT wanted_id AS id FROM sluice.awaited_reference WHERE wanted = $1 AND wanted_id > $2 AND came_at IS NULL
     UNION SELECT wanted_id FROM sluice.deferred_link WHERE wanted = $1 AND wanted_id > $2
     ORDER BY 1 LIMIT $3`,
    [wanted, after, limit],
  )
  return rows.map((row) => row.id)
}

/** A link that was left empty. It belongs to the version (message, ordinal) that asked for it. */
export interface DeferredLink {
  integration: string
  externalId: string
  field: string
  wanted: string
  wantedId: string
  /** JSON text, or null. */
  details: string | null
  messageId: string
  ordinal: number
}

export interface StoredLink extends DeferredLink {
  id: string
  /** Why the target refused it; null: it may be filled. */
  error: string | null
}

const linkColumns = `id, integration, external_id AS "externalId", field, wanted, wanted_id AS "wantedId", details, message_id AS "messageId",
  ordinal, error`

const hasLinksSql = prepared('SELECT FROM sluice.deferred_link WHERE integration = $1 LIMIT 1')

/** Whether any object of an integration has a link that was left empty. */
export async function hasDeferredLinks(tx: Transaction, integration: string): Promise<boolean> {
  const { rows } = await tx.query(hasLinksSql, [integration])
  return rows.length > 0
}

/** The links that these objects left empty. Their ledger rows are locked. */
export async function linksOf(tx: Transaction, integration: string, externalIds: readonly string[]): Promise<StoredLink[]> {
  const { rows } = await tx.query<StoredLink>(
    `SELECT ${linkColumns} FROM sluice.deferred_link WHERE integration = $1 AND external_id = ANY($2::text[]) ORDER BY id`,
    [integration, externalIds],
  )
  return rows
}

/** Removes links by id, and tells which of them were still there. */
export async function takeLinks(tx: Transaction, ids: readonly string[]): Promise<StoredLink[]> {
  if (ids.length === 0) return []
  const { rows } = await tx.query<StoredLink>(`DELETE FROM sluice.deferred_link WHERE id = ANY($1) RETURNING ${linkColumns}`, [ids])
  return rows
}

/** Notes links that were left empty. */
export async function insertLinks(tx: Transaction, links: readonly DeferredLink[]): Promise<void> {
  if (links.length === 0) return
  await tx.query(
    `INSERT INTO sluice.deferred_link (integration, external_id, field, wanted, wanted_id, details, message_id, ordinal)
     SELECT u.integration, u.external_id, u.field, u.wanted, u.wanted_id, u.details::json, u.message_id, u.ordinal
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::integer[])
       AS u (integration, external_id, field, wanted, wanted_id, details, message_id, ordinal)`,
    [
      links.map((link) => link.integration),
      links.map((link) => link.externalId),
      links.map((link) => link.field),
      links.map((link) => link.wanted),
      links.map((link) => link.wantedId),
      links.map((link) => link.details),
      links.map((link) => link.messageId),
      links.map((link) => link.ordinal),
    ],
  )
}

/** Sets a link aside that its target refuses, so that nobody tries it again before its object comes again. */
export async function setLinkAside(db: Queryable, id: string, error: string): Promise<void> {
  await db.query('UPDATE sluice.deferred_link SET error = $2 WHERE id = $1', [id, error])
}

/** Links that want one of these objects and may be filled. Paged by id, from `'0'`. */
export async function linksWanting(
  db: Queryable,
  wanted: string,
  wantedIds: readonly string[],
  after: string,
  limit: number,
): Promise<StoredLink[]> {
  const { rows } = await db.query<StoredLink>(
    `SELECT ${linkColumns} FROM sluice.deferred_link
     WHERE wanted = $1 AND wanted_id = ANY($2::text[]) AND error IS NULL AND id > $3 ORDER BY id LIMIT $4`,
    [wanted, wantedIds, after, limit],
  )
  return rows
}

/** Links whose other end stands in the ledger: a crash came between its commit and the filling. Paged as {@link linksWanting}. */
export async function linksThatCame(db: Db, after: string, limit: number): Promise<StoredLink[]> {
  const { rows } = await db.query<StoredLink>(
    `SELECT l.id, l.integration, l.external_id AS "externalId", l.field, l.wanted, l.wanted_id AS "wantedId", l.details,
       l.message_id AS "messageId", l.ordinal, l.error
     FROM sluice.deferred_link l
     JOIN sluice.object o ON o.integration = l.wanted AND o.external_id = l.wanted_id AND o.target_ref IS NOT NULL
     WHERE l.error IS NULL AND l.id > $1 ORDER BY l.id LIMIT $2`,
    [after, limit],
  )
  return rows
}
