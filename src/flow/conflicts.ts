/** Conflicts that somebody else ends, such as an editor's draft on a page: what failed for one goes on when it is over. */
import { failuresWithCode, type ObjectFailure, requeueInstances } from '../store/requeue.ts'
import type { Target } from '../targets/target.ts'
import type { FlowContext } from './context.ts'

const pageSize = 1000

/** Asks the target of an integration which of its conflicts are over, and puts these instances back. Gives their number. */
export async function releaseConflicts(context: FlowContext, integration: string): Promise<number> {
  const { conflict } = await context.target(integration, context.db)
  return conflict === undefined ? 0 : releaseAll(context, integration, conflict)
}

async function releaseAll(context: FlowContext, integration: string, conflict: NonNullable<Target['conflict']>): Promise<number> {
  const selectOver = (failures: readonly ObjectFailure[]): Promise<readonly string[]> =>
    conflict.selectOver([...new Set(failures.map(({ externalId }) => externalId))]).catch((error: unknown) => {
      // A site that doesn't answer holds up nothing but its own pages.
      context.log.warn({ error, integration }, 'whether conflicts are over could not be asked; the sweep asks again')
      return []
    })
  let released = 0
  let after: ObjectFailure | null = null
  for (;;) {
    const failures: ObjectFailure[] = await failuresWithCode(context.db, integration, conflict.code, { after, limit: pageSize })
    const over = new Set(failures.length === 0 ? [] : await selectOver(failures))
    const keys = failures.filter(({ externalId }) => over.has(externalId))
    if (keys.length > 0) released += await requeueInstances(context.db, keys, { chunkSize: context.config.chunkSize })
    after = failures.at(-1) ?? null
    if (failures.length < pageSize) return released
  }
}
