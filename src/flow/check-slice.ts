/** Objects are checked some at a time, so that a schema that doesn't end can be stopped at little cost. */
import { type CheckedObject, checkObject, type ObjectRules } from '../schema/check.ts'
import { DeadlinePassed, within } from '../schema/deadline.ts'
import type { Validator } from '../schema/validator.ts'

/** Objects in a slice: at first, and what quick and slow schemas come to. */
const firstObjects = 100
const mostObjects = 1000
const fewestObjects = 10

/** Characters after which a slice is cut. */
const mostCharacters = 256 * 1024

/** Milliseconds: a slice that took less is followed by a larger one, and one that took more by a smaller one. */
const quick = 2
const slow = 10

/** Milliseconds that a schema may take for one object. Nothing else is done meanwhile. */
export const longestCheck = 1000

/** How many objects go into a slice: a call under a deadline costs as much as some thirty objects, and nothing else is done while it lasts. */
export class Pace {
  objects = firstObjects

  /** A slice took so many milliseconds. */
  took(milliseconds: number): void {
    if (milliseconds < quick) this.objects = Math.min(this.objects * 2, mostObjects)
    else if (milliseconds > slow) this.objects = Math.max(this.objects >> 1, fewestObjects)
  }
}

/** Cuts a list of texts into slices, in order, each as long as the pace says when it is asked for. */
export function* slicesOf(texts: readonly string[], pace: Pace): Generator<readonly string[]> {
  let from = 0
  let characters = 0
  for (const [index, text] of texts.entries()) {
    characters += text.length
    if (index + 1 - from < pace.objects && characters < mostCharacters) continue
    yield texts.slice(from, index + 1)
    from = index + 1
    characters = 0
  }
  if (from < texts.length) yield texts.slice(from)
}

/** What was found of a slice. */
export interface CheckedSlice {
  /** In order. One that the schema answers for with a promise is a promise here too, and may be left alone. */
  checks: (CheckedObject | Promise<CheckedObject>)[]
  /** The schema was stopped at the object after these: it had taken a second for it alone. */
  isStopped: boolean
}

/** Checks the objects of a slice. */
export function checkSlice(rules: ObjectRules, validator: Validator, texts: readonly string[]): CheckedSlice {
  const checks: CheckedSlice['checks'] = []
  const checkNext = (): void => {
    const text = texts[checks.length]
    // The time was up just after the last one.
    if (text === undefined) return
    const checking = checkObject(rules, validator, text)
    if (checking instanceof Promise) checking.catch(() => undefined)
    checks.push(checking)
  }
  const checkAll = (): void => {
    while (checks.length < texts.length) checkNext()
  }
  while (checks.length < texts.length) {
    // Where only the slice was slow, the object in hand has all of the time for itself next.
    if (!endsInTime(checkAll) && !endsInTime(checkNext)) return { checks, isStopped: true }
  }
  return { checks, isStopped: false }
}

function endsInTime(work: () => void): boolean {
  try {
    within(longestCheck, work)
    return true
  } catch (error) {
    if (error instanceof DeadlinePassed) return false
    throw error
  }
}
