/** The log: JSON lines on stderr. */
import { type DestinationStream, destination, pino } from 'pino'
import type { Config } from './config.ts'
import { SluiceError } from './errors.ts'
import { DatabaseError } from './store/db.ts'
import { classify } from './store/sqlstate.ts'
import type { Logger } from './targets/target.ts'

/** The logger of a process, at the config's `logLevel`. */
export function createLogger(config: Config): Logger {
  const stderr: DestinationStream = destination({ dest: 2, sync: true })
  return pino({ level: config.logLevel, base: null, serializers: { error: describeError } }, stderr)
}

const databaseFields = ['sqlstate', 'detail', 'hint', 'table', 'column', 'constraint'] as const

/**
 * An error as it is logged: what it says, once. Where it was thrown is told of what nobody expected only: that a server is
 * away or that a table doesn't fit is no fault of the code.
 */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const about: Record<string, unknown> = { type: error.name, message: error.message }
  if (error instanceof SluiceError) Object.assign(about, { code: error.code, ...detailsOf(error) })
  if (error instanceof DatabaseError) {
    for (const name of databaseFields) if (error[name] !== undefined) about[name] = error[name]
  }
  if (classify(error) === 'instance') about.stack = error.stack
  const { cause } = error
  // A driver's error is told by ours around it.
  if (cause !== undefined && !(error instanceof DatabaseError && cause instanceof Error && error.message.endsWith(cause.message)))
    about.cause = describeError(cause)
  return about
}

function detailsOf({ details }: SluiceError): { details?: Record<string, unknown> } {
  return Object.keys(details).length === 0 ? {} : { details }
}
