/** What is wrong with an object, and the form it is told in. */
import { toStorable } from '../json/storable.ts'

export interface SchemaIssue {
  /** JSON Pointer relative to the object: `` or `/name`. */
  pointer: string
  /** Stable and made for programs: JSON Schema's keyword, the schema library's own code, or one of ours (docs/errors.md). */
  code: string
  /** Made for people. */
  message: string
}

/** A value passed, and this is what the schema gives out for it; or it did not. */
export type ValidationResult =
  | { output: unknown; issues: null }
  | {
      output: undefined
      issues: SchemaIssue[]
      /** Pointers of properties whose absence is among the issues, where those stand at the object around them. */
      missing?: ReadonlySet<string>
    }

const longestMessage = 1000

/** An issue that can be stored: without NUL and lone surrogates, its message cut at 1,000 characters. */
export function issueAt(pointer: string, code: string, message: string): SchemaIssue {
  const short = message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message
  // Keys of an object may have what PostgreSQL can't hold.
  return { pointer: toStorable(pointer), code: toStorable(code), message: toStorable(short) }
}
