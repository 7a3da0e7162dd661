/**
 * `process`: chunks of lost workers are taken back, and what waits for references that have come goes on. A click also
 * makes chunks due that wait for a later attempt, and resumes the integration it names. Workers do the processing itself.
 */
import { type FlowContext, sweepReferences } from '../flow/index.ts'
import { reclaimExpired } from '../store/chunk.ts'
import { resumeIntegration } from '../store/resume.ts'
import { makeChunksDue } from '../store/selection.ts'
import { advance, type Progress, type Run } from './task.ts'

const pageSize = 1000

/** Counts: chunks made due, chunks taken back from lost workers, instances released, links filled, integrations resumed. */
export async function runProcess(context: FlowContext, run: Run): Promise<Progress> {
  const { integration } = run.parameters
  let progress = run.progress
  if (run.startedBy === 'click') {
    if (integration !== undefined && (await resumeIntegration(context.db, integration, run.actor ?? 'task'))) {
      context.forgetTarget(integration)
      progress = await run.save(context.db, advance(progress, { resumed: 1 }))
    }
    for (let made = pageSize; made === pageSize; ) {
      run.checkStop()
      made = await makeChunksDue(context.db, run.parameters, pageSize)
      progress = await run.save(context.db, advance(progress, { chunks: made }))
    }
  }
  progress = await run.save(context.db, advance(progress, { reclaimed: await reclaimExpired(context.db) }))
  run.checkStop()
  const swept = await sweepReferences(context)
  return advance(progress, { instances: swept.released, links: swept.linked })
}
