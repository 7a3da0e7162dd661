/** Exit codes of the command line, and which error ends with which. Listed for people in docs/cli.md. */
import { SluiceError } from '../errors.ts'
import type { Problem } from '../http/contract/common.ts'
import { DatabaseError } from '../store/db.ts'

export const ExitCode = {
  /** Everything asked for was done. */
  done: 0,
  /** A failure that nobody foresaw, or a check of `doctor` that failed. */
  failed: 1,
  /** Wrong usage, a wrong config, or a database that lacks migrations. */
  usage: 2,
  /** The server refused: the message is not correct, the token has no access, there is no such thing. */
  refused: 3,
  /** The message was processed and some of its objects failed. */
  withErrors: 4,
  /** The server or the database can't be reached. */
  unreachable: 5,
  /** What was waited for didn't happen in time. */
  timedOut: 6,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** The server answered with a refusal (4xx) or a failure of its own (5xx). */
export class AnswerError extends SluiceError {
  readonly status: number

  constructor(status: number, problem: Problem) {
    const { code, detail, ...details } = problem
    super(code, detail, { details, retryable: status >= 500 })
    this.status = status
  }
}

const usageCodes = new Set([
  'invalid_config',
  'config_not_found',
  'usage',
  'invalid_run',
  'port_in_use',
  'target_mismatch',
  'not_migrated',
  'file_unreadable',
])
const unreachableCodes = new Set(['unreachable', 'database_locked'])
/** What a server refuses with 4xx, and the commands that work on the database refuse in the same way. */
const refusedCodes = new Set(['token_not_found', 'token_name_taken', 'token_name_reserved', 'unknown_integration'])

/** Connection failures, refused logins, a database that is not there or is shutting down. */
const unreachableStates = /^(08|28|3D000|53300|57P)/

/** Which exit code an error ends the program with. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof AnswerError) {
    if (error.status >= 502 && error.status <= 504) return ExitCode.unreachable
    return error.status < 500 ? ExitCode.refused : ExitCode.failed
  }
  if (error instanceof DatabaseError && unreachableStates.test(error.sqlstate)) return ExitCode.unreachable
  if (!isSluiceError(error)) return ExitCode.failed
  if (usageCodes.has(error.code)) return ExitCode.usage
  if (unreachableCodes.has(error.code)) return ExitCode.unreachable
  if (refusedCodes.has(error.code)) return ExitCode.refused
  return error.code === 'timed_out' ? ExitCode.timedOut : ExitCode.failed
}

/** Also true for an error of another copy of the package, such as the one that the user's config imports. */
export function isSluiceError(error: unknown): error is SluiceError {
  return error instanceof Error && error.name === 'SluiceError' && 'code' in error
}
