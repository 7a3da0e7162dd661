/** The whole way of a message in one transaction that is rolled back: what would become of it. */
import { claimChunks } from '../store/chunk.ts'
import { type InstanceOutcome, readOutcomes } from '../store/instance.ts'
import { nestedDb } from '../store/nested.ts'
import { withRetry } from '../store/retry.ts'
import type { FlowContext } from './context.ts'
import { applyChunks } from './process.ts'
import { type Receipt, receiptOf } from './receipt.ts'
import { type ReceiveInput, receiveMessage } from './receive.ts'
import { splitMessage } from './split.ts'
import { validateMessage } from './validate.ts'

/** What would become of a message. */
export interface DryRun {
  /** By ordinal. */
  results: InstanceOutcome[]
  problem: Receipt['problem']
}

class RolledBack extends Error {
  readonly outcome: DryRun
  constructor(outcome: DryRun) {
    super('a dry run is rolled back')
    this.outcome = outcome
  }
}

/**
 * Receives, validates, splits and processes a message, reads what became of it, and rolls everything back. A handler's
 * effects outside the database are not rolled back.
 */
export async function dryRun(context: FlowContext, input: ReceiveInput): Promise<DryRun> {
  // A sender that stalls must not hold a transaction open.
  const parts = await readAll(input.body, context.config.limits.decompressed)
  const limit = context.config.worker.lease * 1000
  const attempt = (): Promise<never> =>
    context.db.transaction(
      async (tx) => {
        throw new RolledBack(await runInside({ ...context, db: nestedDb(context.db, tx) }, { ...input, body: eachOf(parts) }))
      },
      { statementTimeout: limit, idleTimeout: limit },
    )
  try {
    return await withRetry(attempt)
  } catch (error) {
    if (error instanceof RolledBack) return error.outcome
    throw error
  }
}

/** Reads a body to its end, or to the first byte above the limit: what reads it again refuses it with the right words. */
async function readAll(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    parts.push(part)
    size += part.length
    if (size > limit) break
  }
  return parts
}

async function* eachOf(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}

async function runInside(context: FlowContext, input: ReceiveInput): Promise<DryRun> {
  const received = await receiveMessage(context, { ...input, idempotencyKey: undefined })
  const message = await validateMessage(context, received.message, received)
  const { problem } = receiptOf(message, false)
  if (message.status === -1) return { results: [], problem }
  await splitMessage(context, message.id)
  const claim = {
    integrations: [message.integration],
    worker: 'dry-run',
    leaseSeconds: context.config.worker.lease,
    size: context.config.chunkSize,
    messageId: message.id,
  }
  for (;;) {
    const chunks = await claimChunks(context.db, claim)
    if (chunks.length === 0) return { results: await readOutcomes(context.db, message.id), problem }
    await context.db.transaction((tx) => applyChunks(tx, context, chunks, { signal: new AbortController().signal }))
  }
}
