/**
 * What is kept for how long: by the status that a message ended with, and its parts apart. Nothing of an unfinished message
 * ever goes, and nothing of the ledger.
 */
import type { MessageStatus } from './status.ts'

/**
 * Parts of a message that go by themselves:
 *
 * - `body`: its exact bytes;
 * - `history`: of its instances the values before and after, and earlier attempts;
 * - `instances`: the instances with their data;
 * - `message`: the message with all that is left of it.
 */
export const messageParts = ['body', 'history', 'instances', 'message'] as const
export type MessagePart = (typeof messageParts)[number]

/** Statuses that a message ends with, by their names in the config. */
export const endings = { processed: 3, processedWithErrors: -3, incorrect: -1 } as const satisfies Record<string, MessageStatus>
export type Ending = keyof typeof endings
export type EndStatus = (typeof endings)[Ending]

/**
 * The code of a failure that an editor ends, by publishing or discarding a draft: the instance goes on then, however late. Until then
 * nothing of its message goes.
 */
export const editorDraft = 'editor_draft'

/** Days; null: for ever. A message that is not correct has no instances. */
export type Retention = {
  readonly [Name in Ending]: Readonly<Record<Name extends 'incorrect' ? 'body' | 'message' : MessagePart, number | null>>
} & {
  /** Runs of tasks that have ended. */
  readonly runs: number | null
  readonly audit: number | null
}

/** A part of the messages that ended with a status so many days ago goes. */
export interface PartRule {
  readonly what: MessagePart
  readonly status: EndStatus
  readonly days: number
}

/** Runs that ended, or entries of the audit log that were written, so many days ago go. */
export interface LogRule {
  readonly what: 'runs' | 'audit'
  readonly days: number
}

/** One thing that goes; the rules of messages have a `status`. */
export type RetentionRule = PartRule | LogRule

/**
 * The rules that a retention has, in the order that they are carried out: what goes whole goes first, so that no part of it
 * is removed for nothing.
 */
export function rulesOf(retention: Retention): RetentionRule[] {
  const rules: RetentionRule[] = []
  for (const what of [...messageParts].reverse()) {
    for (const [ending, status] of Object.entries(endings) as [Ending, EndStatus][]) {
      const days = (retention[ending] as Partial<Record<MessagePart, number | null>>)[what] ?? null
      if (days !== null) rules.push({ what, status, days })
    }
  }
  for (const what of ['runs', 'audit'] as const) {
    const days = retention[what]
    if (days !== null) rules.push({ what, days })
  }
  return rules
}
