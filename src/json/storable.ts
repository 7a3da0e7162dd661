/** Texts that JSON allows and PostgreSQL can't hold: U+0000, and surrogates without their other half. */

import { formatPointer } from './pointer.ts'
import { ExactNumber, type JsonValue } from './value.ts'

/** Why PostgreSQL can't hold a text. */
export type UnstorableReason = 'nul' | 'lone_surrogate'

/** False when no string in a JSON text can be unstorable: only escapes bring such characters into what the scanner accepts. */
export function mayBeUnstorable(text: string): boolean {
  return /\\u(?:0000|[dD][89a-fA-F])/.test(text)
}

/** The text with U+FFFD in place of what PostgreSQL can't hold. */
export function toStorable(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD')
}

/** What PostgreSQL can't hold about a string; null when it can. */
export function unstorableReason(text: string): UnstorableReason | null {
  if (text.includes('\u0000')) return 'nul'
  return text.isWellFormed() ? null : 'lone_surrogate'
}

/** The first string or key that PostgreSQL can't hold, by its pointer within the value; null when there is none. */
export function findUnstorable(value: JsonValue): { pointer: string; reason: UnstorableReason } | null {
  const path: string[] = []
  const reason = find(value, path)
  return reason === null ? null : { pointer: formatPointer(path), reason }
}

/** Leaves the way to what it finds in `path`. */
function find(value: JsonValue, path: string[]): UnstorableReason | null {
  if (typeof value === 'string') return unstorableReason(value)
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return null
  for (const [key, item] of Object.entries(value)) {
    path.push(key)
    const reason = unstorableReason(key) ?? find(item, path)
    if (reason !== null) return reason
    path.pop()
  }
  return null
}
