/** What a click would do to how many, before it is made. */
import type { FlowContext } from '../flow/index.ts'
import { normalizeParameters, type RunParameters, type TaskName } from '../model/task.ts'
import type { Queryable } from '../store/db.ts'
import { longestSearch } from '../store/reads/messages.ts'
import { beforeAll, chunksToMakeDue, messagesToRollUp, messagesToSplit, rolledUpMessages, selectForRun } from '../store/selection.ts'
import { type PrunePreview, previewPrune } from './prune.ts'

/** Where counting stops: more than that is told as that many and more. */
export const mostCounted = 100_000

/** How much a run would do. */
export interface RunPreview {
  /** `reprocess` counts instances, `split`, `rollup` and `prune` messages, `process` chunks that wait for a later attempt. */
  unit: 'instances' | 'messages' | 'chunks'
  /** At most {@link mostCounted}. */
  count: number
  /** Of `prune`: what would go, by the rules of `retention`. */
  rules?: PrunePreview[]
}

/**
 * Counts what a click would find now. What a run does may be another number: work goes on in between.
 *
 * @throws SluiceError `invalid_parameters` as the click itself
 * @throws DatabaseError 57014 when counting takes longer than ten seconds
 */
export async function previewRun(context: FlowContext, task: TaskName, given: RunParameters): Promise<RunPreview> {
  const parameters = normalizeParameters(task, given)
  // Somebody waits for the answer.
  return context.db.transaction((tx) => count(context, tx, task, parameters), { statementTimeout: longestSearch })
}

async function count(context: FlowContext, db: Queryable, task: TaskName, parameters: RunParameters): Promise<RunPreview> {
  const page = { after: '0', limit: mostCounted }
  switch (task) {
    case 'reprocess': {
      const { keys } = await selectForRun(db, parameters, { after: beforeAll, limit: mostCounted, until: 'infinity' })
      return { unit: 'instances', count: keys.length }
    }
    case 'split': {
      const integrations = [...context.config.integrations.keys()]
      const options = { ...page, integrations, graceSeconds: context.config.validateGrace, retryFailed: true }
      return { unit: 'messages', count: (await messagesToSplit(db, parameters, options)).length }
    }
    case 'rollup': {
      const open = await messagesToRollUp(db, parameters, page)
      // Only chosen messages are counted again.
      const isChosen = parameters.messages !== undefined || parameters.instances !== undefined
      const done = isChosen ? await rolledUpMessages(db, parameters, page) : []
      return { unit: 'messages', count: Math.min(open.length + done.length, mostCounted) }
    }
    case 'prune': {
      const rules = await previewPrune(db, context.config)
      const parts = rules.flatMap((rule) => ('status' in rule ? [rule.count] : []))
      return { unit: 'messages', count: Math.min(Math.max(0, ...parts), mostCounted), rules }
    }
    case 'process':
      return { unit: 'chunks', count: await chunksToMakeDue(db, parameters, mostCounted) }
  }
}
