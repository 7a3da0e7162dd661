/** What the scanner throws: every refusal says what was found, where, and what to send instead. */
import { SluiceError } from '../errors.ts'

/** A place in a message. */
export interface Place {
  /** Bytes before it. */
  offset: number
  /** From 1, counted by line feeds. */
  line: number
  /** From 1, in bytes. */
  column: number
  /** JSON Pointer of the value that is being read there; `''` where none is. Elements count from zero, a single object is `/0`. */
  pointer: string
}

/** A message that is not JSON of ours. `details` holds the place, and `more`. */
export function refusal(code: string, place: Place, before: string, after: string, more: Record<string, unknown> = {}): SluiceError {
  return new SluiceError(code, `${before} at line ${place.line}, column ${place.column}: ${after}`, { details: { ...place, ...more } })
}

const longestShown = 60

/** A key as a message shows it: quoted, cut when it is long. */
export function showKey(key: string): string {
  return JSON.stringify(key.length > longestShown ? `${key.slice(0, longestShown)}…` : key)
}
