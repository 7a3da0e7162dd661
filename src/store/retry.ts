/** Serialization failures and deadlocks are tried again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { sqlstateOf } from './driver-error.ts'

const mostAttempts = 8
const longestDelayMilliseconds = 1000

/** Runs a transaction again when PostgreSQL rolled it back for another one's sake (40001, 40P01), with growing jitter. */
export async function withRetry<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const state = sqlstateOf(error)
      if ((state !== '40001' && state !== '40P01') || attempt === mostAttempts) throw error
      await sleep(Math.random() * Math.min(10 * 2 ** attempt, longestDelayMilliseconds))
    }
  }
}
