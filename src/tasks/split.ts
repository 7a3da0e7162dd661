/** `split`: messages that are due to be split, and those that a crash left unvalidated. A click tries failed splits again. */
import { type FlowContext, splitMessage, validateMessage } from '../flow/index.ts'
import { messagesToSplit } from '../store/selection.ts'
import { classify } from '../store/sqlstate.ts'
import { advance, type Progress, type Run } from './task.ts'

const pageSize = 100

/** Counts: messages split, their instances, messages that failed, messages validated and, of these, refused. */
export async function runSplit(context: FlowContext, run: Run): Promise<Progress> {
  let progress = advance(run.progress, { messages: 0, instances: 0, failed: 0 })
  for (;;) {
    const page = await messagesToSplit(context.db, run.parameters, {
      integrations: [...context.config.integrations.keys()],
      graceSeconds: context.config.validateGrace,
      retryFailed: run.startedBy === 'click',
      after: progress.reached ?? '0',
      limit: pageSize,
    })
    for (const { id, status } of page) {
      run.checkStop()
      const counts = await splitOne(context, id, status === 0)
      progress = await run.save(context.db, advance(progress, counts, { reached: id }))
    }
    if (page.length < pageSize) return progress
  }
}

/** A message that can't even be tried must not keep those behind it from being split. */
async function splitOne(context: FlowContext, id: string, mustValidate: boolean): Promise<Record<string, number>> {
  try {
    if (mustValidate) {
      const receipt = await validateMessage(context, id)
      if (receipt?.status === -1) return { validated: 1, refused: 1 }
    }
    const result = await splitMessage(context, id)
    const validated: Record<string, number> = mustValidate ? { validated: 1 } : {}
    if (result.state === 'split') return { ...validated, messages: 1, instances: result.instances }
    return result.state === 'failed' ? { ...validated, failed: 1 } : validated
  } catch (error) {
    if (classify(error) === 'surroundings') throw error
    context.log.error({ error, message: id }, 'a message could not be validated or split')
    return { failed: 1 }
  }
}
