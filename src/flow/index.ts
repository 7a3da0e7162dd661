/**
 * The story of a message: receive → validate → split → process → roll up. Only this file knows the order; the stages
 * don't know each other.
 */
import { type ClaimedChunk, giveBack, noteTrying, pauseIntegration } from '../store/chunk.ts'
import { DatabaseError, type Db, type Transaction } from '../store/db.ts'
import { waitingOrdinals } from '../store/instance.ts'
import { findMessage, lockForValidation, markCorrect, markIncorrect, markSplit, nextToSplit, type StoredMessage } from '../store/message.ts'
import { SplitMark } from '../store/queue-marks.ts'
import { withRetry } from '../store/retry.ts'
import { classify } from '../store/sqlstate.ts'
import { insertEventRun } from '../store/task-run.ts'
import type { FlowContext } from './context.ts'
import { failureOf } from './failure.ts'
import { smallBytes } from './groups.ts'
import { hideError } from './hide.ts'
import { applyChunks, type BatchOptions, type BatchReport, chunkError, quarantined } from './process.ts'
import { type Receipt, receiptOf } from './receipt.ts'
import { type Received, type ReceiveInput, receiveMessage } from './receive.ts'
import { rollUp, rollUpAll } from './rollup.ts'
import { settleReferences } from './settle.ts'
import { type SplitResult, Splitter, splitMessage as split, toInstance } from './split.ts'
import { splitGroup } from './split-group.ts'
import { AsynchronousSchema, checkMessage, type Verdict, validateMessage as validate } from './validate.ts'

export type { FlowContext } from './context.ts'
export { type DryRun, dryRun } from './dryrun.ts'
export type { Receipt } from './receipt.ts'
export type { ReceiveInput } from './receive.ts'
export { rollUp } from './rollup.ts'
export { sweepReferences } from './settle.ts'
export type { SplitResult } from './split.ts'

/**
 * Takes a message in: stores it, then validates it. Validation that takes longer than `validateWithin` goes on after the
 * receipt, which then says status 0.
 *
 * @throws SluiceError as `receiveMessage` does; a DatabaseError when the message could not be stored
 */
export async function receive(context: FlowContext, input: ReceiveInput): Promise<Receipt> {
  const received = await receiveMessage(context, input)
  if (received.repeated) return receiptOf(received.message, true)
  const validating = isLarge(context, received) ? validateLarge(context, received) : validate(context, received.message, received)
  const message = await within(validating, context.config.validateWithin * 1000).catch((error: unknown) => {
    context.log.error({ error, message: received.message.id }, 'validation failed; the split task will validate the message')
    return null
  })
  return receiptOf(message ?? received.message, false)
}

/** A message of one chunk is left to the workers: its sender is answered sooner. One that isn't held in memory has more. */
function isLarge(context: FlowContext, { refusal, objects }: Received): boolean {
  return refusal === null && (objects === null || objects.length > context.config.chunkSize)
}

/** Databases that a message is being split on at intake by this process: one at a time, so that connections stay for others. */
const splitting = new WeakSet<Db>()

async function validateLarge(context: FlowContext, received: Received): Promise<StoredMessage> {
  if (splitting.has(context.db)) return validate(context, received.message, received)
  splitting.add(context.db)
  try {
    return await validateAndSplit(context, received)
  } catch (error) {
    // A schema that has to wait for something must not hold a transaction open meanwhile.
    if (!(error instanceof AsynchronousSchema)) throw error
  } finally {
    splitting.delete(context.db)
  }
  return validate(context, received.message, received)
}

/**
 * Validates a large message and splits it in the same pass and transaction: its bytes are read and its objects parsed once
 * less (docs/decisions/0009). Nobody sees anything of it before it has become 2; if it fails, the message is at 0 as after
 * a crash.
 */
async function validateAndSplit(context: FlowContext, { message, objects }: Received): Promise<StoredMessage> {
  const started = performance.now()
  const limit = context.config.worker.lease * 1000
  const sensitive = context.sensitive.get(message.integration)
  const splitInside = async (tx: Transaction): Promise<Verdict | null> => {
    if (!(await lockForValidation(tx, message.id))) return null
    const splitter = new Splitter(tx, context.config.chunkSize, message)
    const found = await checkMessage(context, message, { objects, db: tx }, (checked, text, ordinal) =>
      splitter.add(toInstance(checked, ordinal, text, sensitive)),
    ).catch(async (error: unknown) => {
      await splitter.settle()
      throw error
    })
    // Thrown, so that what was inserted goes away.
    if (!found.isCorrect) throw new Incorrect(found)
    await splitter.end()
    await markCorrect(tx, message.id, found.total, found.problem)
    await markSplit(tx, message.id, found.total)
    await insertEventRun(tx, 'split', null, (performance.now() - started) / 1000, { messages: 1, instances: found.total })
    return found
  }
  const verdict = await context.db.transaction(splitInside, { statementTimeout: limit, idleTimeout: limit }).catch((error: unknown) => {
    if (error instanceof Incorrect) return error.verdict
    throw error
  })
  if (verdict?.isCorrect === false) await markIncorrect(context.db, message.id, verdict.total, verdict.problem)
  // Nothing may be left to do: an empty list, or nothing but invalid objects.
  if (verdict?.isCorrect === true) await rollUp(context.db, message.id)
  return (await findMessage(context.db, message.id)) ?? message
}

/** The schema has refused a message, so that nothing of it is to be inserted. */
class Incorrect extends Error {
  readonly verdict: Verdict & { isCorrect: false }

  constructor(verdict: Verdict & { isCorrect: false }) {
    super('the message is not correct')
    this.verdict = verdict
  }
}

async function within<T>(work: Promise<T>, milliseconds: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, milliseconds, null)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    // What goes on after the receipt has nobody to throw to: the message stays at 0 and the split task takes it up.
    work.catch(() => undefined)
  }
}

/** Validates a message that a crash left at 0. Null when there is no such message at 0, or somebody else is at it. */
export async function validateMessage(context: FlowContext, id: string): Promise<Receipt | null> {
  const message = await findMessage(context.db, id)
  if (message === null || message.status !== 0) return null
  // Its receiver may still be at it.
  if (!(await context.db.transaction((tx) => lockForValidation(tx, id)))) return null
  return receiptOf(await validate(context, message), false)
}

/** Where the oldest message begins: ids count from 1. */
const beforeFirst = '0'

/** Splits a message, and rolls it up at once when it is empty. */
export async function splitMessage(context: FlowContext, id: string): Promise<SplitResult> {
  const result = await split(context, id)
  if (result.state === 'split') await rollUp(context.db, id)
  return result
}

/** What a round of splitting did. */
export interface SplitRound {
  messages: number
  instances: number
  failed: number
}

/**
 * Splits the oldest message that is due, and small ones together. Null when none is due.
 *
 * @param mark where the rounds before this one came to; default: from the beginning
 */
export async function splitNext(context: FlowContext, integrations: readonly string[], mark = new SplitMark()): Promise<SplitRound | null> {
  const from = mark.from()
  const found = await nextToSplit(context.db, integrations, from)
  const next = found === null && from !== beforeFirst ? await nextToSplit(context.db, integrations, beforeFirst) : found
  if (next === null) return null
  mark.note(next.id)
  const isSmall = next.bodySize <= smallBytes
  const group = isSmall ? await splitGroup(context, integrations, next.id) : { messages: 0, instances: 0, left: [next.id] }
  const round = { messages: group.messages, instances: group.instances, failed: 0 }
  for (const id of group.left) {
    const result = await splitMessage(context, id)
    if (result.state === 'split') {
      round.messages++
      round.instances += result.instances
    }
    if (result.state === 'failed') round.failed++
  }
  return round
}

/**
 * Processes claimed chunks of one integration and mode to their end: applied, settled, rolled up; or given back.
 *
 * @returns what became of the instances; null when the chunks were given back
 */
export async function processChunks(
  context: FlowContext,
  chunks: readonly ClaimedChunk[],
  signal: AbortSignal,
): Promise<BatchReport['counts'] | null> {
  const first = chunks[0]
  if (first === undefined) return null
  try {
    if (first.losses > 0) return await processOneByOne(context, first, signal)
    return await processBatch(context, chunks, { signal })
  } catch (error) {
    await comeAgain(context, chunks, error)
    return null
  }
}

async function processBatch(context: FlowContext, chunks: readonly ClaimedChunk[], options: BatchOptions): Promise<BatchReport['counts']> {
  const limit = context.config.worker.lease * 1000
  const report = await withRetry(() =>
    context.db.transaction((tx) => applyChunks(tx, context, chunks, options), {
      statementTimeout: limit,
      idleTimeout: limit,
      byIndex: true,
    }),
  )
  // The batch is committed: what follows is no failure of its chunks. The sweep and the clock make up for it.
  const integration = chunks[0]?.integration ?? ''
  await settleReferences(context, integration, report).catch((error: unknown) => {
    context.log.error({ error, integration }, 'references to what was applied could not be settled; the sweep tries again')
  })
  const messages = [...report.messages]
  await rollUpAll(context.db, messages).catch((error: unknown) => {
    context.log.error({ error, messages }, 'messages could not be rolled up; the clock tries again')
  })
  for (const work of report.afterCommit) {
    await work().catch((error: unknown) => context.log.warn({ error }, 'what was to be done after the commit failed'))
  }
  return report.counts
}

/**
 * After a worker was lost, or when a chunk failed as a whole for what may be one of its objects: object by object, each noted
 * outside its transaction before it is tried. One that was in hand when a worker was lost twice is quarantined.
 */
async function processOneByOne(context: FlowContext, chunk: ClaimedChunk, signal: AbortSignal): Promise<BatchReport['counts'] | null> {
  let sum: BatchReport['counts'] | null = null
  for (const ordinal of await waitingOrdinals(context.db, chunk.id)) {
    const isQuarantined = ordinal === chunk.suspect && chunk.suspectLosses >= 2
    if (!(await noteTrying(context.db, chunk, ordinal, context.config.worker.lease))) return sum
    const only = { signal, onlyOrdinal: ordinal }
    const counts = await processBatch(context, [chunk], isQuarantined ? { ...only, instead: quarantined } : only).catch(
      (error: unknown) => {
        // Alone and still failing: it is this object, whatever the failure looked like.
        if (!isObjects(error)) throw error
        const told = hideError(context, chunk.integration, error)
        context.log.error({ error: told, chunk: chunk.id, ordinal }, 'an object that its chunk failed for')
        return processBatch(context, [chunk], { ...only, instead: failureOf(error) })
      },
    )
    if (sum === null) sum = counts
    else for (const name of Object.keys(counts) as (keyof typeof counts)[]) sum[name] += counts[name]
  }
  return sum
}

/** query_canceled: a statement ran longer than the lease. */
const cancelled = '57014'

/** True for what a single object may have done to its whole chunk. */
function isObjects(error: unknown): boolean {
  return classify(error) === 'instance' || (error instanceof DatabaseError && error.sqlstate === cancelled)
}

const firstDelaySeconds = 1
const longestDelaySeconds = 300

/** A failure of the surroundings, or of the mapping: no instance changes, the chunk comes again with backoff. */
async function comeAgain(context: FlowContext, chunks: readonly ClaimedChunk[], error: unknown): Promise<void> {
  const first = chunks[0]
  if (first === undefined) return
  const told = hideError(context, first.integration, error)
  const reason = chunkError(told)
  const attempts = Math.max(...chunks.map((chunk) => chunk.attempts))
  const delay = Math.min(firstDelaySeconds * 2 ** (attempts - 1), longestDelaySeconds) * (0.75 + Math.random() / 2)
  const isMismatch = classify(error) === 'mismatch'
  context.log.error(
    { error: told, integration: first.integration, chunks: chunks.map((chunk) => chunk.id) },
    isMismatch ? 'integration paused: its target does not fit' : 'chunk comes again',
  )
  context.forgetTarget(first.integration)
  if (isMismatch) await pauseIntegration(context.db, first.integration, reason)
  // The second time, as a statement is also cancelled by a database that is slow for once.
  const oneByOne = classify(error) === 'instance' || (isObjects(error) && attempts > 1)
  await giveBack(context.db, chunks, reason, { delaySeconds: isMismatch ? 0 : delay, oneByOne })
  // A COMMIT whose answer was lost may have finished the chunks.
  await rollUpAll(context.db, [...new Set(chunks.map((chunk) => chunk.messageId))])
}
