/** Tasks by a click, and their runs. */
import { SluiceError } from '../errors.ts'
import type { Services } from '../services.ts'
import { unknownInstances, unknownMessages } from '../store/reads/known.ts'
import { integrationsOfMessages } from '../store/reads/messages.ts'
import { findTaskRun, listTaskRuns } from '../store/reads/tasks.ts'
import { previewRun } from '../tasks/preview.ts'
import { listTasks, requestRun } from '../tasks/run.ts'
import { forbidden, maskedFor, type Principal, requireConfigured, requireIntegration } from './auth.ts'
import { answer, type Call, type Handlers, limitOf } from './call.ts'
import { cursorPart, decodeCursor, encodeCursor } from './cursor.ts'
import { relativeReference } from './path.ts'
import { presentRun } from './present.ts'
import { tooWide } from './problem.ts'

/** Handlers of the tasks. */
export const tasks: Handlers<'tasks' | 'taskRuns' | 'taskRun' | 'runTask' | 'previewRun'> = {
  async tasks(call) {
    const { services, principal, query } = call
    const [after = ''] = decodeCursor(query.cursor, [cursorPart.text]) ?? []
    const limit = limitOf(call)
    const all = (await listTasks(services.db, services.config))
      .sort((a, b) => (a.task < b.task ? -1 : 1))
      .filter(({ task }) => task > after)
    const items = all.slice(0, limit).map(({ lastRun, ...task }) => {
      const isVisible = lastRun !== null && principal.integrations === null
      return { ...task, lastRun: isVisible ? presentRun(lastRun, isTextMasked(call)) : null }
    })
    const last = items.at(-1)
    return answer(call, { items, next: all.length > limit && last !== undefined ? encodeCursor([last.task]) : null })
  },

  async taskRuns(call) {
    const { services, principal, query } = call
    const [after] = decodeCursor(query.cursor, [cursorPart.id]) ?? []
    const { items, next } = await listTaskRuns(services.db, principal, query, { limit: limitOf(call), after: after ?? null })
    return answer(call, {
      items: items.map((run) => presentRun(run, isTextMasked(call))),
      next: next === null ? null : encodeCursor([next]),
    })
  },

  async taskRun(call) {
    const { services, principal, params } = call
    const run = await findTaskRun(services.db, principal, params.id)
    if (run === null) throw new SluiceError('not_found', `There is no run ${params.id} that this token may see.`)
    return answer(call, presentRun(run, isTextMasked(call)))
  },

  async runTask(call) {
    const { services, principal, params, body, path } = call
    await requireParameters(call)
    const { id } = await requestRun(services.db, params.task, body, { startedBy: 'click', actor: principal.name })
    return answer(call, { id }, 202, { Location: relativeReference(path, `/api/task-runs/${id}`) })
  },

  async previewRun(call) {
    const { services, params, body } = call
    await requireParameters(call)
    return answer(call, await previewRun(services, params.task, body).catch(tooWide))
  },
}

/** Whether the text that a run searched for is masked: who may not search for it in every integration may not read it either. */
function isTextMasked({ services, principal }: { services: Services; principal: Principal }): boolean {
  return [...services.sensitive.keys()].some((name) => maskedFor({ services, principal }, name) !== undefined)
}

/** What a run is asked for has to be the caller's, and there. */
async function requireParameters(call: Call<'runTask' | 'previewRun'>): Promise<void> {
  await requireOwn(call)
  const { integration } = call.body
  if (integration !== undefined) requireConfigured(call.services, integration)
  await requireThere(call)
}

/** An id that nothing has is a mistake: the run would end well and have done nothing. */
async function requireThere({ services, body }: Call<'runTask' | 'previewRun'>): Promise<void> {
  const missing = [
    ...(await unknownMessages(services.db, body.messages ?? [])).map((id) => `message ${id}`),
    ...(await unknownInstances(services.db, body.instances ?? [])).map((id) => `instance ${id}`),
  ]
  if (missing.length === 0) return
  const more = missing.length - mostTold
  throw new SluiceError('not_found', `There is no ${missing.slice(0, mostTold).join(', no ')}${more > 0 ? `, and ${more} more` : ''}.`)
}

/** How many of the ids that nothing has are told. */
const mostTold = 10

/** A token limited to integrations runs tasks for these only: it has to say for what, and all of that has to be its own. */
async function requireOwn({ services, principal, body }: Call<'runTask' | 'previewRun'>): Promise<void> {
  if (principal.integrations === null) return
  const { integration, messages, instances } = body
  if (integration !== undefined) return requireIntegration(principal, integration)
  if (messages === undefined && instances === undefined) {
    throw forbidden(
      `The token "${principal.name}" is for the integrations ${principal.integrations.join(', ')}: name one of them, or messages or instances of theirs.`,
    )
  }
  const ids = [...(messages ?? []), ...(instances ?? []).map((id) => id.slice(0, id.indexOf('.')))]
  for (const name of await integrationsOfMessages(services.db, ids)) requireIntegration(principal, name)
}
