/** The same changes of state as in message.ts, for many small messages in one statement each. */
import { type MessageStatus, rolledUp } from '../model/status.ts'
import { type Db, prepared, type Queryable, type Transaction } from './db.ts'
import { type NewMessage, type StoredMessage, storedColumns } from './message.ts'

/** A message whose whole body is one part. */
export interface SmallMessage extends NewMessage {
  body: Uint8Array
}

const insertMessagesSql = prepared(`WITH sent AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::text[], $8::boolean[], $9::bytea[])
      WITH ORDINALITY AS u (integration, source, idempotency_key, upload_id, body_sha256, body_size, format, is_draft, bytes, n)),
  inserted AS (
    INSERT INTO sluice.message (integration, source, idempotency_key, upload_id, body_sha256, body_size, format, is_draft)
    SELECT integration, source, idempotency_key, upload_id::uuid, body_sha256, body_size, format, is_draft FROM sent
    ORDER BY source, idempotency_key, n
    ON CONFLICT (source, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING ${storedColumns}),
  stored AS (
    INSERT INTO sluice.message_body (upload_id, part, bytes)
    SELECT sent.upload_id::uuid, 0, sent.bytes FROM sent JOIN inserted ON inserted."uploadId" = sent.upload_id::uuid)
  SELECT * FROM inserted`)

/**
 * Inserts messages at status 0, with their bytes; null for one whose source has used its idempotency key before. In the order of the
 * keys, those without one in that of the list: two groups with the same keys can't wait for each other.
 */
export async function insertMessages(db: Queryable, messages: readonly SmallMessage[]): Promise<(StoredMessage | null)[]> {
  const { rows } = await db.query<StoredMessage>(insertMessagesSql, [
    messages.map((message) => message.integration),
    messages.map((message) => message.source),
    messages.map((message) => message.idempotencyKey ?? null),
    messages.map((message) => message.uploadId),
    messages.map((message) => message.bodySha256),
    messages.map((message) => message.bodySize),
    messages.map((message) => message.format),
    messages.map((message) => message.isDraft),
    messages.map((message) => message.body),
  ])
  const byUpload = new Map(rows.map((row) => [row.uploadId, row]))
  return messages.map(({ uploadId }) => byUpload.get(uploadId) ?? null)
}

/** What the schema found: the number of objects, and what is wrong with some of them. */
export interface CorrectMessage {
  id: string
  total: number
  details: object | null
}

const markCorrectSql = prepared(`WITH held AS (
    SELECT m.id AS held_id, u.found, u.details FROM sluice.message m
    JOIN unnest($1::bigint[], $2::integer[], $3::text[]) AS u (id, found, details) ON u.id = m.id
    WHERE m.status = 0 ORDER BY m.id FOR UPDATE OF m),
  correct AS (
    UPDATE sluice.message SET status = 1, validated_at = clock_timestamp(), total = held.found, status_details = held.details::jsonb
    FROM held WHERE id = held.held_id RETURNING ${storedColumns})
  SELECT correct.* FROM correct, pg_notify('sluice', 'split'), set_config('synchronous_commit', 'off', true)`)

/**
 * 0 → 1; their split is due at once. Null for one that somebody else decided first. The bytes were durable before, so the disk isn't
 * waited for: after a crash of the server a message may be at 0 again, and is validated again.
 */
export async function markAllCorrect(db: Db, messages: readonly CorrectMessage[]): Promise<(StoredMessage | null)[]> {
  const { rows } = await db.query<StoredMessage>(markCorrectSql, [
    messages.map(({ id }) => id),
    messages.map(({ total }) => total),
    messages.map(({ details }) => (details === null ? null : JSON.stringify(details))),
  ])
  const byId = new Map(rows.map((row) => [row.id, row]))
  return messages.map(({ id }) => byId.get(id) ?? null)
}

/** A message that may be split, with its whole body. */
export interface SplittableMessage extends StoredMessage {
  body: Uint8Array
}

const lockSmallSql = prepared(`WITH held AS MATERIALIZED (
    SELECT ${storedColumns} FROM sluice.message
    WHERE status = 1 AND status IN (0, 1) AND integration = ANY($1) AND id >= $4 AND body_size <= $2
    ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)
  SELECT held.*, body.bytes AS body FROM held JOIN sluice.message_body body ON body.upload_id = held."uploadId" AND body.part = 0
  ORDER BY held.id`)

/** Locks messages at 1 with bodies of at most `size` bytes, from the id `first` on, the oldest first, at most `limit`; those that others hold are passed over. */
export async function lockSmallForSplit(
  tx: Transaction,
  { integrations, first, size, limit }: { integrations: readonly string[]; first: string; size: number; limit: number },
): Promise<SplittableMessage[]> {
  const { rows } = await tx.query<SplittableMessage>(lockSmallSql, [integrations, size, limit, first])
  return rows
}

const markSplitSql = prepared(`WITH split AS (
    UPDATE sluice.message SET status = 2, split_at = clock_timestamp(), total = u.found, split_attempts = split_attempts + 1
    FROM unnest($1::bigint[], $2::integer[]) AS u (held_id, found) WHERE id = u.held_id RETURNING id)
  SELECT FROM (SELECT count(*) FROM split) AS done, pg_notify('sluice', 'process')`)

/** 1 → 2, for messages that {@link lockSmallForSplit} locked. */
export async function markAllSplit(tx: Transaction, messages: readonly { id: string; total: number }[]): Promise<void> {
  await tx.query(markSplitSql, [messages.map(({ id }) => id), messages.map(({ total }) => total)])
}

const openMessagesSql = prepared(
  `SELECT DISTINCT message_id AS id FROM sluice.chunk WHERE message_id = ANY($1::bigint[]) AND state <> 'finished'`,
)

const lockSplitSql = prepared('SELECT id FROM sluice.message WHERE id = ANY($1::bigint[]) AND status = 2 ORDER BY id FOR UPDATE')

const countChunksSql =
  prepared(`SELECT u.id, coalesce(bool_or(c.state <> 'finished'), false) AS open, coalesce(bool_or(c.failed > 0), false) AS failed
  FROM unnest($1::bigint[]) AS u (id) LEFT JOIN sluice.chunk c ON c.message_id = u.id GROUP BY u.id`)

const markRolledUpSql = prepared(`UPDATE sluice.message SET status = u.rolled_up, finished_at = clock_timestamp()
  FROM unnest($1::bigint[], $2::integer[]) AS u (held_id, rolled_up) WHERE id = u.held_id`)

/**
 * 2 → 3 or -3, for those of the messages of which no chunk is open. The locks come first and the count in a second statement, so
 * that two last chunks that end at once can't miss each other. Whoever has seen the end of a message must not see it open again: this
 * waits for the disk.
 *
 * @returns the new statuses of those that were rolled up
 */
export async function rollUpMessages(db: Db, ids: readonly string[]): Promise<Map<string, MessageStatus>> {
  // Whoever commits the last chunk looks here after that, so that one who sees an open chunk may leave it to them.
  const { rows: open } = await db.query<{ id: string }>(openMessagesSql, [ids])
  const isOpen = new Set(open.map(({ id }) => id))
  const candidates = ids.filter((id) => !isOpen.has(id))
  if (candidates.length === 0) return new Map()
  return db.transaction(async (tx) => {
    const { rows: locked } = await tx.query<{ id: string }>(lockSplitSql, [candidates])
    if (locked.length === 0) return new Map()
    const { rows: counted } = await tx.query<{ id: string; open: boolean; failed: boolean }>(countChunksSql, [locked.map(({ id }) => id)])
    const done = new Map(counted.filter((each) => !each.open).map(({ id, failed }) => [id, rolledUp(failed)]))
    if (done.size > 0) {
      await tx.query(markRolledUpSql, [[...done.keys()], [...done.values()]])
    }
    return done
  })
}
