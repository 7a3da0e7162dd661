/** Cursors: where a page ended, opaque to clients. */
import { SluiceError } from '../errors.ts'

const longestCursorPart = 1000

/** Writes the parts of a position as base64url. */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/**
 * Reads a cursor: null when there is none, else as many parts as the patterns given, each of which matches.
 *
 * @throws SluiceError `invalid_cursor`
 */
export function decodeCursor(cursor: string | undefined, patterns: readonly RegExp[]): string[] | null {
  if (cursor === undefined) return null
  const parts = parseParts(cursor)
  if (parts === null || parts.length !== patterns.length || !patterns.every((pattern, index) => pattern.test(parts[index] ?? ''))) {
    throw new SluiceError('invalid_cursor', 'The cursor is not one that this list gave out. Begin again without it.')
  }
  return parts
}

function parseParts(cursor: string): string[] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    const isRight = Array.isArray(parts) && parts.every((part) => typeof part === 'string' && part.length <= longestCursorPart)
    return isRight ? (parts as string[]) : null
  } catch {
    return null
  }
}

/** Patterns of cursor parts. */
export const cursorPart = {
  id: /^\d{1,18}$/,
  ordinal: /^\d{1,9}$/,
  time: /^(\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)?$/,
  text: /^[^\0]*$/s,
} as const
