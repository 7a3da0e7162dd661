/** Stage 5: when no instance of a message waits any more, the message becomes 3, or -3 if any failed. */
import type { MessageStatus } from '../model/status.ts'
import type { Db } from '../store/db.ts'
import { rollUpMessage } from '../store/message.ts'
import { withRetry } from '../store/retry.ts'

/**
 * Rolls a message at 2 up, if all its chunks are finished. Called after each chunk's commit, never inside it.
 *
 * @returns the new status, or null when there was nothing to do
 */
export function rollUp(db: Db, messageId: string): Promise<MessageStatus | null> {
  return withRetry(() => rollUpMessage(db, messageId))
}
