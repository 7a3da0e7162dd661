/** What a task is given and what it gives back. */
import type { FlowContext } from '../flow/index.ts'
import type { RunParameters } from '../model/task.ts'
import type { Queryable } from '../store/db.ts'

/** What a run has done so far. */
export interface Progress {
  /** Counted by name: `{ messages: 3, instances: 120 }`. */
  readonly counts: Readonly<Record<string, number>>
  /** How far it has come, in the task's own words: where it goes on when its worker is lost. Absent: at the beginning. */
  readonly reached?: string
  /** Facts beside the counts. */
  readonly notes?: Readonly<Record<string, unknown>>
}

/** A run in the hands of this worker. */
export interface Run {
  readonly startedBy: 'click' | 'clock'
  readonly actor: string | null
  readonly parameters: RunParameters
  /** When its first attempt began: ISO 8601, by the database's clock. Equal clicks until then are this run. */
  readonly startedAt: string
  /** What an earlier attempt saved. */
  readonly progress: Progress
  /** Called between steps. Throws when the worker stops: another one goes on from what was saved last. */
  checkStop(): void
  /**
   * Writes how far the run has come; inside a transaction together with what was done. Returns its argument.
   *
   * @throws when the run isn't ours any more: nothing more may be done for it
   */
  save(db: Queryable, progress: Progress): Promise<Progress>
}

/** Does a run's work. Returns what it did. */
export type Task = (context: FlowContext, run: Run) => Promise<Progress>

/** Adds to the counts; `reached` and notes replace what was there. */
export function advance(progress: Progress, counts: Readonly<Record<string, number>>, rest: Omit<Progress, 'counts'> = {}): Progress {
  const sum: Record<string, number> = { ...progress.counts }
  for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count
  return { ...progress, ...rest, counts: sum }
}
