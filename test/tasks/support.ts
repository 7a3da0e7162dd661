/** What tests of tasks share: services with one integration, and runs that are done on the spot. */
import { defineConfig, defineIntegration, type SluiceOptions } from '../../src/config.ts'
import { processChunks, splitMessage } from '../../src/flow/index.ts'
import type { TaskName } from '../../src/model/task.ts'
import { createServices, type Services } from '../../src/services.ts'
import { claimChunks } from '../../src/store/chunk.ts'
import type { Db } from '../../src/store/db.ts'
import type { HandlerResult } from '../../src/targets/handler.ts'
import { executeNextRun, type RunOrigin, type RunParameters, requestRun } from '../../src/tasks/run.ts'

export interface Thing {
  id: string
}

export interface ServicesOptions extends Partial<SluiceOptions> {
  /** What becomes of a thing. Default: `created`. */
  apply?: (thing: Thing, attempt: number) => HandlerResult
  onInvalid?: 'refuse' | 'keep-valid'
}

/** Services over a database, with the integration `thing`: `{ "id": "…" }`, handled by `apply`. */
export function createThings(db: Db, options: ServicesOptions = {}): Services {
  const { apply = () => 'created', onInvalid = 'refuse', ...rest } = options
  const thing = defineIntegration<Thing>({
    name: 'thing',
    schema: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
    key: 'id',
    onInvalid,
    target: (t) => t.handler({ apply: (object, context) => apply(object, context.attempt) }),
  })
  return createServices(defineConfig({ integrations: [thing], logLevel: 'silent', ...rest }, {}), db)
}

/** A run as it stands in the database, its JSON parsed. */
export interface RunRow {
  id: string
  task: TaskName
  startedBy: string
  actor: string | null
  state: string
  attempts: number
  worker: string | null
  result: Record<string, unknown> | null
  error: { code: string; message: string } | null
  parameters: RunParameters
}

/** One run by id. */
export async function findRun(db: Db, id: string): Promise<RunRow> {
  type Stored = Omit<RunRow, 'result' | 'error' | 'parameters'> & { result: string | null; error: string | null; parameters: string }
  const { rows } = await db.query<Stored>(
    `SELECT id, task, started_by AS "startedBy", actor, state, attempts, worker, result, error, parameters FROM sluice.task_run WHERE id = $1`,
    [id],
  )
  const row = rows[0]
  if (row === undefined) throw new Error(`no run ${id}`)
  return {
    ...row,
    result: JSON.parse(row.result ?? 'null') as RunRow['result'],
    error: JSON.parse(row.error ?? 'null') as RunRow['error'],
    parameters: JSON.parse(row.parameters) as RunParameters,
  }
}

/** Asks for a run and does what is queued until it is done. */
export async function runNow(
  services: Services,
  task: TaskName,
  parameters: RunParameters = {},
  by: RunOrigin = { startedBy: 'click', actor: 'anna' },
): Promise<RunRow> {
  const { id } = await requestRun(services.db, task, parameters, by)
  while (await executeNextRun(services, 'tester')) {
    // Goes on until nothing is queued.
  }
  return findRun(services.db, id)
}

/** The clock's slots are unique: each call gives another one. */
export function clock(): RunOrigin {
  slots++
  return { startedBy: 'clock', slot: new Date(Date.UTC(2020, 0, 1) + slots * 60_000) }
}
let slots = 0

/** Processes whatever is due, as workers would. */
export async function work(services: Services): Promise<void> {
  const claim = { integrations: ['thing'], worker: 'tester', leaseSeconds: 60, size: services.config.chunkSize }
  for (;;) {
    const chunks = await claimChunks(services.db, claim)
    if (chunks.length === 0) return
    await processChunks(services, chunks, new AbortController().signal)
  }
}

/** Splits a message and processes it. */
export async function splitAndWork(services: Services, messageId: string): Promise<void> {
  await splitMessage(services, messageId)
  await work(services)
}
