/** Whether a document holds what is desired. Pure. */

/** Ids that Payload adds to rows and blocks, and members that aren't sent, are not compared. A missing value is null. */
export function holds(actual: unknown, desired: unknown): boolean {
  if (desired === null || desired === undefined) return actual === null || actual === undefined
  if (Array.isArray(desired))
    return Array.isArray(actual) && actual.length === desired.length && desired.every((item, index) => holds(actual[index], item))
  if (typeof desired !== 'object') return actual === desired
  if (typeof actual !== 'object' || actual === null) return false
  return Object.entries(desired).every(([name, value]) => holds((actual as Record<string, unknown>)[name], value))
}

/** The same ids, whatever their order and repetition. */
export function sameSet(actual: unknown, desired: readonly (string | number)[]): boolean {
  const now = new Set(Array.isArray(actual) ? actual.map(String) : [])
  const then = new Set(desired.map(String))
  return now.size === then.size && [...then].every((id) => now.has(id))
}
