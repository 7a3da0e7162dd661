/** The body of a message on its way in: its format, its encoding, its size as sent. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { messageOf, SluiceError } from '../errors.ts'

/** Content types and what they mean. None at all is JSON. */
const formats: Record<string, 'json' | 'ndjson'> = {
  '': 'json',
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
}

/**
 * The format that a request's Content-Type says.
 *
 * @throws SluiceError `unsupported_media_type`
 */
export function formatOf(request: Request): 'json' | 'ndjson' {
  const header = request.headers.get('Content-Type') ?? ''
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase())
  const format = Object.hasOwn(formats, type) ? formats[type] : undefined
  if (format === undefined) {
    throw new SluiceError(
      'unsupported_media_type',
      `The Content-Type is "${type}". Say "Content-Type: application/json", or application/x-ndjson for one object per line.`,
    )
  }
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '')
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw new SluiceError('unsupported_media_type', `The charset is "${charset}". JSON is sent in UTF-8 (RFC 8259, 8.1).`)
  }
  return format
}

/**
 * The bytes of a body after Content-Encoding, read as they come. What is wrong on the way is thrown to whoever reads.
 *
 * @param limit most bytes as sent
 * @throws SluiceError at once: `unsupported_encoding`, `body_too_large` by Content-Length; while it is read:
 *   `body_too_large`, `bad_encoding`, `body_interrupted`
 */
export function decodedBody(request: Request, limit: number): AsyncIterable<Uint8Array> {
  const encoding = (request.headers.get('Content-Encoding') ?? 'identity').trim().toLowerCase()
  const isGzip = encoding === 'gzip' || encoding === 'x-gzip'
  if (!isGzip && encoding !== 'identity' && encoding !== '') {
    throw new SluiceError('unsupported_encoding', `The Content-Encoding is "${encoding}". It may be gzip, or none.`)
  }
  const announced = Number(request.headers.get('Content-Length') ?? 0)
  if (announced > limit) throw tooLarge(limit, adviceOfOption)
  const sent = sentBytes(request, limit, adviceOfOption)
  return isGzip ? gunzipped(sent) : sent
}

/** What to do about a body that is larger than the option. */
export const adviceOfOption = 'That is the option limits.body. Send it in several messages, or compress it.'

/**
 * The bytes of a body as sent.
 *
 * @param advice what to do about one that is larger
 * @throws SluiceError `body_too_large`, `body_interrupted`
 */
export async function* sentBytes(request: Request, limit: number, advice: string): AsyncGenerator<Uint8Array> {
  if (request.body === null) return
  const reader = (request.body as ReadableStream<Uint8Array>).getReader()
  let size = 0
  let isDone = false
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(interrupted)
      isDone = done
      if (done) return
      size += value.length
      if (size > limit) throw tooLarge(limit, advice)
      yield value
    }
  } finally {
    // Whoever reads may stop early: the rest is not wanted then.
    if (!isDone) await reader.cancel().catch(() => undefined)
  }
}

function interrupted(error: unknown): never {
  throw new SluiceError('body_interrupted', `The body broke off before its end (${messageOf(error)}). Nothing was kept; send it again.`, {
    cause: error,
  })
}

async function* gunzipped(sent: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip()
  // The failure of either side ends the loop below, which says it.
  const source = Readable.from(sent, { objectMode: false })
  pipeline(source, gunzip).catch(() => undefined)
  try {
    for await (const bytes of gunzip) yield bytes as Uint8Array
  } catch (error) {
    if (error instanceof SluiceError) throw error
    throw new SluiceError('bad_encoding', `The body is no whole gzip (${messageOf(error)}). Nothing was kept.`, { cause: error })
  } finally {
    gunzip.destroy()
  }
}

function tooLarge(limit: number, advice: string): SluiceError {
  return new SluiceError('body_too_large', `The body is larger than ${limit} bytes as sent. ${advice}`, { details: { limit } })
}
