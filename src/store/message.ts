/** Messages: one function per change of state, each with its guard in SQL. */
import type { MessageStatus } from '../model/status.ts'
import { prepared, type Queryable, type Transaction } from './db.ts'

/** A message as the flow needs it. */
export interface StoredMessage {
  id: string
  integration: string
  source: string
  uploadId: string
  bodySha256: Uint8Array
  format: 'json' | 'ndjson'
  isDraft: boolean
  status: MessageStatus
  /** JSON text. */
  statusDetails: string | null
  total: number | null
  receivedAt: string
}

/** The columns of a {@link StoredMessage}. */
export const storedColumns = `id, integration, source, upload_id AS "uploadId", body_sha256 AS "bodySha256", format, is_draft AS "isDraft",
  status, status_details AS "statusDetails", total, received_at AS "receivedAt"`

/** What is known of a message when its last byte has come. */
export interface NewMessage {
  integration: string
  source: string
  idempotencyKey: string | undefined
  uploadId: string
  bodySha256: Uint8Array
  bodySize: number
  format: 'json' | 'ndjson'
  isDraft: boolean
}

/** Inserts a message at status 0; null when the source has used its idempotency key before. */
export async function insertMessage(tx: Transaction, message: NewMessage): Promise<StoredMessage | null> {
  const { rows } = await tx.query<StoredMessage>(
    `INSERT INTO sluice.message (integration, source, idempotency_key, upload_id, body_sha256, body_size, format, is_draft)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (source, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
     RETURNING ${storedColumns}`,
    [
      message.integration,
      message.source,
      message.idempotencyKey ?? null,
      message.uploadId,
      message.bodySha256,
      message.bodySize,
      message.format,
      message.isDraft,
    ],
  )
  return rows[0] ?? null
}

/** A message by id. */
export async function findMessage(db: Queryable, id: string): Promise<StoredMessage | null> {
  const { rows } = await db.query<StoredMessage>(`SELECT ${storedColumns} FROM sluice.message WHERE id = $1`, [id])
  return rows[0] ?? null
}

/** The message that a source sent with an idempotency key. */
export async function findByIdempotencyKey(db: Queryable, source: string, key: string): Promise<StoredMessage | null> {
  const { rows } = await db.query<StoredMessage>(`SELECT ${storedColumns} FROM sluice.message WHERE source = $1 AND idempotency_key = $2`, [
    source,
    key,
  ])
  return rows[0] ?? null
}

/** 0 → 1; the split is due at once. Null when somebody else decided first. */
export async function markCorrect(db: Queryable, id: string, total: number, details: object | null): Promise<StoredMessage | null> {
  const { rows } = await db.query<StoredMessage>(
    `WITH correct AS (
       UPDATE sluice.message SET status = 1, validated_at = clock_timestamp(), total = $2, status_details = $3
       WHERE id = $1 AND status = 0 RETURNING ${storedColumns})
     SELECT correct.* FROM correct, pg_notify('sluice', 'split')`,
    [id, total, details === null ? null : JSON.stringify(details)],
  )
  return rows[0] ?? null
}

/** 0 → -1, with what is wrong. Null when somebody else decided first. */
export async function markIncorrect(db: Queryable, id: string, total: number | null, details: object): Promise<StoredMessage | null> {
  const { rows } = await db.query<StoredMessage>(
    `UPDATE sluice.message SET status = -1, validated_at = clock_timestamp(), finished_at = clock_timestamp(), total = $2, status_details = $3
     WHERE id = $1 AND status = 0 RETURNING ${storedColumns}`,
    [id, total, JSON.stringify(details)],
  )
  return rows[0] ?? null
}

/** Locks a message that is to be validated; false when somebody else has it, or has decided. */
export async function lockForValidation(tx: Transaction, id: string): Promise<boolean> {
  const { rowCount } = await tx.query('SELECT FROM sluice.message WHERE id = $1 AND status = 0 FOR UPDATE SKIP LOCKED', [id])
  return rowCount === 1
}

/** Locks a message that may be split (1 or -2); null when it may not, or somebody else is at it. */
export async function lockForSplit(tx: Transaction, id: string): Promise<StoredMessage | null> {
  const { rows } = await tx.query<StoredMessage>(
    `SELECT ${storedColumns} FROM sluice.message WHERE id = $1 AND status IN (1, -2) FOR UPDATE SKIP LOCKED`,
    [id],
  )
  return rows[0] ?? null
}

/** 1 or -2 → 2. The message is locked by {@link lockForSplit} or {@link lockForValidation}. */
export async function markSplit(tx: Transaction, id: string, total: number): Promise<StoredMessage | null> {
  const { rows } = await tx.query<StoredMessage>(
    `WITH split AS (
       UPDATE sluice.message SET status = 2, split_at = clock_timestamp(), total = $2, split_attempts = split_attempts + 1
       WHERE id = $1 RETURNING ${storedColumns})
     SELECT split.* FROM split, pg_notify('sluice', 'process')`,
    [id, total],
  )
  return rows[0] ?? null
}

/** 1 → -2, with the reason; a message that is -2 already keeps its status and gets the new reason. */
export async function markSplitFailed(db: Queryable, id: string, details: object): Promise<void> {
  await db.query(
    `UPDATE sluice.message SET status = -2, status_details = $2, split_attempts = split_attempts + 1
     WHERE id = $1 AND status IN (1, -2)`,
    [id, JSON.stringify(details)],
  )
}

const nextToSplitSql =
  prepared(`SELECT id, body_size::double precision AS "bodySize" FROM sluice.message WHERE status = 1 AND status IN (0, 1) AND integration = ANY($1) AND id > $2
  ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`)

/** The oldest message of these integrations that is due to be split and that nobody is splitting. */
export async function nextToSplit(
  db: Queryable,
  integrations: readonly string[],
  after: string,
): Promise<{ id: string; bodySize: number } | null> {
  const { rows } = await db.query<{ id: string; bodySize: number }>(nextToSplitSql, [integrations, after])
  return rows[0] ?? null
}
