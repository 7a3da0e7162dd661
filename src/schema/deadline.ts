/**
 * Stops a schema that doesn't end: a regular expression that backtracks can run for years on a text of forty characters, and to tell
 * whether ten thousand elements are all different takes JSON Schema minutes.
 */
import { createContext, Script } from 'node:vm'

const context = createContext({ work: null })
const call = new Script('work()')

/** The work took longer than it may. */
export class DeadlinePassed extends Error {}

/**
 * Calls a function that doesn't wait for anything, and ends it when it isn't done in time, wherever it is: `node:vm` stops what it
 * calls, although that belongs to the context outside. A call costs about a tenth of a millisecond, so give it some work. What
 * a promise that it returns does later is not stopped.
 *
 * @throws DeadlinePassed, and what the function threw
 */
export function within<T>(milliseconds: number, work: () => T): T {
  context.work = work
  try {
    return call.runInContext(context, { timeout: milliseconds }) as T
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new DeadlinePassed()
    throw error
  } finally {
    context.work = null
  }
}
