/** What an object's failure is called, how it comes again, and what a person is told of it. */
import { messageOf, SluiceError } from '../errors.ts'
import type { Failed } from '../model/outcome.ts'
import { DatabaseError } from '../store/db.ts'
import { ObjectError } from '../targets/target.ts'

/** Codes of the constraint errors that people meet most; other SQLSTATEs of an object become `database_error`. */
const codeBySqlstate: Record<string, string> = {
  '23502': 'not_null_violation',
  '23503': 'foreign_key_violation',
  '23505': 'unique_violation',
  '23514': 'check_violation',
  '23P01': 'exclusion_violation',
}

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
