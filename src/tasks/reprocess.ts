/**
 * `reprocess`: failed instances wait again. By the clock those that are transient and due; by a click all that the filter
 * matches, whatever their class, and with `replay` processed ones too.
 */
import type { FlowContext } from '../flow/index.ts'
import { type InstanceKey, mostAtOnce, requeueInside } from '../store/requeue.ts'
import { withRetry } from '../store/retry.ts'
import { beforeAll, selectForRun } from '../store/selection.ts'
import { advance, type Progress, type Run } from './task.ts'

/**
 * Counts: instances put back, the retry chunks they wait in, and messages. A page is put back in the transaction that
 * notes how far the run has come: one whose worker is lost puts nothing back twice.
 */
export async function runReprocess(context: FlowContext, run: Run): Promise<Progress> {
  const { replay, asDraft } = run.parameters
  const options = {
    chunkSize: context.config.chunkSize,
    byClick: run.startedBy === 'click',
    ...(replay === undefined ? {} : { replay }),
    ...(asDraft === undefined ? {} : { asDraft }),
  }
  let progress = advance(run.progress, { messages: 0, instances: 0, chunks: 0 })
  // A message may span two pages, and is counted once.
  let lastMessage: string | undefined
  for (;;) {
    run.checkStop()
    const page = await selectForRun(context.db, run.parameters, {
      after: progress.reached === undefined ? beforeAll : parseKey(progress.reached),
      limit: mostAtOnce,
      until: run.startedAt,
      onlyDue: run.startedBy === 'clock',
    })
    const before = progress
    const rest = page.reached === null ? {} : { reached: formatKey(page.reached) }
    const done = await withRetry(() =>
      context.db.transaction(async (tx) => {
        const { instances, chunks, messages } = await requeueInside(tx, page.keys, options)
        const counts = { messages: messages.filter((id) => id !== lastMessage).length, instances, chunks }
        return { progress: await run.save(tx, advance(before, counts, rest)), last: messages.at(-1) }
      }),
    )
    progress = done.progress
    lastMessage = done.last ?? lastMessage
    if (page.reached === null) return progress
  }
}

function formatKey(key: InstanceKey): string {
  return `${key.messageId}.${key.ordinal}`
}

function parseKey(text: string): InstanceKey {
  const [messageId = '', ordinal = ''] = text.split('.')
  return { messageId, ordinal: Number(ordinal) }
}
