/** Runs of tasks: asked for by a click or the clock, done by a worker. Both go the same way. */
import type { Config } from '../config.ts'
import { messageOf, SluiceError } from '../errors.ts'
import type { FlowContext } from '../flow/index.ts'
import { normalizeParameters, type RunParameters, type TaskName, taskNames } from '../model/task.ts'
import { DatabaseError, type Db, type Queryable } from '../store/db.ts'
import type { TaskRunView } from '../store/reads/tasks.ts'
import { readSchedule } from '../store/schedule.ts'
import { classify } from '../store/sqlstate.ts'
import {
  type ClaimedRun,
  claimNextRun,
  failRun,
  finishRun,
  insertClick,
  insertSlot,
  lastRuns,
  mostRunAttempts,
  releaseRun,
  renewRun,
  saveRun,
} from '../store/task-run.ts'
import { tasks } from './registry.ts'
import type { Progress, Run } from './task.ts'

export type { RunParameters, TaskName } from '../model/task.ts'

/** Who or what asks for a run. */
export type RunOrigin = { startedBy: 'click'; actor?: string | undefined } | { startedBy: 'clock'; slot: Date }

/**
 * Queues a run and wakes a worker. The same click twice, before the first has begun, is one run; so is a slot of the
 * clock, whoever asks for it.
 *
 * @throws SluiceError `invalid_parameters` for what can't be an id, and for a replay of everything
 */
export async function requestRun(db: Db, task: TaskName, parameters: RunParameters, by: RunOrigin): Promise<{ id: string }> {
  const normalized = normalizeParameters(task, parameters)
  const id =
    by.startedBy === 'click'
      ? await insertClick(db, task, normalized, by.actor ?? null)
      : await insertSlot(db, task, by.slot.toISOString(), normalized)
  return { id }
}

/** The run isn't ours any more: its lease ran out and another worker took it over. */
class RunLost extends Error {}

/** The worker stops; another goes on with the run. */
class RunStopped extends Error {}

const never = new AbortController().signal
/** Seconds until a run is tried again after a failure of the surroundings. */
const retrySeconds = 5

/**
 * Does the run that has waited longest, if there is one, and records what it did.
 *
 * @param worker name of this worker
 * @param signal the worker stops: the run is given back at the next place where it can be gone on with
 * @returns false when there was none
 */
export async function executeNextRun(context: FlowContext, worker: string, signal: AbortSignal = never): Promise<boolean> {
  const lease = context.config.worker.lease
  const claimed = await claimNextRun(context.db, worker, lease)
  if (claimed === null) return false
  if (claimed.state === 'failed') {
    context.log.error({ run: claimed.id, task: claimed.task }, 'a run failed: its workers were lost')
    return true
  }
  try {
    const progress = await withHeartbeat(context, claimed, () => doRun(context, claimed, signal))
    if (!(await finishRun(context.db, claimed, { ...progress.counts, ...progress.notes }))) throw new RunLost()
  } catch (error) {
    await afterFailure(context, claimed, error)
  }
  return true
}

async function doRun(context: FlowContext, claimed: ClaimedRun, signal: AbortSignal): Promise<Progress> {
  const { integration } = claimed.parameters
  if (integration !== undefined && !context.config.integrations.has(integration)) {
    const known = [...context.config.integrations.keys()].join(', ')
    throw new SluiceError('unknown_integration', `There is no integration "${integration}". This server has: ${known}.`, {
      details: { integration },
    })
  }
  const run: Run = {
    startedBy: claimed.startedBy,
    actor: claimed.actor,
    parameters: claimed.parameters,
    startedAt: claimed.startedAt,
    progress: progressOf(claimed.result),
    checkStop() {
      if (signal.aborted) throw new RunStopped()
    },
    save: (db, progress) => save(context, claimed, db, progress),
  }
  return tasks[claimed.task](context, run)
}

async function save(context: FlowContext, claimed: ClaimedRun, db: Queryable, progress: Progress): Promise<Progress> {
  const { counts, notes, reached } = progress
  const result = { ...counts, ...notes, ...(reached === undefined ? {} : { reached }) }
  if (!(await saveRun(db, claimed, result, context.config.worker.lease))) throw new RunLost()
  return progress
}

/** A saved result, taken apart again: numbers are counts, `reached` is where to go on. */
function progressOf(result: Record<string, unknown> | null): Progress {
  if (result === null) return { counts: {} }
  const { reached, ...rest } = result
  const counts: Record<string, number> = {}
  const notes: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(rest)) {
    if (typeof value === 'number') counts[name] = value
    else notes[name] = value
  }
  return { counts, ...(typeof reached === 'string' ? { reached } : {}), ...(Object.keys(notes).length === 0 ? {} : { notes }) }
}

/** Renews the lease while the work goes on, so that one long step isn't taken for a lost worker. */
async function withHeartbeat<T>(context: FlowContext, claimed: ClaimedRun, work: () => Promise<T>): Promise<T> {
  const { lease } = context.config.worker
  let beating: Promise<unknown> = Promise.resolve()
  const timer = setInterval(
    () => {
      beating = renewRun(context.db, claimed, lease).catch((error: unknown) => {
        context.log.warn({ error, run: claimed.id }, 'the lease of a run could not be renewed')
      })
    },
    (lease * 1000) / 3,
  )
  try {
    return await work()
  } finally {
    clearInterval(timer)
    await beating
  }
}

async function afterFailure(context: FlowContext, claimed: ClaimedRun, error: unknown): Promise<void> {
  const about = { run: claimed.id, task: claimed.task }
  if (error instanceof RunLost) {
    context.log.warn(about, 'a run was taken over by another worker')
    return
  }
  if (error instanceof RunStopped) {
    await releaseRun(context.db, claimed, 0, null)
    return
  }
  const reason = { code: codeOf(error), message: messageOf(error) }
  if (classify(error) === 'surroundings' && claimed.attempts < mostRunAttempts) {
    context.log.warn({ ...about, error }, 'a run could not go on; it is tried again')
    await releaseRun(context.db, claimed, retrySeconds, reason)
    return
  }
  context.log.error({ ...about, error }, 'a run failed')
  await failRun(context.db, claimed, reason)
}

function codeOf(error: unknown): string {
  if (error instanceof SluiceError) return error.code
  return error instanceof DatabaseError ? error.sqlstate : 'task_failed'
}

/** A task, as people see it. */
export interface TaskView {
  task: TaskName
  cron: string
  /** When the clock runs it next; null: no worker has planned it yet. */
  nextAt: string | null
  /** The newest run, whoever started it; its JSON is text. */
  lastRun: TaskRunView | null
}

/** The tasks with their plan and their last run. */
export async function listTasks(db: Queryable, config: Config): Promise<TaskView[]> {
  const plan = new Map((await readSchedule(db)).tasks.map((scheduled) => [scheduled.task, scheduled]))
  const last = await lastRuns(db, taskNames)
  return taskNames.map((task) => ({
    task,
    cron: config.tasks[task].cron,
    nextAt: plan.get(task)?.nextSlot ?? null,
    lastRun: last.get(task) ?? null,
  }))
}
