/** What PostgreSQL says of an error, told apart from what else a driver throws. */
import { DatabaseError } from './db.ts'

const fieldNames = ['detail', 'hint', 'table', 'column', 'constraint'] as const

/**
 * An error that the server sent, as ours; null for anything else. Known by its fields, not by its class: an application's
 * own pool may come from another copy of `pg`.
 */
export function fromServer(error: unknown): DatabaseError | null {
  if (error instanceof DatabaseError) return error
  if (!(error instanceof Error)) return null
  const fields = error as unknown as Record<string, unknown>
  // Node's own errors have codes too (EPIPE has five characters), but no severity.
  if (typeof fields.severity !== 'string' || typeof fields.code !== 'string' || !/^[0-9A-Z]{5}$/.test(fields.code)) return null
  const known: Partial<Record<(typeof fieldNames)[number], string>> = {}
  for (const name of fieldNames) if (typeof fields[name] === 'string') known[name] = fields[name]
  return new DatabaseError(error.message, { sqlstate: fields.code, ...known }, error)
}

/** The SQLSTATE of an error: ours, a driver's own, or one that an ORM wrapped. Undefined for what isn't the database's. */
export function sqlstateOf(error: unknown): string | undefined {
  const direct = fromServer(error)
  if (direct !== null) return direct.sqlstate
  return error instanceof Error ? fromServer(error.cause)?.sqlstate : undefined
}
