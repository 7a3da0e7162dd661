/** Refusals as `application/problem+json` (RFC 9457). */
import { randomUUID } from 'node:crypto'
import { SluiceError } from '../errors.ts'
import { DatabaseError } from '../store/db.ts'
import { classify } from '../store/sqlstate.ts'
import type { Logger } from '../targets/target.ts'
import type { Issue, Problem } from './contract/common.ts'
import { stringify } from './json.ts'

/** Status and title of each code. What the scanner says of a body has other codes and is 400 `refused`. */
const kinds: Record<string, { status: number; title: string }> = {
  bad_request: { status: 400, title: 'The request is not right' },
  invalid_parameters: { status: 400, title: 'The parameters of the run are not right' },
  invalid_cursor: { status: 400, title: 'The cursor is not right' },
  bad_encoding: { status: 400, title: "The body can't be decoded" },
  bad_idempotency_key: { status: 400, title: 'The idempotency key is not right' },
  body_interrupted: { status: 400, title: 'The body broke off' },
  search_too_wide: { status: 400, title: 'The search took too long' },
  unauthorized: { status: 401, title: 'A token is needed' },
  bad_signature: { status: 401, title: 'The signature is not right' },
  forbidden: { status: 403, title: 'The token may not do this' },
  not_found: { status: 404, title: 'There is no such thing' },
  unknown_integration: { status: 404, title: 'There is no such integration' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  idempotency_conflict: { status: 409, title: 'The idempotency key was used before' },
  token_name_taken: { status: 409, title: 'The name is taken' },
  token_name_reserved: { status: 409, title: 'The name is reserved' },
  target_mismatch: { status: 409, title: "The target doesn't fit the mapping" },
  pruned: { status: 410, title: 'It is not kept any longer' },
  body_too_large: { status: 413, title: 'The body is too large' },
  decompressed_too_large: { status: 413, title: 'The body is too large' },
  too_many_objects: { status: 413, title: 'The message has too many objects' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  unsupported_encoding: { status: 415, title: 'The content encoding is not supported' },
  schema: { status: 422, title: 'The message is not correct' },
  validation_timeout: { status: 422, title: 'The message could not be checked in time' },
  too_many_requests: { status: 429, title: 'Too many messages' },
  not_ready: { status: 503, title: 'Not ready' },
  unavailable: { status: 503, title: 'Not to be had now' },
  internal: { status: 500, title: 'Something went wrong here' },
}

const refused = { status: 400, title: 'The body is no JSON that can be taken' }

/** Seconds after which it is worth trying again when the database does not answer. */
const retryAfter = '5'

/** What a problem carries beside its code. */
export interface ProblemFields {
  detail: string
  instance?: string | undefined
  errors?: Issue[] | undefined
  errorCount?: number | undefined
  /** Id of the message that was kept. */
  id?: string | undefined
  [more: string]: unknown
}

/** A problem as a response. A code without a row in the table above is a refusal of the body: 400. */
export function problemResponse(code: string, fields: ProblemFields, headers: Record<string, string> = {}): Response {
  const { status, title } = kinds[code] ?? refused
  const { detail, ...more } = fields
  const problem: Problem = { type: `urn:sluice:${code}`, title, status, detail, code, ...more }
  return new Response(stringify(problem), { status, headers: { 'Content-Type': 'application/problem+json; charset=utf-8', ...headers } })
}

/** Headers that go with a code. */
function headersOf(code: string): Record<string, string> {
  if (code === 'unauthorized') return { 'WWW-Authenticate': 'Bearer realm="sluice"' }
  if (code === 'unsupported_media_type') return { 'Accept-Post': 'application/json, application/x-ndjson' }
  if (code === 'unsupported_encoding') return { 'Accept-Encoding': 'gzip, identity' }
  if (code === 'unavailable' || code === 'not_ready') return { 'Retry-After': retryAfter }
  return {}
}

/** When to come again, where the error knows it better than its code. */
function retryOf({ details }: SluiceError): Record<string, string> {
  return typeof details.retryAfter === 'number' ? { 'Retry-After': String(details.retryAfter) } : {}
}

/** Answers whatever a handler threw. What was not meant to be seen is logged, and answered without its text. */
export function problemOf(error: unknown, log: Logger): Response {
  if (error instanceof SluiceError && kinds[error.code] !== undefined) {
    return problemResponse(error.code, { detail: error.message, ...error.details }, { ...headersOf(error.code), ...retryOf(error) })
  }
  if (error instanceof DatabaseError && classify(error) === 'surroundings') {
    log.warn({ error }, 'a request failed: the database does not answer')
    return problemResponse(
      'unavailable',
      { detail: `The request was not done. Try again in ${retryAfter} seconds.` },
      headersOf('unavailable'),
    )
  }
  if (error instanceof SluiceError && error.retryable) {
    log.warn({ error }, 'a request failed; it may succeed later')
    return problemResponse('unavailable', { detail: error.message }, headersOf('unavailable'))
  }
  const instance = `urn:uuid:${randomUUID()}`
  log.error({ error, instance }, 'a request failed')
  return problemResponse('internal', { detail: `The log of the server says more, at ${instance}.`, instance })
}

/** A refusal of the request itself, with what is wrong with its parts; `errorCount` where these are only the first of them. */
export function badRequest(detail: string, errors: Issue[], errorCount = errors.length): SluiceError {
  return new SluiceError('bad_request', detail, { details: { errors, errorCount } })
}

/** A statement that was given too little time for what it was asked for (57014) as `search_too_wide`; anything else as it is. */
export function tooWide(error: unknown): never {
  if (!(error instanceof DatabaseError) || error.sqlstate !== '57014') throw error
  throw new SluiceError('search_too_wide', 'The search took too long. Narrow "from" and "to", or name an integration.', { cause: error })
}
