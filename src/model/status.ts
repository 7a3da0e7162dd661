/**
 * The status numbers of messages and instances, their labels and their transitions.
 *
 * The numbers are fixed: other systems store and compare them. `sql/migrations/0001_initial.sql` enforces the same
 * transitions in the database; `test/store/transitions.test.ts` compares the two.
 */

/** Status of a message (RawIntegrationData). */
export const MessageStatus = {
  received: 0,
  correct: 1,
  incorrect: -1,
  split: 2,
  splitFailed: -2,
  processed: 3,
  processedWithErrors: -3,
} as const
export type MessageStatus = (typeof MessageStatus)[keyof typeof MessageStatus]

/** Status of an instance (IntegrationInstance). 1 is never stored: it is what a waiting instance of a claimed chunk is. */
export const InstanceStatus = { waiting: 0, processing: 1, processed: 2, failed: -2 } as const
export type InstanceStatus = (typeof InstanceStatus)[keyof typeof InstanceStatus]

/** Languages that labels exist in. */
export type Language = 'en' | 'ru'

const messageTransitions: Record<MessageStatus, readonly MessageStatus[]> = {
  0: [1, -1],
  1: [2, -2],
  [-1]: [],
  2: [3, -3],
  [-2]: [2],
  3: [2],
  [-3]: [2],
}

const instanceTransitions: Record<InstanceStatus, readonly InstanceStatus[]> = {
  0: [1],
  1: [2, -2, 0],
  2: [0],
  [-2]: [0],
}

/** True when a message may go from one status to another. Staying where it is counts as no transition. */
export function canMessageMove(from: MessageStatus, to: MessageStatus): boolean {
  return messageTransitions[from].includes(to)
}

/** True when an instance may go from one status to another, as people see it (with 1 in between). */
export function canInstanceMove(from: InstanceStatus, to: InstanceStatus): boolean {
  return instanceTransitions[from].includes(to)
}

const messageLabels: Record<Language, Record<MessageStatus, string>> = {
  en: {
    0: 'Message received',
    1: 'Message received, correct',
    [-1]: 'Message received, not correct',
    2: 'Split into objects',
    [-2]: 'Error while splitting',
    3: 'Processed',
    [-3]: 'Processed with errors',
  },
  ru: {
    0: 'Сообщение МС получено',
    1: 'Сообщение МС получено. Сообщение корректно',
    [-1]: 'Сообщение МС получено. Сообщение не корректно',
    2: 'Сообщение разбито по объектам',
    [-2]: 'Ошибка разбиения по объектам',
    3: 'Обработано',
    [-3]: 'Обработано с ошибками',
  },
}

const instanceLabels: Record<Language, Record<InstanceStatus, string>> = {
  en: { 0: 'Waiting to be processed', 1: 'Being processed', 2: 'Processed', [-2]: 'Processing error' },
  ru: { 0: 'В ожидании обработки', 1: 'В процессе обработки', 2: 'Обработано', [-2]: 'Ошибка обработки' },
}

/** The label of a message's status. */
export function messageStatusLabel(status: MessageStatus, language: Language = 'en'): string {
  return messageLabels[language][status]
}

/** The label of an instance's status. */
export function instanceStatusLabel(status: InstanceStatus, language: Language = 'en'): string {
  return instanceLabels[language][status]
}

/** What a message becomes when none of its instances waits any more: 3, or -3 if any failed. */
export function rolledUp(hasFailures: boolean): MessageStatus {
  return hasFailures ? MessageStatus.processedWithErrors : MessageStatus.processed
}

/** True for the statuses after which a message is at rest: not correct, processed, processed with errors. */
export function isFinished(status: MessageStatus): boolean {
  return status === -1 || status === 3 || status === -3
}
