/** What an error says about whom: the surroundings, the mapping, or the one object. */
import { SluiceError } from '../errors.ts'
import { sqlstateOf } from './driver-error.ts'

/**
 * - `surroundings`: the database, the network, a lock: no instance changes, the chunk comes again;
 * - `mismatch`: the target doesn't fit the mapping (a column dropped, a grant missing): the integration is paused;
 * - `instance`: the object's own.
 */
export type Blame = 'surroundings' | 'mismatch' | 'instance'

// Connection exceptions, refused logins, a database that isn't there, transaction rollback, insufficient resources, operator
// intervention, system errors, internal errors.
const surroundings = new Set(['08', '28', '3D', '40', '53', '57', '58', 'XX'])
// lock_not_available, read_only_sql_transaction, idle_in_transaction_session_timeout, transaction_timeout.
// Not 25P02 (in_failed_sql_transaction): a handler that swallowed an error of its own brings it, and the chunk would come
// again for ever; as the object's own it is narrowed down to that handler's object.
const surroundingStates = new Set(['55P03', '25006', '25P03', '25P04'])

/**
 * Whom an error blames, by its SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html): of a
 * `DatabaseError`, of a driver's own error (handlers use the driver directly), or of one that an ORM wrapped.
 */
export function classify(error: unknown): Blame {
  if (error instanceof SluiceError) {
    if (error.code === 'target_mismatch') return 'mismatch'
    return error.retryable ? 'surroundings' : 'instance'
  }
  const state = sqlstateOf(error)
  if (state === undefined) return 'instance'
  if (surroundings.has(state.slice(0, 2)) || surroundingStates.has(state)) return 'surroundings'
  return state.startsWith('42') ? 'mismatch' : 'instance'
}
