/** Messages: one function per change of state, each with its guard in SQL. */
import { type MessageStatus, rolledUp } from '../model/status.ts'
import type { Db, Queryable, Transaction } from './db.ts'

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

const columns = `id, integration, source, upload_id AS "uploadId", body_sha256 AS "bodySha256", format, is_draft AS "isDraft",
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
     RETURNING ${columns}`,
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
  const { rows } = await db.query<StoredMessage>(`SELECT ${columns} FROM sluice.message WHERE id = $1`, [id])
  return rows[0] ?? null
}

/** The message that a source sent with an idempotency key. */
export async function findByIdempotencyKey(db: Queryable, source: string, key: string): Promise<StoredMessage | null> {
  const { rows } = await db.query<StoredMessage>(`SELECT ${columns} FROM sluice.message WHERE source = $1 AND idempotency_key = $2`, [
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
       WHERE id = $1 AND status = 0 RETURNING ${columns})
     SELECT correct.* FROM correct, pg_notify('sluice', 'split')`,
    [id, total, details === null ? null : JSON.stringify(details)],
  )
  return rows[0] ?? null
}

/** 0 → -1, with what is wrong. Null when somebody else decided first. */
export async function markIncorrect(db: Queryable, id: string, total: number | null, details: object): Promise<StoredMessage | null> {
  const { rows } = await db.query<StoredMessage>(
    `UPDATE sluice.message SET status = -1, validated_at = clock_timestamp(), finished_at = clock_timestamp(), total = $2, status_details = $3
     WHERE id = $1 AND status = 0 RETURNING ${columns}`,
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
    `SELECT ${columns} FROM sluice.message WHERE id = $1 AND status IN (1, -2) FOR UPDATE SKIP LOCKED`,
    [id],
  )
  return rows[0] ?? null
}

/** 1 or -2 → 2. The message is locked by {@link lockForSplit} or {@link lockForValidation}. */
export async function markSplit(tx: Transaction, id: string, total: number): Promise<StoredMessage | null> {
  const { rows } = await tx.query<StoredMessage>(
    `WITH split AS (
       UPDATE sluice.message SET status = 2, split_at = clock_timestamp(), total = $2, split_attempts = split_attempts + 1
       WHERE id = $1 RETURNING ${columns})
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

/** The oldest message of these integrations that is due to be split and that nobody is splitting. */
export async function nextToSplit(db: Queryable, integrations: readonly string[], after: string): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM sluice.message WHERE status = 1 AND status IN (0, 1) AND integration = ANY($1) AND id > $2
     ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [integrations, after],
  )
  return rows[0]?.id ?? null
}

/**
 * 2 → 3 or -3, when no chunk of it is open. The lock comes first and the count in a second statement, so that two last
 * chunks that end at once can't miss each other.
 *
 * @returns the new status, or null when there was nothing to do
 */
export async function rollUpMessage(db: Db, id: string): Promise<MessageStatus | null> {
  // Whoever commits the last chunk looks here after that, so that one who sees an open chunk may leave it to them.
  const { rows: open } = await db.query(`SELECT FROM sluice.chunk WHERE message_id = $1 AND state <> 'finished' LIMIT 1`, [id])
  if (open.length > 0) return null
  return db.transaction(async (tx) => {
    const locked = await tx.query('SELECT FROM sluice.message WHERE id = $1 AND status = 2 FOR UPDATE', [id])
    if (locked.rowCount === 0) return null
    const { rows } = await tx.query<{ open: boolean; failed: boolean }>(
      `SELECT coalesce(bool_or(state <> 'finished'), false) AS open, coalesce(bool_or(failed > 0), false) AS failed
       FROM sluice.chunk WHERE message_id = $1`,
      [id],
    )
    const counted = rows[0]
    if (counted === undefined || counted.open) return null
    const status = rolledUp(counted.failed)
    await tx.query('UPDATE sluice.message SET status = $2, finished_at = clock_timestamp() WHERE id = $1', [id, status])
    return status
  })
}
