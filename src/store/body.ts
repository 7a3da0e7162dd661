/** The exact bytes of messages, in parts of at most 1 MiB (`sluice.message_body`). */
import type { Db, Queryable } from './db.ts'

/** Largest part, in bytes; the table refuses more. */
export const partSize = 1024 * 1024

/** Stores parts `first`, `first + 1`, … of an upload. */
export async function insertParts(db: Queryable, uploadId: string, first: number, parts: readonly Uint8Array[]): Promise<void> {
  for (const [index, bytes] of parts.entries()) {
    await db.query('INSERT INTO sluice.message_body (upload_id, part, bytes) VALUES ($1, $2, $3)', [uploadId, first + index, bytes])
  }
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

/** Removes parts older than a day that never got a message: their sender broke off or their server died. */
export async function sweepOrphanedParts(db: Db): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM sluice.message_body b
     WHERE b.created_at < now() - interval '1 day'
       AND NOT EXISTS (SELECT FROM sluice.message m WHERE m.upload_id = b.upload_id)`,
  )
  return rowCount
}
