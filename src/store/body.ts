/** The exact bytes of messages, in parts (`sluice.message_body`). */
import type { Db, Queryable } from './db.ts'

/**
 * Largest part, in bytes. The table would take four times as much; but reading one takes a dozen times its size in buffers of all sizes, and
 * what was once the process's memory hardly becomes the machine's again.
 */
export const partSize = 256 * 1024

/** Stores parts `first`, `first + 1`, … of an upload, in one statement. */
export async function insertParts(db: Queryable, uploadId: string, first: number, parts: readonly Uint8Array[]): Promise<void> {
  await db.query(
    `INSERT INTO sluice.message_body (upload_id, part, bytes)
     SELECT $1, $2::integer + u.n - 1, u.bytes FROM unnest($3::bytea[]) WITH ORDINALITY AS u (bytes, n)`,
    [uploadId, first, parts],
  )
}

/** Removes an upload that no message refers to. */
export async function deleteUpload(db: Queryable, uploadId: string): Promise<void> {
  await db.query('DELETE FROM sluice.message_body WHERE upload_id = $1', [uploadId])
}

/** The parts of an upload in order, one query each, so that memory stays bounded. */
export async function* readParts(db: Queryable, uploadId: string): AsyncGenerator<Uint8Array> {
  for (let part = 0; ; part++) {
    const { rows } = await db.query<{ bytes: Uint8Array }>('SELECT bytes FROM sluice.message_body WHERE upload_id = $1 AND part = $2', [
      uploadId,
      part,
    ])
    const row = rows[0]
    if (row === undefined) return
    yield row.bytes
  }
}

/** Bytes `first` to `last` of an upload, both included; of parts at the edges only what is asked for is read. */
export async function* readRange(db: Queryable, uploadId: string, first: number, last: number): AsyncGenerator<Uint8Array> {
  const { rows: parts } = await db.query<{ part: number; size: number }>(
    'SELECT part, octet_length(bytes) AS size FROM sluice.message_body WHERE upload_id = $1 ORDER BY part',
    [uploadId],
  )
  let begin = 0
  for (const { part, size } of parts) {
    const from = Math.max(first - begin, 0)
    const until = Math.min(last + 1 - begin, size)
    begin += size
    if (from >= until) continue
    const { rows } = await db.query<{ bytes: Uint8Array }>(
      'SELECT substring(bytes FROM $3 FOR $4) AS bytes FROM sluice.message_body WHERE upload_id = $1 AND part = $2',
      [uploadId, part, from + 1, until - from],
    )
    if (rows[0] !== undefined) yield rows[0].bytes
  }
}

/** Removes parts older than a day that never got a message: their sender broke off or their server died. */
export async function sweepOrphanedParts(db: Db): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM sluice.message_body b
     WHERE b.created_at < now() - interval '1 day'
       AND NOT EXISTS (SELECT FROM sluice.message m WHERE m.upload_id = b.upload_id)`,
  )
  return rowCount
}
