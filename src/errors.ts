/** What a {@link SluiceError} may carry beside its code and text. */
export interface SluiceErrorOptions {
  /** Facts for programs: offsets, pointers, names of columns, ids. Goes out in problem+json. */
  details?: Record<string, unknown>
  /** True when the same call may succeed later without anybody changing anything. Default: false. */
  retryable?: boolean
  cause?: unknown
}

/**
 * Every error that Sluice throws on purpose.
 *
 * `code` is stable and made for programs (`unknown_integration`, `json_syntax`); `message` is made for people and says
 * what was wrong, where, and what to do next. The codes are listed in docs/errors.md.
 */
export class SluiceError extends Error {
  readonly code: string
  readonly details: Record<string, unknown>
  readonly retryable: boolean

  constructor(code: string, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'SluiceError'
    this.code = code
    this.details = options.details ?? {}
    this.retryable = options.retryable ?? false
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
