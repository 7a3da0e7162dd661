/** What an object's failure is called, how it comes again, and what a person is told of it. */
import { messageOf, SluiceError } from '../errors.ts'
import { toStorable } from '../json/storable.ts'
import { type Failed, isFailed, type Result } from '../model/outcome.ts'
import { DatabaseError } from '../store/db.ts'
import { ObjectError } from '../targets/target.ts'

/**
 * A result as the database can hold it: the texts of objects, functions and handlers may have U+0000 or half a surrogate pair
 * in them, and one such text must not stop its whole chunk.
 */
export function storableResult(result: Result): Result {
  if (isFailed(result)) {
    const { failed } = result
    const texts = Object.entries(failed).map(([name, text]) => [name, typeof text === 'string' ? toStorable(text) : text])
    return { failed: Object.fromEntries(texts) as unknown as Failed['failed'] }
  }
  return result.detail === undefined ? result : { ...result, detail: toStorable(result.detail) }
}

/** Codes of the constraint errors that people meet most; other SQLSTATEs of an object become `database_error`. */
const codeBySqlstate: Record<string, string> = {
  '23502': 'not_null_violation',
  '23503': 'foreign_key_violation',
  '23505': 'unique_violation',
  '23514': 'check_violation',
  '23P01': 'exclusion_violation',
}

/** Codes of failures that are told in the database's words. */
export const databaseCodes: ReadonlySet<string> = new Set([
  ...Object.values(codeBySqlstate),
  'invalid_value',
  'database_error',
  'statement_timeout',
])

/**
 * The failure of one object. What the database refuses is permanent: the same object would be refused again. What a
 * handler throws is transient, since it is mostly a service that doesn't answer; a handler that knows better returns
 * `failed(…)`.
 *
 * @param explanation what the target adds: the column, the place in the object, a clearer text
 */
export function failureOf(error: unknown, explanation: { column?: string; pointer?: string; message?: string } | null = null): Failed {
  if (error instanceof ObjectError) {
    return {
      failed: {
        code: error.code,
        class: 'permanent',
        message: error.message,
        ...(error.pointer === undefined ? {} : { pointer: error.pointer }),
        ...(error.column === undefined ? {} : { column: error.column }),
      },
    }
  }
  if (error instanceof DatabaseError) {
    if (error.sqlstate === '57014') {
      const message = `A statement for this object ran longer than worker.lease, also alone: ${error.message}. Look for locks, or for what makes it slow.`
      return { failed: { code: 'statement_timeout', class: 'transient', message } }
    }
    const code = codeBySqlstate[error.sqlstate] ?? (error.sqlstate.startsWith('22') ? 'invalid_value' : 'database_error')
    const column = explanation?.column ?? error.column
    return {
      failed: {
        code,
        class: 'permanent',
        message: explanation?.message ?? [error.message, error.detail].filter((part) => part !== undefined && part !== '').join('. '),
        ...(column === undefined ? {} : { column }),
        ...(explanation?.pointer === undefined ? {} : { pointer: explanation.pointer }),
      },
    }
  }
  if (error instanceof SluiceError)
    return { failed: { code: error.code, class: error.retryable ? 'transient' : 'permanent', message: error.message } }
  return { failed: { code: 'handler_error', class: 'transient', message: messageOf(error) } }
}
