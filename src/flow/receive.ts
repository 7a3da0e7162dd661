/** Stage 1: the exact bytes and their SHA-256 are committed first, status 0. What is not JSON is kept too. */
import { createHash, randomUUID } from 'node:crypto'
import { SluiceError } from '../errors.ts'
import { deleteUpload, insertParts, partSize } from '../store/body.ts'
import type { Queryable } from '../store/db.ts'
import { findByIdempotencyKey, insertMessage, type StoredMessage } from '../store/message.ts'
import { type FlowContext, integrationOf } from './context.ts'
import { groupsOf, smallBytes } from './groups.ts'
import { ObjectReader, scanLimits } from './objects.ts'

/** A message as it comes in. */
export interface ReceiveInput {
  integration: string
  /** Who sends: the name of the token. */
  source: string
  /** The bytes after Content-Encoding. */
  body: AsyncIterable<Uint8Array>
  format: 'json' | 'ndjson'
  /** Unique per source: the same key and body give the first receipt again. */
  idempotencyKey?: string | undefined
  isDraft: boolean
}

/** A message that is stored, with what the scan of its bytes found on the way. */
export interface Received {
  message: StoredMessage
  /** The source had sent it before, with the same idempotency key. */
  repeated: boolean
  /** Why it is no JSON of ours; null when it is. */
  refusal: SluiceError | null
  /** Texts of the objects; null when they are too many to hold (read them from the store) or there is a refusal. */
  objects: string[] | null
}

/** Texts of a message larger than this are not held in memory. */
const heldBytes = 32 * 1024 * 1024

/**
 * Stores a message. When this returns, it is committed.
 *
 * @throws SluiceError `unknown_integration`, `decompressed_too_large`, `too_many_objects` (nothing is kept of these),
 *   `idempotency_conflict` (the key came before with another body, or for another integration)
 */
export async function receiveMessage(context: FlowContext, input: ReceiveInput): Promise<Received> {
  integrationOf(context, input.integration)
  const upload = new Upload(context)
  const scan = new Scan(context, input.format)
  let storing = Promise.resolve()
  try {
    for await (const bytes of input.body) {
      // The scan goes on while a part is being stored.
      storing = upload.add(bytes)
      scan.add(bytes)
      await storing
    }
    scan.end()
    return await commit(context, input, upload, scan)
  } catch (error) {
    await storing.catch(() => undefined)
    await upload.discard()
    throw error
  }
}

async function commit(context: FlowContext, input: ReceiveInput, upload: Upload, scan: Scan): Promise<Received> {
  const bodySha256 = upload.digest()
  const { integration, source, idempotencyKey, format, isDraft } = input
  const sent = { integration, source, idempotencyKey, uploadId: upload.id, bodySha256, bodySize: upload.size, format, isDraft }
  const message =
    upload.size <= smallBytes
      ? await groupsOf(context.db).inserted.add({ ...sent, body: upload.pending() })
      : await context.db.transaction(async (tx) => {
          const inserted = await insertMessage(tx, sent)
          if (inserted !== null) await upload.flush(tx)
          return inserted
        })
  if (message !== null) return { message, repeated: false, refusal: scan.refusal, objects: scan.objects }

  await upload.discard()
  const key = input.idempotencyKey ?? ''
  const first = await findByIdempotencyKey(context.db, input.source, key)
  const difference = first === null ? 'with another body' : differenceOf(first, input, bodySha256)
  if (first === null || difference !== null) {
    throw new SluiceError(
      'idempotency_conflict',
      `The idempotency key "${key}" was used before ${difference}${first === null ? '' : ` (message ${first.id})`}. Use a new key for a new message.`,
      first === null ? {} : { details: { id: first.id } },
    )
  }
  return { message: first, repeated: true, refusal: null, objects: null }
}

/** How a message differs from the first one with its idempotency key; null when it is the same. */
function differenceOf(first: StoredMessage, input: ReceiveInput, bodySha256: Buffer): string | null {
  if (first.integration !== input.integration) return `for the integration "${first.integration}"`
  if (!Buffer.from(first.bodySha256).equals(bodySha256)) return 'with another body'
  if (first.isDraft !== input.isDraft) return first.isDraft ? 'for a draft' : 'for what is no draft'
  return first.format === input.format ? null : `for a body of the format ${first.format}`
}

/** Parts that are stored in one statement. */
const partsAtOnce = 4

/** Bytes on their way into the store: parts, committed while the stream runs. */
class Upload {
  readonly id = randomUUID()
  size = 0
  readonly #context: FlowContext
  readonly #hash = createHash('sha256')
  #pending: Uint8Array[] = []
  #pendingSize = 0
  #storedParts = 0

  constructor(context: FlowContext) {
    this.#context = context
  }

  async add(bytes: Uint8Array): Promise<void> {
    this.size += bytes.length
    const limit = this.#context.config.limits.decompressed
    if (this.size > limit) {
      throw new SluiceError(
        'decompressed_too_large',
        `The body is larger than ${limit} bytes (limits.decompressed). Send it in several messages.`,
        {
          details: { limit },
        },
      )
    }
    this.#hash.update(bytes)
    this.#pending.push(bytes)
    this.#pendingSize += bytes.length
    if (this.#pendingSize > partsAtOnce * partSize) {
      const { full, rest } = cut(Buffer.concat(this.#pending))
      this.#pending = [rest]
      this.#pendingSize = rest.length
      await this.#store(this.#context.db, full)
    }
  }

  async #store(db: Queryable, parts: readonly Uint8Array[]): Promise<void> {
    for (let from = 0; from < parts.length; from += partsAtOnce) {
      const some = parts.slice(from, from + partsAtOnce)
      await insertParts(db, this.id, this.#storedParts, some)
      this.#storedParts += some.length
    }
  }

  digest(): Buffer {
    return this.#hash.digest()
  }

  /** What isn't stored yet. */
  pending(): Uint8Array {
    return Buffer.concat(this.#pending)
  }

  /** Stores what is still pending; an empty body has one empty part. */
  async flush(tx: Queryable): Promise<void> {
    if (this.#pendingSize === 0 && this.#storedParts > 0) return
    const { full, rest } = cut(Buffer.concat(this.#pending))
    await this.#store(tx, [...full, rest])
  }

  /** Removes what was stored. What can't be removed now is swept by age. */
  async discard(): Promise<void> {
    if (this.#storedParts === 0) return
    await deleteUpload(this.#context.db, this.id).catch((error: unknown) => {
      this.#context.log.warn({ error, upload: this.id }, 'parts of a refused body stay until they are swept')
    })
  }
}

function cut(bytes: Buffer): { full: Buffer[]; rest: Buffer } {
  const full: Buffer[] = []
  let from = 0
  for (; bytes.length - from > partSize; from += partSize) full.push(bytes.subarray(from, from + partSize))
  return { full, rest: bytes.subarray(from) }
}

/** The scan that runs beside the upload: after a refusal the bytes still come in, unread. */
class Scan {
  refusal: SluiceError | null = null
  objects: string[] | null = []
  readonly #reader: ObjectReader
  #size = 0

  constructor(context: FlowContext, format: 'json' | 'ndjson') {
    this.#reader = new ObjectReader(format, scanLimits(context.config))
  }

  add(bytes: Uint8Array): void {
    this.#size += bytes.length
    if (this.#size > heldBytes && this.objects !== null) {
      this.objects = null
      this.#reader.onlyScan()
    }
    this.#guarded(() => this.#reader.push(bytes))
  }

  end(): void {
    this.#guarded(() => this.#reader.end())
  }

  #guarded(read: () => string[]): void {
    if (this.refusal !== null) return
    try {
      const texts = read()
      if (this.objects !== null) for (const text of texts) this.objects.push(text)
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code === 'too_many_objects') throw error
      this.refusal = error
      this.objects = null
    }
  }
}
