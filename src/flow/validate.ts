/** Stage 2: the integration's schema checks every object. 0 becomes 1, or -1 with every error and its JSON Pointer. */
import { SluiceError } from '../errors.ts'
import type { CheckedObject } from '../schema/check.ts'
import type { SchemaIssue } from '../schema/validator.ts'
import { readParts } from '../store/body.ts'
import type { Queryable } from '../store/db.ts'
import { findMessage, markIncorrect, type StoredMessage } from '../store/message.ts'
import { checkSlice, longestCheck, Pace, slicesOf } from './check-slice.ts'
import { type FlowContext, integrationOf } from './context.ts'
import { groupsOf } from './groups.ts'
import { Breather, readObjects, scanLimits } from './objects.ts'

/** Refusals that reading a stored message again may bring. */
const scanCodes = new Set([
  'json_syntax',
  'invalid_utf8',
  'too_deep',
  'too_many_objects',
  'duplicate_key',
  'unsafe_key',
  'key_too_long',
  'number_too_long',
])

/** What is wrong with a message, as kept in `message.status_details` and told to its sender. */
export interface MessageProblem {
  /** `schema`, or the scanner's code. */
  code: string
  message: string
  /** The first ones, at most `limits.errors`. */
  errors: SchemaIssue[]
  /** All of them. */
  errorCount: number
}

/**
 * Validates a message at status 0 and moves it to 1 or -1. Whoever comes second changes nothing.
 *
 * @param scanned what the scan at its reception found, if the caller has it; else the bytes are read from the store
 * @returns the message as it stands now
 */
export async function validateMessage(
  context: FlowContext,
  message: StoredMessage,
  scanned: { refusal: SluiceError | null; objects: string[] | null } = { refusal: null, objects: null },
): Promise<StoredMessage> {
  const decided = await decide(context, message, scanned)
  return decided ?? (await findMessage(context.db, message.id)) ?? message
}

async function decide(
  context: FlowContext,
  message: StoredMessage,
  scanned: { refusal: SluiceError | null; objects: string[] | null },
): Promise<StoredMessage | null> {
  if (scanned.refusal !== null) return refuse(context, message, scanned.refusal)
  try {
    return await checkObjects(context, message, scanned.objects)
  } catch (error) {
    if (error instanceof SluiceError && scanCodes.has(error.code)) return refuse(context, message, error)
    throw error
  }
}

async function refuse(context: FlowContext, message: StoredMessage, refusal: SluiceError): Promise<StoredMessage | null> {
  const { pointer } = refusal.details
  const error = { pointer: typeof pointer === 'string' ? pointer : '', code: refusal.code, message: refusal.message }
  return markIncorrect(context.db, message.id, null, {
    code: refusal.code,
    message: refusal.message,
    errors: [error],
    errorCount: 1,
    ...refusal.details,
  })
}

async function checkObjects(context: FlowContext, message: StoredMessage, objects: string[] | null): Promise<StoredMessage | null> {
  const found = await checkMessage(context, message, { objects, db: context.db })
  return found.isCorrect
    ? groupsOf(context.db).correct.add({ id: message.id, total: found.total, details: found.problem })
    : markIncorrect(context.db, message.id, found.total, found.problem)
}

/** Thrown at the first object that the schema answers for with a promise, where the caller can't wait. */
export class AsynchronousSchema extends Error {}

/**
 * What the schema says of a message. Where the valid objects of an incorrect one go on, it is correct and has a problem too. The total
 * is null where not all objects were looked at.
 */
export type Verdict =
  | { isCorrect: true; total: number; problem: MessageProblem | null }
  | { isCorrect: false; total: number | null; problem: MessageProblem }

/**
 * Checks every object of a message and changes nothing.
 *
 * @param source the texts of the objects, if the caller holds them; else they are read from the store by `db`
 * @param take is given each object in order, until the first that makes the message incorrect
 * @throws AsynchronousSchema with `take` only; SluiceErrors of the scanner
 */
export async function checkMessage(
  context: FlowContext,
  message: StoredMessage,
  source: { objects: string[] | null; db: Queryable },
  take?: (checked: CheckedObject, text: string, ordinal: number) => Promise<void> | undefined,
): Promise<Verdict> {
  const { integration, validator } = integrationOf(context, message.integration)
  const keepsValid = integration.onInvalid === 'keep-valid'
  const sensitive = context.sensitive.get(message.integration)
  const most = context.config.limits.errors
  const errors: SchemaIssue[] = []
  const breather = new Breather()
  const pace = new Pace()
  let total = 0
  let errorCount = 0
  for await (const texts of source.objects === null
    ? readObjects(readParts(source.db, message.uploadId), message.format, scanLimits(context.config))
    : [source.objects]) {
    for (const slice of slicesOf(texts, pace)) {
      const began = performance.now()
      const { checks, isStopped } = checkSlice(integration, validator, slice)
      pace.took(performance.now() - began)
      if (isStopped) return stoppedAt(total + checks.length)
      for (const [index, checking] of checks.entries()) {
        if (checking instanceof Promise && take !== undefined) throw new AsynchronousSchema()
        const checked: CheckedObject = checking instanceof Promise ? await checking : checking
        const masked = sensitive?.maskerOf(slice[index] ?? '')
        for (const issue of checked.issues) {
          if (errorCount++ >= most) continue
          const text = masked?.(issue.message) ?? issue.message
          errors.push({ ...issue, message: text, pointer: `/${total}${issue.pointer}` })
        }
        if (errorCount === 0 || keepsValid) await take?.(checked, slice[index] ?? '', total)
        total++
      }
      await breather.breathe()
    }
  }
  if (errorCount === 0) return { isCorrect: true, total, problem: null }
  const text = `${errorCount} ${errorCount === 1 ? 'error' : 'errors'} in ${total} ${total === 1 ? 'object' : 'objects'}`
  const problem = { code: 'schema', message: text, errors, errorCount }
  return keepsValid ? { isCorrect: true, total, problem } : { isCorrect: false, total, problem }
}

/** The schema didn't come to an end with an object. The message is refused whole: the object would be checked again when it is split. */
function stoppedAt(ordinal: number): Verdict {
  const code = 'validation_timeout'
  const message = `The schema took more than ${longestCheck / 1000} s for the object /${ordinal}, and was stopped; what comes after it was not checked. A regular expression that backtracks does that: mend the pattern, or bound the text before it.`
  return {
    isCorrect: false,
    total: null,
    problem: { code, message, errors: [{ pointer: `/${ordinal}`, code, message }], errorCount: 1 },
  }
}
