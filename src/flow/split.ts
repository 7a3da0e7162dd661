/** Stage 3: the list becomes instances, in order, in chunks; all in one transaction, so that none comes twice. */
import { messageOf, SluiceError } from '../errors.ts'
import { fingerprintOf } from '../model/fingerprint.ts'
import { type CheckedObject, checkObject, identifyObject } from '../schema/check.ts'
import type { SensitiveFields } from '../schema/sensitive.ts'
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
  const limit = context.config.worker.lease * 1000
  const limits = { statementTimeout: limit, idleTimeout: limit }
  try {
    return await context.db.transaction(async (tx) => {
      const message = await lockForSplit(tx, id)
      if (message === null) return { state: 'not_due' }
      const instances = await insertInstances(tx, context, message)
      await markSplit(tx, id, instances)
      return { state: 'split', instances }
    }, limits)
  } catch (error) {
    if (classify(error) === 'surroundings') throw error
    context.log.error({ error, message: id }, 'split failed')
    await markSplitFailed(context.db, id, { code: error instanceof SluiceError ? error.code : 'split_failed', message: messageOf(error) })
    return { state: 'failed' }
  }
}

async function insertInstances(tx: Transaction, context: FlowContext, message: StoredMessage): Promise<number> {
  const splitter = new Splitter(tx, context.config.chunkSize, message)
  const breather = new Breather()
  try {
    for await (const texts of readObjects(readParts(tx, message.uploadId), message.format, scanLimits(context.config))) {
      for (const text of texts) {
        const read = readInstance(context, message, splitter.count, text)
        await splitter.add(read instanceof Promise ? await read : read)
        await breather.breathe()
      }
    }
    return await splitter.end()
  } catch (error) {
    await splitter.settle()
    throw error
  }
}

/** Characters of text after which a chunk is full, however few instances it has: a worker holds all of it in memory. */
const mostCharacters = 1024 * 1024

/** Puts instances into chunks as they come, in order. One chunk is being inserted while the next one fills. */
export class Splitter {
  readonly #tx: Transaction
  readonly #size: number
  readonly #message: StoredMessage
  #pending: NewInstance[] = []
  #characters = 0
  #inserting: Promise<void> = Promise.resolve()
  #chunks = 0
  #count = 0

  /** @param size most instances in a chunk */
  constructor(tx: Transaction, size: number, message: StoredMessage) {
    this.#tx = tx
    this.#size = size
    this.#message = message
  }

  /** How many instances were added: the ordinal of the next one. */
  get count(): number {
    return this.#count
  }

  /** Adds the next object. Throws what the insertion of an earlier chunk threw. */
  add(instance: NewInstance): Promise<void> | undefined {
    this.#count++
    this.#pending.push(instance)
    this.#characters += instance.data.length
    return this.#pending.length === this.#size || this.#characters >= mostCharacters ? this.#flush() : undefined
  }

  /** Inserts what is left, and gives the number of instances. */
  async end(): Promise<number> {
    if (this.#pending.length > 0) await this.#flush()
    await this.#inserting
    return this.#count
  }

  /**
   * Waits for the insertion that is under way, and throws what it threw: what failed first tells why, what fails after it
   * in the same transaction only says that it has failed.
   */
  settle(): Promise<void> {
    return this.#inserting
  }

  async #flush(): Promise<void> {
    const instances = this.#pending
    this.#pending = []
    this.#characters = 0
    await this.#inserting
    const { id, integration, isDraft } = this.#message
    this.#inserting = insertChunk(this.#tx, { messageId: id, integration, number: this.#chunks++, isDraft }, instances)
    // Its failure is thrown where it is awaited.
    this.#inserting.catch(() => undefined)
  }
}

/**
 * One object as an instance. Where one incorrect object refuses its message all were checked, and only the external ID is
 * read; where the valid ones go on, each is checked again to tell which they are.
 */
export function readInstance(
  context: FlowContext,
  message: StoredMessage,
  ordinal: number,
  text: string,
): NewInstance | Promise<NewInstance> {
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
  const sensitive = context.sensitive.get(message.integration)
  return checking instanceof Promise
    ? checking.then((checked) => toInstance(checked, ordinal, text, sensitive))
    : toInstance(checking, ordinal, text, sensitive)
}

/** A checked object as an instance: at -2 `invalid` when something is wrong with it. */
export function toInstance(checked: CheckedObject, ordinal: number, data: string, sensitive?: SensitiveFields): NewInstance {
  const issue = checked.issues[0]
  if (issue === undefined) return { ordinal, externalId: checked.externalId, data, invalid: null }
  const message = sensitive?.maskerOf(data)(issue.message) ?? issue.message
  const invalid = { message, pointer: `/${ordinal}${issue.pointer}`, fingerprint: fingerprintOf('invalid', message) }
  return { ordinal, externalId: checked.externalId, data, invalid }
}
