/** The clock's plan: per task its cron expression and its next slot, the same for every process of the cluster. */
import type { TaskName } from '../model/task.ts'
import type { Queryable, Transaction } from './db.ts'

export interface ScheduledTask {
  task: TaskName
  cron: string
  /** ISO 8601 in UTC. */
  nextSlot: string
  lastSlot: string | null
  isDue: boolean
}

/**
 * The plan as it stands, with the moment it was read at.
 *
 * @param at for tests: the moment to take as now. Default: the database's clock.
 */
export async function readSchedule(db: Queryable, at?: string): Promise<{ now: string; tasks: ScheduledTask[] }> {
  const { rows } = await db.query<{ now: string } & (ScheduledTask | { task: null })>(
    `SELECT clock.now, s.task, s.cron, s.next_slot AS "nextSlot", s.last_slot AS "lastSlot", s.next_slot <= clock.now AS "isDue"
     FROM (SELECT coalesce($1::timestamptz, now()) AS now) AS clock LEFT JOIN sluice.schedule s ON true`,
    [at ?? null],
  )
  const tasks = rows.flatMap(({ now: _, ...row }) => (row.task === null ? [] : [row]))
  return { now: rows[0]?.now ?? '', tasks }
}

/** Plans a task that has no plan yet. */
export async function insertSchedule(db: Queryable, task: TaskName, cron: string, nextSlot: string): Promise<void> {
  await db.query('INSERT INTO sluice.schedule (task, cron, next_slot) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [task, cron, nextSlot])
}

/** Plans a task anew whose cron expression was changed, unless somebody else did or its slot came meanwhile. */
export async function changeCron(db: Queryable, seen: ScheduledTask, cron: string, nextSlot: string): Promise<void> {
  await db.query('UPDATE sluice.schedule SET cron = $4, next_slot = $5 WHERE task = $1 AND cron = $2 AND next_slot = $3', [
    seen.task,
    seen.cron,
    seen.nextSlot,
    cron,
    nextSlot,
  ])
}

/** Takes a slot that is due and plans the next. False when somebody else took it. */
export async function takeSlot(tx: Transaction, seen: ScheduledTask, cron: string, nextSlot: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    'UPDATE sluice.schedule SET cron = $3, last_slot = next_slot, next_slot = $4 WHERE task = $1 AND next_slot = $2',
    [seen.task, seen.nextSlot, cron, nextSlot],
  )
  return rowCount === 1
}
