/** Texts that JSON allows and PostgreSQL can't hold: U+0000 and surrogates without their other half. */
import { ExactNumber, type JsonValue } from './exact.ts'
import { formatPointer } from './pointer.ts'

/** Whether a JSON text may have such a text in it: only escapes can bring them. */
export function mayBeUnstorable(text: string): boolean {
  return /\\u(?:0000|[dD][89a-fA-F])/.test(text)
}

/** What PostgreSQL can't hold about a string; null when it can. */
export function unstorableReason(text: string): 'nul' | 'lone_surrogate' | null {
  if (text.includes('\u0000')) return 'nul'
  return text.isWellFormed() ? null : 'lone_surrogate'
}

/** The first string or key that PostgreSQL can't hold, by its pointer within the value. */
export function findUnstorable(value: JsonValue): { pointer: string; reason: 'nul' | 'lone_surrogate' } | null {
  return find(value, [])
}

function find(value: JsonValue, path: (string | number)[]): { pointer: string; reason: 'nul' | 'lone_surrogate' } | null {
  if (typeof value === 'string') {
    const reason = unstorableReason(value)
    return reason === null ? null : { pointer: formatPointer(path), reason }
  }
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return null
  for (const [key, item] of Object.entries(value)) {
    const reason = unstorableReason(key)
    if (reason !== null) return { pointer: formatPointer([...path, key]), reason }
    const found = find(item, [...path, key])
    if (found !== null) return found
  }
  return null
}
