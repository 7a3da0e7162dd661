/** Sends a file, or standard input, as one message. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type Readable, Transform } from 'node:stream'
import { createGzip } from 'node:zlib'
import { messageOf, SluiceError } from '../errors.ts'
import type { DryRun, Receipt } from '../http/contract/message.ts'
import type { Client } from './client.ts'

export interface Upload {
  integration: string
  /** A path, or `-` for standard input. A name that ends in `.gz` is sent as it is, anything else is compressed on the way. */
  file: string
  /** Lines of objects instead of JSON. Default: told by the name (`.ndjson`, `.jsonl`, also with `.gz`). */
  ndjson?: boolean | undefined
  idempotencyKey?: string | undefined
  /** Sets the message's draft flag. */
  draft?: boolean | undefined
  /** Called as the bytes of the file go out; `total` is null for standard input. */
  onProgress?: ((sent: number, total: number | null) => void) | undefined
}

/**
 * Sends a message and returns its receipt.
 *
 * @throws SluiceError `file_unreadable`, `unreachable`; AnswerError when the message is refused
 */
export async function sendMessage(client: Client, upload: Upload): Promise<Receipt> {
  return (await post(client, upload, false)) as Receipt
}

/** Asks what would become of a message; nothing is kept. Throws as {@link sendMessage} does. */
export async function dryRunMessage(client: Client, upload: Upload): Promise<DryRun> {
  return (await post(client, upload, true)) as DryRun
}

async function post(client: Client, upload: Upload, dryRun: boolean): Promise<unknown> {
  const { file, onProgress } = upload
  const total = file === '-' ? null : await sizeOf(file)
  const source = file === '-' ? process.stdin : createReadStream(file)
  const counted = source.pipe(counting((sent) => onProgress?.(sent, total)))
  source.once('error', (error: Error) => counted.destroy(error))
  const isCompressed = file.endsWith('.gz')
  const stream = isCompressed ? counted : compressed(counted)
  const query = new URLSearchParams({ ...(upload.draft === true ? { draft: 'true' } : {}), ...(dryRun ? { dryRun: 'true' } : {}) })
  const answer = await client.request(
    'POST',
    `api/integrations/${encodeURIComponent(upload.integration)}/messages${query.size > 0 ? `?${query}` : ''}`,
    {
      stream,
      headers: {
        'content-type': isNdjson(upload) ? 'application/x-ndjson' : 'application/json',
        'content-encoding': 'gzip',
        ...(upload.idempotencyKey === undefined ? {} : { 'idempotency-key': upload.idempotencyKey }),
      },
    },
  )
  return answer.body
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((error: unknown) => {
    throw new SluiceError('file_unreadable', `${file} can't be read: ${messageOf(error)}.`, { cause: error })
  })
  if (!found.isFile()) throw new SluiceError('file_unreadable', `${file} is no file.`)
  return found.size
}

function isNdjson({ file, ndjson }: Upload): boolean {
  return ndjson ?? /\.(ndjson|jsonl)(\.gz)?$/.test(file)
}

function counting(onCount: (bytes: number) => void): Transform {
  let count = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      count += chunk.length
      onCount(count)
      done(null, chunk)
    },
  })
}

function compressed(source: Readable): Readable {
  const gzip = createGzip()
  source.once('error', (error) => gzip.destroy(error))
  return source.pipe(gzip)
}
