/** A worker: splits messages and processes chunks as long as there are any, and looks after the queue in between. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FlowContext } from '../flow/index.ts'
import { processChunks, splitNext } from '../flow/index.ts'
import { claimChunks, mostChunksAtOnce } from '../store/chunk.ts'
import { QueueMarks, SplitMark } from '../store/queue-marks.ts'
import { EventRuns } from '../tasks/events.ts'
import { executeNextRun } from '../tasks/run.ts'
import { type ChunkInHand, InHand } from './in-hand.ts'
import { Maintenance } from './maintenance.ts'
import { Outage } from './outage.ts'
import { type Bell, Wakeup } from './wakeup.ts'

export interface WorkerOptions {
  /** Name in the database. Unique among living workers. */
  name: string
  /** Told which chunk or split has been in hand longest, and since when; null when none is. For a supervisor's deadline. */
  onChunk?: (state: ChunkInHand | null) => void
  /**
   * Milliseconds that it lets other workers go first when it has nothing to do and is notified of work. Of several workers on a machine
   * all would otherwise look for a single message at once, and take the time from the one that finds it. Default: 0.
   */
  standby?: number
}

/** A running worker. */
export interface Worker {
  readonly name: string
  /** Finishes the chunk in hand and stops. Safe to call twice. */
  stop(): Promise<void>
}

/** Starts a worker. It runs until `stop`; failures of the database are waited out with backoff. */
export function startWorker(context: FlowContext, options: WorkerOptions): Worker {
  const stopping = new AbortController()
  const wakeup = new Wakeup(context, stopping.signal)
  const events = new EventRuns(context.db, options.name)
  const maintenance = new Maintenance(context, events)
  const { concurrency } = context.config.worker
  const lanes = context.db.kind === 'pglite' ? 1 : concurrency
  const { signal } = stopping
  const marks = { queues: new QueueMarks(), split: new SplitMark() }
  const inHand = new InHand(options.onChunk ?? (() => undefined))
  const around = {
    signal,
    outage: new Outage(context.log),
    pollMilliseconds: context.config.worker.poll * 1000,
    standby: options.standby ?? 0,
  }
  const running = [
    ...Array.from({ length: lanes }, (_, lane) =>
      loop(`lane ${lane + 1}`, around, wakeup.work, () => step(context, { worker: options.name, marks, inHand, events, signal })),
    ),
    loop('tasks', around, wakeup.task, () => executeNextRun(context, options.name, signal)),
    loop('maintenance', around, null, () => maintenance.round()),
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

/** What the loops of a worker share. */
interface Around {
  signal: AbortSignal
  outage: Outage
  pollMilliseconds: number
  standby: number
}

/** Runs `work` while it finds something to do, else waits for the bell or the next poll; a failure is waited out with backoff and jitter. */
async function loop(
  name: string,
  { signal, outage, pollMilliseconds, standby }: Around,
  bell: Bell | null,
  work: () => Promise<boolean>,
): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const seen = bell?.count ?? 0
    try {
      const didSomething = await work()
      failures = 0
      outage.succeeded(name)
      if (didSomething) continue
      await (bell === null ? pause(pollMilliseconds, signal) : bell.wait(pollMilliseconds, seen))
      if (standby > 0) await pause(standby, signal)
    } catch (error) {
      failures++
      const delay = Math.min(250 * 2 ** failures, 30_000) * (0.75 + Math.random() / 2)
      outage.failed(name, error, delay)
      await pause(delay, signal)
    }
  }
}

/** One message split, or a group of small ones, if any is due, and one batch processed, if one is. */
async function step(
  context: FlowContext,
  {
    worker,
    marks,
    inHand,
    events,
    signal,
  }: { worker: string; marks: { queues: QueueMarks; split: SplitMark }; inHand: InHand; events: EventRuns; signal: AbortSignal },
): Promise<boolean> {
  const integrations = [...context.config.integrations.keys()]
  const endSplit = inHand.begin(null)
  const split = await splitNext(context, integrations, marks.split).finally(endSplit)
  if (split !== null) events.record('split', { ...split })
  const chunks = await claimChunks(context.db, {
    integrations,
    worker,
    leaseSeconds: context.config.worker.lease,
    size: context.config.chunkSize,
    marks: marks.queues,
  })
  const first = chunks[0]
  if (first === undefined) return split !== null
  const endChunk = inHand.begin(first.id)
  try {
    const counts = await processChunks(context, chunks, signal)
    if (counts !== null) events.record('process', { chunks: chunks.length, ...counts })
  } finally {
    endChunk()
  }
  if (chunks.length > 1 && chunks.length < mostChunksAtOnce) await pause(restMilliseconds, signal)
  return true
}

/**
 * After several small messages at once, which is what a stream of them looks like, a worker rests for so long: what comes meanwhile is done
 * together. Else workers that keep up take the time of those who send, for batches of a few. With as many as go together it goes on.
 */
const restMilliseconds = 75

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
}
