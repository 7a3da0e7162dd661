/** Stage 3: the list becomes instances, in order, in chunks; all in one transaction, so that none comes twice. */
import { messageOf, SluiceError } from '../errors.ts'
import { fingerprintOf } from '../model/fingerprint.ts'
import { type CheckedObject, checkObject, identifyObject } from '../schema/check.ts'
import { readParts } from '../store/body.ts'
import type { Transaction } from '../store/db.ts'
import { insertChunk, type NewInstance } from '../store/instance.ts'
import { lockForSplit, markSplit, markSplitFailed, type StoredMessage } from '../store/message.ts'
import { classify } from '../store/sqlstate.ts'
import { type FlowContext, integrationOf } from './context.ts'
import { Breather, readObjects, scanLimits } from './objects.ts'

/** What became of a split: `not_due` when the message may not be split, or somebody else is at it. */
export type SplitResult = { state: 'split'; instances: number } | { state: 'failed' } | { state: 'not_due' }

/**
 * Splits a message at 1 or -2. A failure makes it -2 with the reason; a failure of the surroundings is thrown and leaves
 * it as it was.
 */
export async function splitMessage(context: FlowContext, id: string): Promise<SplitResult> {
  try {
    return await context.db.transaction(async (tx) => {
      const message = await lockForSplit(tx, id)
      if (message === null) return { state: 'not_due' }
      const instances = await insertInstances(tx, context, message)
      await markSplit(tx, id, instances)
      return { state: 'split', instances }
    })
  } catch (error) {
    if (classify(error) === 'surroundings') throw error
    context.log.error({ error, message: id }, 'split failed')
    await markSplitFailed(context.db, id, { code: error instanceof SluiceError ? error.code : 'split_failed', message: messageOf(error) })
    return { state: 'failed' }
  }
}

async function insertInstances(tx: Transaction, context: FlowContext, message: StoredMessage): Promise<number> {
  const size = context.config.chunkSize
  const breather = new Breather()
  let pending: NewInstance[] = []
  let total = 0
  let number = 0
  // One chunk is being inserted while the next one is read.
  let inserting: Promise<void> = Promise.resolve()
  const flush = async (): Promise<void> => {
    await inserting
    const chunk = { messageId: message.id, integration: message.integration, number: number++, isDraft: message.isDraft }
    inserting = insertChunk(tx, chunk, pending)
    // Its failure is thrown where it is awaited.
    inserting.catch(() => undefined)
    pending = []
  }
  try {
    for await (const texts of readObjects(readParts(tx, message.uploadId), message.format, scanLimits(context.config))) {
      for (const text of texts) {
        const read = readInstance(context, message, total, text)
        pending.push(read instanceof Promise ? await read : read)
        total++
        if (pending.length === size) await flush()
        await breather.breathe()
      }
    }
    if (pending.length > 0) await flush()
    await inserting
  } catch (error) {
    // What failed first tells why; what fails after it in the same transaction only says that it has failed.
    await inserting
    throw error
  }
  return total
}

/**
 * One object as an instance. Where one incorrect object refuses its message all were checked, and only the external ID is
 * read; where the valid ones go on, each is checked again to tell which they are.
 */
function readInstance(context: FlowContext, message: StoredMessage, ordinal: number, text: string): NewInstance | Promise<NewInstance> {
  const { integration, validator } = integrationOf(context, message.integration)
  if (integration.onInvalid === 'refuse') {
    const externalId = identifyObject(integration, text)
    if (externalId !== null) return { ordinal, externalId, data: text, invalid: null }
    throw new SluiceError(
      'key_changed',
      `object ${ordinal} has no external ID at "${integration.key}": the integration's key was changed after it had been received`,
    )
  }
  const checking = checkObject(integration, validator, text)
  return checking instanceof Promise ? checking.then((checked) => toInstance(checked, ordinal, text)) : toInstance(checking, ordinal, text)
}

function toInstance(checked: CheckedObject, ordinal: number, data: string): NewInstance {
  const issue = checked.issues[0]
  if (issue === undefined) return { ordinal, externalId: checked.externalId, data, invalid: null }
  const invalid = { message: issue.message, pointer: `/${ordinal}${issue.pointer}`, fingerprint: fingerprintOf('invalid', issue.message) }
  return { ordinal, externalId: checked.externalId, data, invalid }
}
