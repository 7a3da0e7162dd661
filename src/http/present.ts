/** From rows of the store to the shapes of the contract. */
import { instanceStatusLabel, isFinished, type Language, messageStatusLabel } from '../model/status.ts'
import { maskLeaves, SensitiveFields } from '../schema/sensitive.ts'
import type { ErrorGroupView } from '../store/reads/failures.ts'
import type { InstanceItemView, InstanceView } from '../store/reads/instances.ts'
import type { PausedIntegration } from '../store/reads/integrations.ts'
import type { MessageView } from '../store/reads/messages.ts'
import type { TaskRunView } from '../store/reads/tasks.ts'
import type { ErrorGroup, Instance, InstanceItem } from './contract/instance.ts'
import type { Message } from './contract/message.ts'
import type { TaskRun } from './contract/task.ts'
import { type RawJson, raw } from './json.ts'

/** A shape of the contract, with some members as JSON text. */
type Written<T, Texts extends keyof T> = { [Key in keyof T]: Key extends Texts ? RawJson | null : T[Key] }

/** A pause on the wire. */
export function presentPause({ reason, pausedAt }: PausedIntegration): { reason: RawJson | null; since: string } {
  return { reason: raw(reason), since: pausedAt }
}

/**
 * A message on the wire.
 *
 * @param paused the integrations that are paused
 */
export function presentMessage(
  message: MessageView,
  language: Language,
  paused: readonly PausedIntegration[],
): Omit<Written<Message, 'problem'>, 'paused'> & { paused: ReturnType<typeof presentPause> | null } {
  const { statusDetails, bodySha256, uploadId: _, ...rest } = message
  // What is not correct or not split waits for a person anyway, and what is finished for nobody.
  const isUnderWay = message.status >= 0 && !isFinished(message.status)
  const pause = isUnderWay ? paused.find(({ integration }) => integration === message.integration) : undefined
  return {
    ...rest,
    statusLabel: messageStatusLabel(message.status, language),
    problem: raw(statusDetails),
    paused: pause === undefined ? null : presentPause(pause),
    bodySha256: Buffer.from(bodySha256).toString('hex'),
  }
}

/**
 * An instance on the wire, as lists have it.
 *
 * @param masked the sensitive fields that the caller may not see: nobody can tell which columns are made of them, so that no value
 *   of a change is shown
 */
export function presentItem(
  item: InstanceItemView,
  language: Language,
  masked: SensitiveFields | undefined,
): Written<InstanceItem, 'changes' | 'error'> {
  return {
    id: `${item.messageId}.${item.ordinal}`,
    message: item.messageId,
    ordinal: item.ordinal,
    integration: item.integration,
    externalId: item.externalId,
    status: item.status,
    statusLabel: instanceStatusLabel(item.status, language),
    outcome: item.outcome,
    detail: item.detail,
    changes: raw(masked === undefined || item.changes === null ? item.changes : maskLeaves(item.changes)),
    error: raw(item.error),
    attempts: item.attempts,
    generation: item.generation,
    finishedAt: item.finishedAt,
  }
}

/** Where the attempts of an instance's history have values. */
const historyChanges = new SensitiveFields({ items: { properties: { changes: { sensitive: true } } } })

/** An instance on the wire, whole. */
export function presentInstance(
  instance: InstanceView,
  language: Language,
  masked: SensitiveFields | undefined,
): Written<Instance, 'changes' | 'error' | 'data' | 'history'> {
  const history = instance.history ?? '[]'
  return {
    ...presentItem(instance, language, masked),
    data: raw(masked === undefined ? instance.data : masked.maskObject(instance.data)),
    history: raw(masked === undefined ? history : historyChanges.maskObject(history)),
    waitsFor: instance.waitsFor,
  }
}

/** A group of failures on the wire. */
export function presentErrorGroup(group: ErrorGroupView): ErrorGroup {
  const { exampleMessageId, exampleOrdinal, exampleExternalId, exampleMessage, ...rest } = group
  return { ...rest, example: { id: `${exampleMessageId}.${exampleOrdinal}`, externalId: exampleExternalId, message: exampleMessage } }
}

const searchedText = new SensitiveFields({ properties: { text: { sensitive: true } } })

/** A run on the wire. */
export function presentRun(run: TaskRunView, isTextMasked: boolean): Written<TaskRun, 'parameters' | 'result' | 'error'> {
  const parameters = isTextMasked ? searchedText.maskObject(run.parameters) : run.parameters
  return { ...run, parameters: raw(parameters), result: raw(run.result), error: raw(run.error) }
}
