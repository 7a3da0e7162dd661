/** The supervised side of `sluice work`: one worker that tells its supervisor which chunk it has in hand. */
import type { Sluice } from '../sluice.ts'
import type { ChunkInHand } from '../worker/in-hand.ts'
import { stopSignal } from './stopping.ts'

/** What a worker process tells its supervisor. */
export interface ChunkReport {
  /** The chunk or split that has been in hand longest; null: nothing is. */
  chunk: ChunkInHand | null
}

/** Milliseconds that each worker of a supervisor lets the one before it go first: about what a small message takes. */
const standbyMilliseconds = 15

/**
 * Works until it is told to stop: by a signal, or because its supervisor is gone.
 *
 * @param slot which of the supervisor's workers it is, from 1
 */
export async function workUnderSupervision(sluice: Sluice, slot: number): Promise<void> {
  const worker = sluice.work({
    standby: (slot - 1) * standbyMilliseconds,
    onChunk(chunk) {
      const report: ChunkReport = { chunk }
      if (process.connected) process.send?.(report)
    },
  })
  const orphaned = new Promise<void>((resolve) => process.once('disconnect', resolve))
  await Promise.race([stopSignal(), orphaned])
  await worker.stop()
  if (process.connected) process.disconnect()
}
