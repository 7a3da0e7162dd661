/** Request headers that take some reading. */
import { SluiceError } from '../errors.ts'

/** Longest that `Prefer: wait=N` waits, in seconds. */
export const longestWait = 60

/** Seconds that `Prefer: wait=N` asks for (RFC 7240, 4.3), at most 60; null when it doesn't. What isn't understood is passed over, as the RFC has it. */
export function waitOf(request: Request): number | null {
  for (const preference of (request.headers.get('Prefer') ?? '').split(/[,;]/)) {
    const seconds = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*$/i.exec(preference)?.[1]
    if (seconds !== undefined) return Math.min(Number(seconds), longestWait)
  }
  return null
}

const visible = /^[\x21-\x7e]{1,255}$/

/**
 * The Idempotency-Key, bare or as the quoted string that the draft of the header has (draft-ietf-httpapi-idempotency-key-header).
 *
 * @throws SluiceError `bad_idempotency_key`
 */
export function idempotencyKeyOf(request: Request): string | undefined {
  const header = request.headers.get('Idempotency-Key')
  if (header === null) return undefined
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header.trim())?.[1]
  const key = quoted === undefined ? header.trim() : quoted.replace(/\\(["\\])/g, '$1')
  if (visible.test(key)) return key
  throw new SluiceError('bad_idempotency_key', 'The Idempotency-Key must be 1 to 255 visible ASCII characters, bare or in double quotes.')
}

/** True when a client would rather have NDJSON than JSON. */
export function prefersNdjson(request: Request): boolean {
  const accept = (request.headers.get('Accept') ?? '').toLowerCase()
  const types = accept.split(',').map((range) => range.split(';')[0]?.trim() ?? '')
  const ndjson = types.findIndex((type) => type === 'application/x-ndjson' || type === 'application/ndjson' || type === 'application/jsonl')
  const json = types.indexOf('application/json')
  return ndjson !== -1 && (json === -1 || ndjson < json)
}

/**
 * The bytes that a Range header asks for (RFC 9110, 14.1.2), both included. Null when there is none, or one that a server may
 * pass over: several ranges, other units, and what lies outside the body.
 */
export function rangeOf(request: Request, size: number): { first: number; last: number } | null {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec((request.headers.get('Range') ?? '').trim()) ?? []
  if (from === '' && to === '') return null
  const first = from === '' ? Math.max(size - Number(to), 0) : Number(from)
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  return first > last ? null : { first, last }
}
