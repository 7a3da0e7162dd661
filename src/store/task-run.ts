/** Runs of tasks: every run is a row that says who started it, with what, and what it did. */
import type { RunParameters, TaskName } from '../model/task.ts'
import type { Db, Queryable } from './db.ts'
import type { TaskRunView } from './reads/tasks.ts'

/**
 * Queues a click, and notes in the audit log whose it was. The same click twice, before the first has begun, is one run that both
 * asked for.
 *
 * @returns the id of the run that will do it
 */
export async function insertClick(db: Db, task: TaskName, parameters: RunParameters, actor: string | null): Promise<string> {
  const text = JSON.stringify(parameters)
  for (;;) {
    const inserted = await db.query<{ id: string }>(
      `WITH new AS (
         INSERT INTO sluice.task_run (task, started_by, actor, parameters) VALUES ($1, 'click', $2::text, $3::jsonb)
         ON CONFLICT (task, md5(parameters::text)) WHERE state = 'queued' AND started_by = 'click' DO NOTHING RETURNING id),
       noted AS (
         INSERT INTO sluice.audit_log (actor, action, subject, details)
         SELECT coalesce($2, 'unknown'), 'task.run', new.id::text, jsonb_build_object('task', $1::text, 'parameters', $3::jsonb) FROM new)
       SELECT new.id FROM new, pg_notify('sluice', 'task')`,
      [task, actor, text],
    )
    const queued =
      inserted.rows[0] ??
      (
        await db.query<{ id: string }>(
          `WITH joined AS (
             SELECT id FROM sluice.task_run
             WHERE task = $1 AND md5(parameters::text) = md5($3::jsonb::text) AND state = 'queued' AND started_by = 'click'),
           noted AS (
             INSERT INTO sluice.audit_log (actor, action, subject, details)
             SELECT coalesce($2, 'unknown'), 'task.run', joined.id::text, jsonb_build_object('task', $1::text, 'parameters', $3::jsonb) FROM joined)
           SELECT id FROM joined`,
          [task, actor, text],
        )
      ).rows[0]
    // Neither: the one that was in the way has begun in between, so this click is a run of its own.
    if (queued !== undefined) return queued.id
  }
}

/** Queues the clock's run of a slot; one per cluster and slot, whoever comes. Returns its id. */
export async function insertSlot(db: Queryable, task: TaskName, slot: string, parameters: RunParameters): Promise<string> {
  await db.query(
    `WITH new AS (
       INSERT INTO sluice.task_run (task, started_by, slot, parameters) VALUES ($1, 'clock', $2, $3)
       ON CONFLICT (task, slot) WHERE slot IS NOT NULL DO NOTHING RETURNING id)
     SELECT FROM new, pg_notify('sluice', 'task')`,
    [task, slot, JSON.stringify(parameters)],
  )
  const { rows } = await db.query<{ id: string }>('SELECT id FROM sluice.task_run WHERE task = $1 AND slot = $2', [task, slot])
  const run = rows[0]
  if (run === undefined) throw new Error(`the run of ${task} for ${slot} is gone`)
  return run.id
}

/**
 * Records what a worker did by itself in a busy period that ended now and began `seconds` ago.
 *
 * @param worker null: no worker, but the server that took a message in
 */
export async function insertEventRun(db: Queryable, task: TaskName, worker: string | null, seconds: number, result: object): Promise<void> {
  await db.query(
    `INSERT INTO sluice.task_run (task, started_by, actor, state, result, worker, attempts, created_at, started_at, finished_at)
     SELECT $1, 'event', coalesce($2, 'intake'), 'finished', $3, $2, 1, began, began, clock_timestamp()
     FROM (SELECT clock_timestamp() - make_interval(secs => $4) AS began) AS period`,
    [task, worker, JSON.stringify(result), seconds],
  )
}

/** How often a run is begun when its worker is lost. */
export const mostRunAttempts = 3

/** A run that this worker holds as long as nobody else begins it. */
export interface ClaimedRun {
  id: string
  task: TaskName
  startedBy: 'click' | 'clock'
  actor: string | null
  parameters: RunParameters
  /** Claims that ended in a loss or a failure, and this one. */
  attempts: number
  /** Raised by every claim and never lowered: what is written for the run is written only while this stands. */
  epoch: number
  /** What an earlier attempt saved. */
  result: Record<string, unknown> | null
  /** When it was begun for the first time. */
  startedAt: string
  /** `failed`: its worker was lost for the last time; there is nothing to do but to say so. */
  state: 'running' | 'failed'
}

/** Begins the run that has waited longest, or takes over one whose worker was lost. Null when there is none. */
export async function claimNextRun(db: Queryable, worker: string, leaseSeconds: number): Promise<ClaimedRun | null> {
  const { rows } = await db.query<Omit<ClaimedRun, 'parameters' | 'result'> & { parameters: string; result: string | null }>(
    `WITH next AS MATERIALIZED (
       SELECT id, attempts >= ${mostRunAttempts} AS used_up FROM sluice.task_run
       WHERE state IN ('queued', 'running') AND (state = 'queued' OR lease_until < clock_timestamp())
       ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
     UPDATE sluice.task_run r SET
       state = CASE WHEN next.used_up THEN 'failed' ELSE 'running' END,
       worker = CASE WHEN next.used_up THEN r.worker ELSE $1 END,
       lease_until = CASE WHEN next.used_up THEN NULL ELSE now() + make_interval(secs => $2) END,
       attempts = r.attempts + CASE WHEN next.used_up THEN 0 ELSE 1 END,
       epoch = r.epoch + 1,
       started_at = coalesce(r.started_at, clock_timestamp()),
       finished_at = CASE WHEN next.used_up THEN clock_timestamp() END,
       error = CASE WHEN next.used_up THEN coalesce(r.error, $3::jsonb) END
     FROM next WHERE r.id = next.id
     RETURNING r.id, r.task, r.started_by AS "startedBy", r.actor, r.parameters, r.attempts, r.epoch, r.result, r.started_at AS "startedAt", r.state`,
    [
      worker,
      leaseSeconds,
      JSON.stringify({ code: 'worker_lost', message: `The worker was lost ${mostRunAttempts} times while it did this run.` }),
    ],
  )
  const row = rows[0]
  if (row === undefined) return null
  return {
    ...row,
    parameters: JSON.parse(row.parameters) as RunParameters,
    result: row.result === null ? null : (JSON.parse(row.result) as Record<string, unknown>),
  }
}

type Hold = Pick<ClaimedRun, 'id' | 'epoch'>

/** Renews the lease. False when the run isn't ours any more. */
export async function renewRun(db: Queryable, run: Hold, leaseSeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE sluice.task_run SET lease_until = now() + make_interval(secs => $3) WHERE id = $1 AND epoch = $2 AND state = 'running'`,
    [run.id, run.epoch, leaseSeconds],
  )
  return rowCount === 1
}

/** Writes what the run has done so far and renews its lease. False when it isn't ours any more. */
export async function saveRun(db: Queryable, run: Hold, result: object, leaseSeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE sluice.task_run SET result = $3, lease_until = now() + make_interval(secs => $4)
     WHERE id = $1 AND epoch = $2 AND state = 'running'`,
    [run.id, run.epoch, JSON.stringify(result), leaseSeconds],
  )
  return rowCount === 1
}

/** Running → finished, with what it did. */
export async function finishRun(db: Queryable, run: Hold, result: object): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE sluice.task_run SET state = 'finished', result = $3, error = NULL, lease_until = NULL, finished_at = clock_timestamp()
     WHERE id = $1 AND epoch = $2 AND state = 'running'`,
    [run.id, run.epoch, JSON.stringify(result)],
  )
  return rowCount === 1
}

/** Running → failed; what it had done until then stays in its result. */
export async function failRun(db: Queryable, run: Hold, error: { code: string; message: string }): Promise<void> {
  await db.query(
    `UPDATE sluice.task_run SET state = 'failed', error = $3, lease_until = NULL, finished_at = clock_timestamp()
     WHERE id = $1 AND epoch = $2 AND state = 'running'`,
    [run.id, run.epoch, JSON.stringify(error)],
  )
}

/**
 * Lets a run go, so that any worker goes on with it after `seconds`: where the last saved result says, if the task has
 * a place to go on from.
 *
 * @param error why, if it is a failure that uses up an attempt; null: this worker only stops
 */
export async function releaseRun(
  db: Queryable,
  run: Hold,
  seconds: number,
  error: { code: string; message: string } | null,
): Promise<void> {
  await db.query(
    `UPDATE sluice.task_run SET lease_until = clock_timestamp() + make_interval(secs => $3), worker = NULL, error = $4,
       attempts = attempts - CASE WHEN $4::jsonb IS NULL THEN 1 ELSE 0 END
     WHERE id = $1 AND epoch = $2 AND state = 'running'`,
    [run.id, run.epoch, seconds, error === null ? null : JSON.stringify(error)],
  )
}

/** The newest run of each of these tasks. */
export async function lastRuns(db: Queryable, tasks: readonly TaskName[]): Promise<Map<TaskName, TaskRunView>> {
  const { rows } = await db.query<TaskRunView>(
    `SELECT r.id, r.task, r.started_by AS "startedBy", r.actor, r.slot, r.parameters, r.state, r.result, r.error, r.worker,
       r.created_at AS "createdAt", r.started_at AS "startedAt", r.finished_at AS "finishedAt"
     FROM unnest($1::text[]) AS t (task)
     CROSS JOIN LATERAL (SELECT * FROM sluice.task_run WHERE task = t.task ORDER BY id DESC LIMIT 1) AS r`,
    [tasks],
  )
  return new Map(rows.map((row) => [row.task, row]))
}
