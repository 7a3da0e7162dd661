/** Reads of task runs. */
import { sql } from 'kysely'
import type { StartedBy, TaskName } from '../../model/task.ts'
import type { Queryable } from '../db.ts'
import { builder, type Page, pageOf, run } from './query.ts'

/** A run of a task. */
export interface TaskRunView {
  id: string
  task: TaskName
  startedBy: StartedBy
  actor: string | null
  slot: string | null
  /** JSON text. */
  parameters: string
  state: 'queued' | 'running' | 'finished' | 'failed'
  /** JSON text. */
  result: string | null
  /** JSON text. */
  error: string | null
  worker: string | null
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

function selectRuns() {
  return builder
    .selectFrom('task_run as r')
    .select([
      'r.id',
      'r.task',
      'r.started_by as startedBy',
      'r.actor',
      'r.slot',
      'r.parameters',
      'r.state',
      'r.result',
      'r.error',
      'r.worker',
    ])
    .select(['r.created_at as createdAt', 'r.started_at as startedAt', 'r.finished_at as finishedAt'])
}

/** Who looks at runs. */
export interface Onlooker {
  name: string
  /** Null: all. */
  integrations: readonly string[] | null
}

/** Runs that somebody limited to integrations may see: those that name one of them, and those that they asked for themselves. */
function visibleTo({ name, integrations }: Onlooker) {
  return integrations === null
    ? sql<boolean>`true`
    : sql<boolean>`(r.parameters ->> 'integration' = ANY(${integrations}::text[]) OR (r.started_by = 'click' AND r.actor = ${name}))`
}

/** A page of runs, newest first. */
export async function listTaskRuns(
  db: Queryable,
  onlooker: Onlooker,
  filter: { task?: TaskRunView['task'] | undefined; state?: TaskRunView['state'] | undefined },
  page: { limit: number; after: string | null },
): Promise<Page<TaskRunView, string>> {
  const { task, state } = filter
  const { after } = page
  const rows = await run(
    db,
    selectRuns()
      .where(visibleTo(onlooker))
      .$if(task !== undefined, (q) => q.where('r.task', '=', task ?? 'split'))
      .$if(state !== undefined, (q) => q.where('r.state', '=', state ?? 'queued'))
      .$if(after !== null, (q) => q.where('r.id', '<', after ?? ''))
      .orderBy('r.id', 'desc')
      .limit(page.limit + 1),
  )
  return pageOf(rows, page.limit, (last) => last.id)
}

/** One run; null when there is none that the onlooker may see. */
export async function findTaskRun(db: Queryable, onlooker: Onlooker, id: string): Promise<TaskRunView | null> {
  const rows = await run(db, selectRuns().where('r.id', '=', id).where(visibleTo(onlooker)))
  return rows[0] ?? null
}
