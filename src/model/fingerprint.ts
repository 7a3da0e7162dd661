/** Groups failures that are the same failure of different objects. */
import { createHash } from 'node:crypto'

/**
 * A short name for a kind of failure: 16 hex digits, the same for messages that differ only in their values.
 *
 * @param code the failure's code, such as `not_null_violation`
 * @param message the text for people; quoted values, URLs, UUIDs and everything with digits in it count as blanks
 */
export function fingerprintOf(code: string, message: string): string {
  return createHash('sha256')
    .update(`${code}\0${shapeOf(message)}`)
    .digest('hex')
    .slice(0, 16)
}

// Quotes first: what they hold may be anything. An apostrophe within a word (doesn't) opens and closes nothing.
const quoted = /"[^"]*"|“[^”]*”|«[^»]*»|`[^`]*`|(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu
/** PostgreSQL's `Key (ms_id)=(42) already exists` and `Failing row contains (42, …)`. */
const inBrackets = /(=|contains )\([^()]*\)/g
const url = /(?<![\p{L}\p{N}+.-])[a-z][a-z0-9+.-]*:\/\/\S+/giu
const uuid = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi
/** A word with a digit in it: a number, a date, an article's number. */
const withDigits = /(?<![\p{L}\p{N}_])[\p{L}_]*[+-]?\p{N}(?:[\p{L}\p{N}_]|[.,:+-](?=[\p{L}\p{N}]))*/gu

function shapeOf(message: string): string {
  return message
    .replace(quoted, '<text>')
    .replace(inBrackets, '$1(<text>)')
    .replace(url, '<url>')
    .replace(uuid, '<uuid>')
    .replace(withDigits, '<number>')
    .replace(/\s+/g, ' ')
    .trim()
}
