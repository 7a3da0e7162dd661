/** What became of a processed instance: always one of six. A target's own word (`published`, `moved`) is the detail. */
export const outcomes = ['created', 'updated', 'unchanged', 'deleted', 'superseded', 'ignored'] as const
export type Outcome = (typeof outcomes)[number]

/**
 * How a failed instance comes again.
 *
 * - `transient`: by itself (10 s, doubling to an hour, ten times);
 * - `permanent`: by a click, after somebody mended its cause;
 * - `missing_reference`: by itself, when all that it waits for has been applied.
 */
export type FailureClass = 'transient' | 'permanent' | 'missing_reference'

/** Before and after of what changed, by column; for a set, the rows that were added and removed. */
export type Changes = Record<string, { before: unknown; after: unknown } | { added: unknown[]; removed: unknown[] }>

/** An instance was applied. */
export interface Applied {
  outcome: Outcome
  /** The target's own word for it, such as `published`. */
  detail?: string
  /** What other objects refer to: a row's key, a page's id. */
  ref?: string
  changes?: Changes
}

/** An instance could not be applied. */
export interface Failed {
  failed: {
    /** Stable and made for programs; listed in docs/errors.md. */
    code: string
    class: FailureClass
    /** Made for people: what was wrong and what to do next. */
    message: string
    /** JSON Pointer within the message, where the cause is a place in it. */
    pointer?: string
    /** Column of the target, where the cause is one. */
    column?: string
  }
}

export type Result = Applied | Failed

/** True when a result is a failure. */
export function isFailed(result: Result): result is Failed {
  return 'failed' in result
}

/**
 * A failure as a value, for handlers.
 *
 * @example return failed('budget_exceeded', 'The order is above the customer’s limit')
 */
export function failed(code: string, message: string, options: Partial<Failed['failed']> = {}): Failed {
  return { failed: { class: 'permanent', ...options, code, message } }
}

const firstRetrySeconds = 10
const longestRetrySeconds = 3600
const mostRetries = 10

/**
 * When a transient failure comes again: 10 s after the first attempt, doubling to an hour.
 *
 * @param attempts attempts made so far, from 1; counted anew after a click
 * @returns seconds from now, or null when the ten retries are used up
 */
export function retryDelay(attempts: number): number | null {
  if (attempts > mostRetries) return null
  return Math.min(firstRetrySeconds * 2 ** (attempts - 1), longestRetrySeconds)
}
