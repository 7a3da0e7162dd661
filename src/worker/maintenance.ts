/** What a worker does beside the queue: lost chunks, failures that are due again, and the clock's tasks. */
import type { FlowContext } from '../flow/index.ts'
import { sweepOrphanedParts } from '../store/body.ts'
import { reclaimExpired } from '../store/chunk.ts'
import { requeueInstances, selectDueTransient } from '../store/requeue.ts'
import type { EventRuns } from '../tasks/events.ts'
import { tickSchedule } from '../tasks/schedule.ts'

const pageSize = 1000
const orphanSweepMilliseconds = 3_600_000

/** The rounds of one worker. */
export class Maintenance {
  readonly #context: FlowContext
  readonly #events: EventRuns
  #nextOrphanSweep = 0

  constructor(context: FlowContext, events: EventRuns) {
    this.#context = context
    this.#events = events
  }

  /** One round. True when more waits to be done. */
  async round(): Promise<boolean> {
    const { db, config, log } = this.#context
    const lost = await reclaimExpired(db)
    if (lost > 0) log.warn({ chunks: lost }, 'chunks of lost workers were taken back')
    const due = await selectDueTransient(db, pageSize)
    if (due.length > 0) {
      const instances = await requeueInstances(db, due, { chunkSize: config.chunkSize })
      this.#events.record('reprocess', { instances })
    }
    await tickSchedule(this.#context)
    await this.#events.flushIfDue()
    if (performance.now() >= this.#nextOrphanSweep) {
      this.#nextOrphanSweep = performance.now() + orphanSweepMilliseconds
      await sweepOrphanedParts(db)
    }
    return due.length === pageSize
  }
}
