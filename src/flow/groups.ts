/** What small messages do together at intake: the commit of their bytes, and that of what the schema said of them. */
import type { Db } from '../store/db.ts'
import type { StoredMessage } from '../store/message.ts'
import { type CorrectMessage, insertMessages, markAllCorrect, type SmallMessage } from '../store/message-group.ts'
import { withRetry } from '../store/retry.ts'
import { classify } from '../store/sqlstate.ts'
import { Gathering } from './gather.ts'

/** Bodies up to this size, in bytes, are small: a hundred of them are no burden in memory. */
export const smallBytes = 64 * 1024

/** Most messages in one transaction, at intake and when they are split. */
export const mostInGroup = 100

interface Groups {
  /** Inserts a message with its body at 0; null when its idempotency key was used before. */
  readonly inserted: Gathering<SmallMessage, StoredMessage | null>
  /** 0 → 1; null when somebody else decided first. */
  readonly correct: Gathering<CorrectMessage, StoredMessage | null>
}

const groups = new WeakMap<Db, Groups>()

/** The groups of a database, in this process. */
export function groupsOf(db: Db): Groups {
  const known = groups.get(db)
  if (known !== undefined) return known
  const isOneItems = (error: unknown): boolean => classify(error) === 'instance'
  const made: Groups = {
    inserted: new Gathering((messages) => withRetry(() => insertMessages(db, messages)), isOneItems, mostInGroup),
    correct: new Gathering((messages) => withRetry(() => markAllCorrect(db, messages)), isOneItems, mostInGroup),
  }
  groups.set(db, made)
  return made
}
