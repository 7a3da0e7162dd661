/** The clock: puts a run into the queue for every slot that has come, once per cluster and slot. */
import type { FlowContext } from '../flow/index.ts'
import { nextSlot } from '../model/cron.ts'
import { type TaskName, taskNames } from '../model/task.ts'
import { changeCron, insertSchedule, readSchedule, type ScheduledTask, takeSlot } from '../store/schedule.ts'
import { insertSlot } from '../store/task-run.ts'
import { clockParameters } from './registry.ts'

/**
 * Queues the runs whose slot has come, and keeps the plan: cron expressions in UTC, slots by the database's clock. Slots
 * that were missed while nobody was there are made up for by one run. Safe to call by any number of workers at once.
 *
 * @param at for tests: the moment to take as now. Default: the database's clock; a worker's own clock decides nothing.
 */
export async function tickSchedule(context: FlowContext, at?: Date): Promise<void> {
  const plan = await readSchedule(context.db, at?.toISOString())
  const now = new Date(plan.now)
  const planned = new Map(plan.tasks.map((scheduled) => [scheduled.task, scheduled]))
  for (const task of taskNames) await tickTask(context, task, planned.get(task), now)
}

async function tickTask(context: FlowContext, task: TaskName, seen: ScheduledTask | undefined, now: Date): Promise<void> {
  const { cron } = context.config.tasks[task]
  if (seen !== undefined && !seen.isDue && seen.cron === cron) return
  const next = nextSlot(cron, now).toISOString()
  if (seen === undefined) await insertSchedule(context.db, task, cron, next)
  else if (seen.isDue) await startSlot(context, seen, cron, next)
  else await changeCron(context.db, seen, cron, next)
}

/** The slot is taken and its run queued in one transaction: neither happens without the other, nor twice. */
async function startSlot(context: FlowContext, seen: ScheduledTask, cron: string, next: string): Promise<void> {
  await context.db.transaction(async (tx) => {
    if (!(await takeSlot(tx, seen, cron, next))) return
    await insertSlot(tx, seen.task, seen.nextSlot, clockParameters(context.config, seen.task))
  })
}
