/** What a sender is told of its message. */
import type { MessageStatus } from '../model/status.ts'
import type { SchemaIssue } from '../schema/validator.ts'
import type { StoredMessage } from '../store/message.ts'
import type { MessageProblem } from './validate.ts'

/** The answer to a message. */
export interface Receipt {
  id: string
  integration: string
  status: MessageStatus
  /** Objects in the message; null where they could not be counted. */
  total: number | null
  isDraft: boolean
  /** ISO 8601. */
  receivedAt: string
  /** The source had sent it before, with the same idempotency key: this is what became of it. */
  repeated: boolean
  /** What is wrong with it: at -1 the reason, at 1 and later the objects that are kept as failed instances. */
  problem: (MessageProblem & { errors: SchemaIssue[] }) | null
}

/** The receipt of a message as it stands. */
export function receiptOf(message: StoredMessage, repeated: boolean): Receipt {
  const { id, integration, status, total, isDraft, receivedAt } = message
  return { id, integration, status, total, isDraft, receivedAt, repeated, problem: problemOf(message) }
}

function problemOf(message: StoredMessage): MessageProblem | null {
  if (message.statusDetails === null || message.status === -2) return null
  return JSON.parse(message.statusDetails) as MessageProblem
}
