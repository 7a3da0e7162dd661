/** Stage 2: the integration's schema checks every object. 0 becomes 1, or -1 with every error and its JSON Pointer. */
import { SluiceError } from '../errors.ts'
import type { CheckedObject } from '../schema/check.ts'
import { checkObject } from '../schema/check.ts'
import type { SchemaIssue } from '../schema/validator.ts'
import { readParts } from '../store/body.ts'
import type { Queryable } from '../store/db.ts'
import { findMessage, markIncorrect, type StoredMessage } from '../store/message.ts'
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
  const { isCorrect, total, problem } = await checkMessage(context, message, { objects, db: context.db })
  return isCorrect
    ? groupsOf(context.db).correct.add({ id: message.id, total, details: problem })
    : markIncorrect(context.db, message.id, total, problem ?? { code: 'schema' })
}

/** Thrown at the first object that the schema answers for with a promise, where the caller can't wait. */
export class AsynchronousSchema extends Error {}

/** What the schema says of a message. */
export interface Verdict {
  /** False: the message is to be -1. */
  isCorrect: boolean
  total: number
  /** What is wrong; where the valid objects of an incorrect message go on, a correct one has a problem too. */
  problem: MessageProblem | null
}

/**
 * Checks every object of a message and changes nothing.
 *
 * @param source the texts of the objects, if the caller holds them; else they are read from the store by `db`
 * @param take is given each object in order, until the first that makes the message incorrect
 * @throws AsynchronousSchema with `take` only
 */
export async function checkMessage(
  context: FlowContext,
  message: StoredMessage,
  source: { objects: string[] | null; db: Queryable },
  take?: (checked: CheckedObject, text: string, ordinal: number) => Promise<void> | undefined,
): Promise<Verdict> {
  const { integration, validator } = integrationOf(context, message.integration)
  const keepsValid = integration.onInvalid === 'keep-valid'
  const most = context.config.limits.errors
  const errors: SchemaIssue[] = []
  const breather = new Breather()
  let total = 0
  let errorCount = 0
  for await (const texts of source.objects === null
    ? readObjects(readParts(source.db, message.uploadId), message.format, scanLimits(context.config))
    : [source.objects]) {
    for (const text of texts) {
      const checking = checkObject(integration, validator, text)
      if (checking instanceof Promise && take !== undefined) {
        checking.catch(() => undefined)
        throw new AsynchronousSchema()
      }
      const checked: CheckedObject = checking instanceof Promise ? await checking : checking
      for (const issue of checked.issues) {
        if (errorCount++ < most) errors.push({ ...issue, pointer: `/${total}${issue.pointer}` })
      }
      if (errorCount === 0 || keepsValid) await take?.(checked, text, total)
      total++
      await breather.breathe()
    }
  }
  if (errorCount === 0) return { isCorrect: true, total, problem: null }
  const text = `${errorCount} ${errorCount === 1 ? 'error' : 'errors'} in ${total} ${total === 1 ? 'object' : 'objects'}`
  return { isCorrect: keepsValid, total, problem: { code: 'schema', message: text, errors, errorCount } }
}
