/** A worker: splits messages and processes chunks as long as there are any, and looks after the queue in between. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FlowContext } from '../flow/index.ts'
import { processChunks, splitMessage } from '../flow/index.ts'
import { claimChunks } from '../store/chunk.ts'
import { nextToSplit } from '../store/message.ts'
import { EventRuns } from '../tasks/events.ts'
import { executeNextRun } from '../tasks/run.ts'
import { type ChunkInHand, InHand } from './in-hand.ts'
import { Maintenance } from './maintenance.ts'
import { Wakeup } from './wakeup.ts'

export interface WorkerOptions {
  /** Name in the database. Unique among living workers. */
  name: string
  /** Told which chunk has been in hand longest, and since when; null when none is. For a supervisor's deadline. */
  onChunk?: (state: ChunkInHand | null) => void
}

/** A running worker. */
export interface Worker {
  readonly name: string
  /** Finishes the chunk in hand and stops. Safe to call twice. */
  stop(): Promise<void>
}

/** Where messages of an unknown integration would begin: ids count from 1. */
const beforeFirst = '0'

/** Starts a worker. It runs until `stop`; failures of the database are waited out with backoff. */
export function startWorker(context: FlowContext, options: WorkerOptions): Worker {
  const stopping = new AbortController()
  const wakeup = new Wakeup(context, stopping.signal)
  const events = new EventRuns(context.db, options.name)
  const maintenance = new Maintenance(context, events)
  const { concurrency, poll } = context.config.worker
  const lanes = context.db.kind === 'pglite' ? 1 : concurrency
  const { signal } = stopping
  const inHand = new InHand(options.onChunk ?? (() => undefined))
  const pollMilliseconds = poll * 1000
  const onWork = (seen: number): Promise<void> => wakeup.wait(pollMilliseconds, seen)
  const running = [
    ...Array.from({ length: lanes }, () =>
      loop(context, signal, wakeup, () => step(context, { worker: options.name, inHand, events, signal }), onWork),
    ),
    loop(context, signal, wakeup, () => executeNextRun(context, options.name, signal), onWork),
    loop(
      context,
      signal,
      wakeup,
      () => maintenance.round(),
      () => pause(pollMilliseconds, signal),
    ),
  ]
  let stopped: Promise<void> | undefined
  return {
    name: options.name,
    stop() {
      stopping.abort()
      stopped ??= Promise.all([...running, wakeup.close()])
        .then(() => events.flush())
        .catch((error: unknown) => context.log.warn({ error }, 'the last event run was not recorded'))
      return stopped
    },
  }
}

/** Runs `work` while it finds something to do, else waits; a failure is waited out with backoff and jitter. */
async function loop(
  context: FlowContext,
  signal: AbortSignal,
  wakeup: Wakeup,
  work: () => Promise<boolean>,
  wait: (seen: number) => Promise<void>,
): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const seen = wakeup.count
    try {
      const didSomething = await work()
      failures = 0
      if (!didSomething) await wait(seen)
    } catch (error) {
      failures++
      const delay = Math.min(250 * 2 ** failures, 30_000) * (0.75 + Math.random() / 2)
      context.log.error({ error, retryInMilliseconds: Math.round(delay) }, 'worker could not go on; it tries again')
      await pause(delay, signal)
    }
  }
}

/** One message split, if one is due, and one batch processed, if one is. */
async function step(
  context: FlowContext,
  { worker, inHand, events, signal }: { worker: string; inHand: InHand; events: EventRuns; signal: AbortSignal },
): Promise<boolean> {
  const integrations = [...context.config.integrations.keys()]
  const didSplit = await splitNext(context, integrations, events)
  const chunks = await claimChunks(context.db, {
    integrations,
    worker,
    leaseSeconds: context.config.worker.lease,
    size: context.config.chunkSize,
  })
  const first = chunks[0]
  if (first === undefined) return didSplit
  inHand.begin(first.id)
  try {
    const counts = await processChunks(context, chunks, signal)
    if (counts !== null) events.record('process', { chunks: chunks.length, ...counts })
  } finally {
    inHand.end(first.id)
  }
  return true
}

async function splitNext(context: FlowContext, integrations: readonly string[], events: EventRuns): Promise<boolean> {
  const id = await nextToSplit(context.db, integrations, beforeFirst)
  if (id === null) return false
  const result = await splitMessage(context, id)
  if (result.state === 'split') events.record('split', { messages: 1, instances: result.instances })
  if (result.state === 'failed') events.record('split', { failed: 1 })
  // Another worker may have been faster; there may be more.
  return true
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
}
