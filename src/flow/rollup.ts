/** Stage 5: when no instance of a message waits any more, the message becomes 3, or -3 if any failed. */
import type { MessageStatus } from '../model/status.ts'
import type { Db } from '../store/db.ts'
import { rollUpMessages } from '../store/message-group.ts'
import { withRetry } from '../store/retry.ts'

/**
 * Rolls a message at 2 up, if all its chunks are finished. Called after each chunk's commit, never inside it.
 *
 * @returns the new status, or null when there was nothing to do
 */
export async function rollUp(db: Db, messageId: string): Promise<MessageStatus | null> {
  const rolledUp = await rollUpAll(db, [messageId])
  return rolledUp.get(messageId) ?? null
}

/** The same for several messages at once. Gives the new statuses of those that were rolled up. */
export function rollUpAll(db: Db, messageIds: readonly string[]): Promise<Map<string, MessageStatus>> {
  return withRetry(() => rollUpMessages(db, messageIds))
}
