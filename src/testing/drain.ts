/** Does by hand, to the end, what workers do by themselves. */
import { SluiceError } from '../errors.ts'
import { processChunks, splitNext, sweepReferences } from '../flow/index.ts'
import type { Services } from '../services.ts'
import { claimChunks } from '../store/chunk.ts'
import { executeNextRun } from '../tasks/run.ts'

const worker = 'test'
/** Far more rounds than any test needs; reached only by work that makes itself due again and again. */
const mostRounds = 10_000

/** Does everything that is due, until nothing is: split, process, links, what waited for references, roll-up, runs of tasks. */
export async function drain(services: Services): Promise<void> {
  for (let round = 0; round < mostRounds; round++) {
    if (await doNext(services)) continue
    const { released, linked } = await sweepReferences(services)
    if (released + linked === 0) return
  }
  throw new SluiceError(
    'drain_endless',
    `Something is due again and again, after ${mostRounds} rounds. Does a handler fail with a transient error each time?`,
  )
}

/** One message split or a group of small ones, one batch processed, or one run of a task. False when nothing is due. */
async function doNext(services: Services): Promise<boolean> {
  const { db, config } = services
  const integrations = [...config.integrations.keys()]
  const split = await splitNext(services, integrations)
  if (split !== null) return split.messages + split.failed > 0
  const chunks = await claimChunks(db, { integrations, worker, leaseSeconds: config.worker.lease, size: config.chunkSize })
  if (chunks.length > 0) {
    await processChunks(services, chunks, new AbortController().signal)
    return true
  }
  return executeNextRun(services, worker)
}
