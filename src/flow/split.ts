/** Stage 3: the list becomes instances, in order, in chunks; all in one transaction, so that none comes twice. */
import { messageOf, SluiceError } from '../errors.ts'
import { fingerprintOf } from '../model/fingerprint.ts'
import { checkObject } from '../schema/check.ts'
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
  const { integration, validator } = integrationOf(context, message.integration)
  const size = context.config.chunkSize
  const breather = new Breather()
  let pending: NewInstance[] = []
  let total = 0
  let number = 0
  const flush = async (): Promise<void> => {
    await insertChunk(tx, { messageId: message.id, integration: message.integration, number: number++, isDraft: message.isDraft }, pending)
    pending = []
  }
  for await (const texts of readObjects(readParts(tx, message.uploadId), message.format, scanLimits(context.config))) {
    for (const text of texts) {
      const checking = checkObject(integration, validator, text)
      const checked = checking instanceof Promise ? await checking : checking
      const issue = checked.issues[0]
      if (issue !== undefined && integration.onInvalid !== 'keep-valid') {
        throw new SluiceError('schema_changed', `object ${total} no longer passes the schema: ${issue.message} at /${total}${issue.pointer}`)
      }
      pending.push({
        ordinal: total,
        externalId: checked.externalId,
        data: text,
        invalid: issue === undefined ? null : { message: issue.message, pointer: `/${total}${issue.pointer}`, fingerprint: fingerprintOf('invalid', issue.message) },
      })
      total++
      if (pending.length === size) await flush()
      await breather.breathe()
    }
  }
  if (pending.length > 0) await flush()
  return total
}
