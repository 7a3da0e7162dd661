/** Messages with instances in a chosen state, brought there by the store's own functions and the transitions there are. */
import { createHash, randomUUID } from 'node:crypto'
import type { FailureClass, Outcome, Result } from '../../src/model/outcome.ts'
import { insertParts } from '../../src/store/body.ts'
import { addCounts, claimChunks, noCounts } from '../../src/store/chunk.ts'
import type { Db } from '../../src/store/db.ts'
import { insertChunk, loadWaiting, recordResults } from '../../src/store/instance.ts'
import { insertMessage, markCorrect, markSplit } from '../../src/store/message.ts'
import { rollUpMessages } from '../../src/store/message-group.ts'

/** What an instance of {@link splitMessageOf} becomes; `invalid` is kept in spite of a schema error. */
export type Became = 'waiting' | Outcome | FailureClass | 'invalid' | 'invalid without id'

export interface MessageOptions {
  integration?: string
  isDraft?: boolean
  chunkSize?: number
  /** How long ago it arrived. Default: now. */
  daysAgo?: number
  /** Code of its failures. Default: `broken`. */
  errorCode?: string
  /** Roll it up when nothing waits. Default: true. */
  rollUp?: boolean
}

/** A message at 0 with a body, `[{"id":"0"},…]`. Returns its id. */
export async function receivedMessage(db: Db, size: number, options: MessageOptions = {}): Promise<string> {
  const uploadId = randomUUID()
  const body = Buffer.from(JSON.stringify(Array.from({ length: size }, (_, ordinal) => ({ id: String(ordinal) }))))
  await insertParts(db, uploadId, 0, [body])
  const message = await db.transaction((tx) =>
    insertMessage(tx, {
      integration: options.integration ?? 'thing',
      source: 'test',
      idempotencyKey: undefined,
      uploadId,
      bodySha256: createHash('sha256').update(body).digest(),
      bodySize: body.length,
      format: 'json',
      isDraft: options.isDraft ?? false,
    }),
  )
  const id = message?.id ?? ''
  if (options.daysAgo !== undefined) {
    await db.query('UPDATE sluice.message SET received_at = now() - make_interval(secs => $2) WHERE id = $1', [
      id,
      options.daysAgo * 86_400,
    ])
  }
  return id
}

/** A message at 1. */
export async function correctMessage(db: Db, size: number, options: MessageOptions = {}): Promise<string> {
  const id = await receivedMessage(db, size, options)
  await markCorrect(db, id, size, null)
  return id
}

/** A split message whose instances became what is said, by ordinal; rolled up if none of them waits. */
export async function splitMessageOf(db: Db, became: readonly Became[], options: MessageOptions = {}): Promise<string> {
  const id = await correctMessage(db, became.length, options)
  const size = options.chunkSize ?? 1000
  const integration = options.integration ?? 'thing'
  await db.transaction(async (tx) => {
    for (let from = 0, number = 0; from < became.length; from += size, number++) {
      await insertChunk(
        tx,
        { messageId: id, integration, number, isDraft: options.isDraft ?? false },
        became.slice(from, from + size).map((state, index) => ({
          ordinal: from + index,
          externalId: state === 'invalid without id' ? null : `${from + index}`,
          data: JSON.stringify({ id: `${from + index}` }),
          invalid: state.startsWith('invalid') ? { message: 'is wrong', pointer: `/${from + index}`, fingerprint: 'invalid' } : null,
        })),
      )
    }
    await markSplit(tx, id, became.length)
  })
  await processMessage(db, id, (ordinal) => became[ordinal] ?? 'waiting', options)
  return id
}

/** Claims all chunks of a message and writes what `becomes` says; what shall wait is given back with its chunk. */
export async function processMessage(
  db: Db,
  id: string,
  becomes: (ordinal: number) => Became,
  options: Pick<MessageOptions, 'integration' | 'errorCode' | 'rollUp'> = {},
): Promise<void> {
  for (;;) {
    const claim = { integrations: [options.integration ?? 'thing'], worker: 'rows', leaseSeconds: 60, size: 1000, messageId: id }
    const [chunk] = await claimChunks(db, claim)
    if (chunk === undefined) break
    await db.transaction(async (tx) => {
      const counts = noCounts()
      const results = (await loadWaiting(tx, [chunk.id])).flatMap((instance) => {
        const state = becomes(instance.ordinal)
        if (state === 'waiting') return []
        const result = resultOf(state, options.errorCode ?? 'broken')
        counts['failed' in result ? 'failed' : result.outcome]++
        return [
          { instance, integration: options.integration ?? 'thing', result, fingerprint: 'failed' in result ? result.failed.code : '' },
        ]
      })
      if (results.length > 0) await recordResults(tx, results)
      await addCounts(tx, new Map([[chunk.id, counts]]))
    })
    // Far in the future, or this loop would claim it again.
    await db.query(
      `UPDATE sluice.chunk SET state = 'ready', lease_until = NULL, worker = NULL, due_at = now() + interval '1 hour' WHERE id = $1 AND state = 'claimed'`,
      [chunk.id],
    )
  }
  if (options.rollUp !== false) await rollUpMessages(db, [id])
}

function resultOf(state: Exclude<Became, 'waiting'>, code: string): Result {
  if (state === 'transient' || state === 'permanent' || state === 'missing_reference')
    return { failed: { code, class: state, message: `it is ${state}` } }
  if (state === 'invalid' || state === 'invalid without id') return { failed: { code: 'invalid', class: 'permanent', message: 'is wrong' } }
  return { outcome: state, changes: { name: { before: null, after: 'x' } } }
}

/** An instance, as these tests look at it. */
export interface InstanceRow {
  ordinal: number
  status: number
  outcome: string | null
  generation: number
  attempts: number
  history: { at: string; outcome?: string; error?: { code: string }; changes?: unknown }[]
  chunkId: string
}

/** All instances of a message, by ordinal. */
export async function instancesOf(db: Db, id: string): Promise<InstanceRow[]> {
  const { rows } = await db.query<Omit<InstanceRow, 'history'> & { history: string }>(
    `SELECT ordinal, status, outcome, generation, attempts, coalesce(history, '[]') AS history, chunk_id AS "chunkId"
     FROM sluice.instance WHERE message_id = $1 ORDER BY ordinal`,
    [id],
  )
  return rows.map((row) => ({ ...row, history: JSON.parse(row.history) as InstanceRow['history'] }))
}

/** A chunk, as these tests look at it. */
export interface ChunkRow {
  id: string
  kind: string
  number: number
  state: string
  isDraft: boolean
  ordinals: number[] | null
  total: number
  failed: number
  processed: number
}

/** All chunks of a message, by number. */
export async function chunksOf(db: Db, id: string): Promise<ChunkRow[]> {
  const { rows } = await db.query<ChunkRow>(
    `SELECT id, kind, number, state, is_draft AS "isDraft", ordinals, total, failed,
       created + updated + unchanged + deleted + superseded + ignored AS processed
     FROM sluice.chunk WHERE message_id = $1 ORDER BY number`,
    [id],
  )
  return rows
}

/** Status of a message. */
export async function statusOf(db: Db, id: string): Promise<number | undefined> {
  const { rows } = await db.query<{ status: number }>('SELECT status FROM sluice.message WHERE id = $1', [id])
  return rows[0]?.status
}
