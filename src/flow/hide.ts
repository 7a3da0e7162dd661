/** What is told of an integration with sensitive fields: their values stand in no failure and in no log. */
import type { JsonValue } from '../json/exact.ts'
import { isFailed, type Result } from '../model/outcome.ts'
import type { SensitiveFields } from '../schema/sensitive.ts'
import { DatabaseError } from '../store/db.ts'
import type { FlowContext } from './context.ts'
import { databaseCodes } from './failure.ts'

/** Words of the database quote what it refused, as it stands in the row: shortened, converted, with its neighbours. */
export const withoutWords = 'The database refused it. Its own words are not kept: the integration has sensitive fields'

/**
 * A result without the sensitive values of its object.
 *
 * @param object the object's text
 */
export function hideIn(fields: SensitiveFields, object: string, result: Result): Result {
  const masked = fields.maskerOf(object)
  if (!isFailed(result)) return result.detail === undefined ? result : { ...result, detail: masked(result.detail) }
  const { failed } = result
  if (!databaseCodes.has(failed.code)) return { failed: { ...failed, message: masked(failed.message) } }
  return {
    failed: {
      ...failed,
      message: failed.column === undefined ? `${withoutWords}.` : `${withoutWords}. Look at the column "${failed.column}".`,
    },
  }
}

/** An error as it may be logged and kept: of an integration with sensitive fields what the database calls it, and no more. */
export function hideError(context: FlowContext, integration: string, error: unknown): unknown {
  if (!context.sensitive.has(integration) || !(error instanceof DatabaseError)) return error
  const { sqlstate, table, column, constraint } = error
  const known: Record<string, JsonValue | undefined> = { table, column, constraint }
  const named = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
  return new DatabaseError(`${withoutWords}.`, { sqlstate, ...named })
}
