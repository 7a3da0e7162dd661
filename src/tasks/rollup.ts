/**
 * `rollup`: messages whose last chunk ended without a roll-up. A click on messages that are rolled up already counts
 * their instances again and tells where the counts differ; it changes nothing there.
 */
import { type FlowContext, rollUp } from '../flow/index.ts'
import { countsAgree, messagesToRollUp, rolledUpMessages } from '../store/selection.ts'
import { advance, type Progress, type Run } from './task.ts'

const pageSize = 1000
/** How many messages whose counts differ are named in a run's result. */
const mostNamed = 100

/** Counts: messages rolled up, messages counted again and, of these, how many differ (`differing` names them). */
export async function runRollup(context: FlowContext, run: Run): Promise<Progress> {
  let progress = advance(run.progress, { messages: 0 })
  if (progress.notes === undefined) {
    for (;;) {
      const page = await messagesToRollUp(context.db, run.parameters, { after: progress.reached ?? '0', limit: pageSize })
      for (const id of page) {
        run.checkStop()
        const status = await rollUp(context.db, id)
        progress = await run.save(context.db, advance(progress, { messages: status === null ? 0 : 1 }, { reached: id }))
      }
      if (page.length < pageSize) break
    }
  }
  const { messages, instances } = run.parameters
  if (run.startedBy !== 'click' || (messages === undefined && instances === undefined)) return progress
  return recount(context, run, progress)
}

async function recount(context: FlowContext, run: Run, rolledUp: Progress): Promise<Progress> {
  let progress: Progress = { ...rolledUp, ...(rolledUp.notes === undefined ? { reached: '0', notes: { differing: [] } } : {}) }
  const differing = [...((progress.notes?.differing as string[] | undefined) ?? [])]
  for (;;) {
    const page = await rolledUpMessages(context.db, run.parameters, { after: progress.reached ?? '0', limit: pageSize })
    for (const id of page) {
      run.checkStop()
      const agrees = await countsAgree(context.db, id)
      if (!agrees && differing.length < mostNamed) differing.push(id)
      progress = await run.save(
        context.db,
        advance(progress, { recounted: 1, different: agrees ? 0 : 1 }, { reached: id, notes: { differing: [...differing] } }),
      )
    }
    if (page.length < pageSize) return progress
  }
}
