/** Runs by an event: what a worker does by itself, as soon as there is work, summed up into a row per busy period. */
import type { TaskName } from '../model/task.ts'
import type { Db } from '../store/db.ts'
import { insertEventRun } from '../store/task-run.ts'

/** A period ends when nothing was recorded for so long. */
const idleMilliseconds = 2_000
/** A period that doesn't end is written in parts. */
const longestMilliseconds = 10_000

interface Period {
  /** By `performance.now()`: only lengths are told to the database. */
  begin: number
  last: number
  counts: Record<string, number>
}

/**
 * Sums up a worker's own work, since a row per object or chunk would be absurd: one finished run per task and busy period.
 * Kept in memory until it is written. A worker that is killed loses these sums and nothing else: what it did stands in the
 * messages, chunks and instances themselves.
 */
export class EventRuns {
  readonly #db: Db
  readonly #worker: string
  readonly #open = new Map<TaskName, Period>()

  /** @param worker name of the worker, the actor of its runs */
  constructor(db: Db, worker: string) {
    this.#db = db
    this.#worker = worker
  }

  /** Adds to what the worker did in this period: `record('split', { messages: 1, instances: 120 })`. */
  record(task: TaskName, counts: Readonly<Record<string, number>>): void {
    const now = performance.now()
    const period = this.#open.get(task) ?? { begin: now, last: now, counts: {} }
    period.last = now
    add(period, counts)
    this.#open.set(task, period)
  }

  /** Writes the periods that are over, or long enough. */
  async flushIfDue(): Promise<void> {
    const now = performance.now()
    await this.#write((period) => now - period.last >= idleMilliseconds || now - period.begin >= longestMilliseconds)
  }

  /** Writes what there is. */
  async flush(): Promise<void> {
    await this.#write(() => true)
  }

  async #write(isDue: (period: Period) => boolean): Promise<void> {
    for (const [task, period] of [...this.#open]) {
      if (!isDue(period)) continue
      // What is recorded while the row is written begins the next period.
      this.#open.delete(task)
      try {
        await insertEventRun(this.#db, task, this.#worker, (performance.now() - period.begin) / 1000, period.counts)
      } catch (error) {
        this.#putBack(task, period)
        throw error
      }
    }
  }

  #putBack(task: TaskName, period: Period): void {
    const newer = this.#open.get(task)
    if (newer !== undefined) {
      period.last = newer.last
      add(period, newer.counts)
    }
    this.#open.set(task, period)
  }
}

function add(period: Period, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) period.counts[name] = (period.counts[name] ?? 0) + count
}
