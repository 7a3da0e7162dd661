/** The tasks, and what a run of one takes. */
import { SluiceError } from '../errors.ts'

export const taskNames = ['split', 'process', 'reprocess', 'rollup', 'prune'] as const
export type TaskName = (typeof taskNames)[number]

/** Who or what starts a run. */
export type StartedBy = 'event' | 'clock' | 'click'

/** Which work a run does. All conditions that are given must hold; none given: everything that is due. */
export interface RunParameters {
  /** Ids of messages. */
  messages?: readonly string[] | undefined
  /** Ids of instances, `<message>.<ordinal>`. */
  instances?: readonly string[] | undefined
  integration?: string | undefined
  /** Code of the error that the work failed with. */
  errorCode?: string | undefined
  /** `reprocess`: cause of the error, as lists of errors group them. */
  fingerprint?: string | undefined
  /** Of the object with this external ID; needs `integration`. `split` and `rollup`: messages that have it. */
  externalId?: string | undefined
  /** Only messages at this status. */
  status?: number | undefined
  /** Only messages of this source. */
  source?: string | undefined
  /** Only messages that arrived at this time or later (ISO 8601). */
  from?: string | undefined
  /** Only messages that arrived before this time. */
  to?: string | undefined
  /** Text in the data of an instance, as it was sent; needs `from`. `split` and `rollup`: messages that have such an instance. */
  text?: string | undefined
  /** Only messages that arrived in the last so many days. */
  sinceDays?: number | undefined
  /** Only messages with this draft flag. */
  draft?: boolean | undefined
  /** Mode of what `reprocess` puts back. Default: the mode of the last attempt. */
  asDraft?: boolean | undefined
  /** `reprocess`: processed instances too, not only failed ones. */
  replay?: boolean | undefined
}

/** What makes a replay one of something. What almost every message has, such as a status, doesn't. */
const narrowing = ['messages', 'instances', 'integration', 'errorCode', 'fingerprint', 'from', 'sinceDays'] as const

const largestId = 9_223_372_036_854_775_807n
const largestOrdinal = 2_147_483_647

/**
 * The same parameters written one way: ids sorted and without duplicates, nothing undefined. Two runs that would do the
 * same are equal then.
 *
 * @throws SluiceError `invalid_parameters` for what can't be an id, for a replay of everything, for a mode that the task doesn't have,
 *   and for any parameter of `prune`
 */
export function normalizeParameters(task: TaskName, given: RunParameters): RunParameters {
  if (task === 'prune' && Object.values(given).some((value) => value !== undefined))
    throw invalid('prune takes no parameters: what goes is said by the option "retention"')
  const parameters: RunParameters = {}
  if (given.messages !== undefined) parameters.messages = uniqueSorted(given.messages.map((id) => messageIdOf(id, id)))
  if (given.instances !== undefined) {
    const keys = parseInstanceIds(given.instances)
    parameters.instances = uniqueSorted(keys.map((key) => `${key.messageId}.${key.ordinal}`))
  }
  if (given.integration !== undefined) parameters.integration = given.integration
  for (const name of ['errorCode', 'externalId', 'source', 'from', 'to', 'text'] as const)
    if (given[name] !== undefined) parameters[name] = given[name]
  if (given.status !== undefined) parameters.status = given.status
  if (given.externalId !== undefined && given.integration === undefined)
    throw invalid('"externalId" needs "integration": each integration has objects of its own')
  if (given.text !== undefined && given.from === undefined)
    throw invalid('"text" needs "from": it reads the data of every message received since')
  if (given.sinceDays !== undefined) {
    if (!(given.sinceDays > 0 && given.sinceDays <= 36_500))
      throw invalid(`"sinceDays" is ${given.sinceDays}: it must be more than 0, and at most 36500`)
    parameters.sinceDays = given.sinceDays
  }
  if (given.draft !== undefined) parameters.draft = given.draft
  if (task !== 'reprocess') {
    if (given.fingerprint !== undefined) throw invalid(`"fingerprint" is for reprocess: ${task} takes no single failures`)
    if (given.replay === true || given.asDraft === true)
      throw invalid(`"${given.replay === true ? 'replay' : 'asDraft'}" is for reprocess: ${task} takes what waits as it is`)
    return parameters
  }
  if (given.asDraft !== undefined) parameters.asDraft = given.asDraft
  if (given.fingerprint !== undefined) parameters.fingerprint = given.fingerprint
  if (given.replay === true) {
    if (!narrowing.some((name) => parameters[name] !== undefined)) {
      const names = narrowing.map((name) => `"${name}"`).join(', ')
      throw invalid(`a replay needs one of ${names}: it would process everything again that ever came`)
    }
    parameters.replay = true
  }
  return parameters
}

/** Message and ordinal of instance ids. Throws SluiceError `invalid_parameters`. */
export function parseInstanceIds(ids: readonly string[]): { messageId: string; ordinal: number }[] {
  return ids.map((id) => {
    const [message, ordinal, ...rest] = id.split('.')
    if (
      message === undefined ||
      ordinal === undefined ||
      rest.length > 0 ||
      !/^\d{1,10}$/.test(ordinal) ||
      Number(ordinal) > largestOrdinal
    ) {
      throw invalid(`"${id}" is no id of an instance: it has to be <message>.<ordinal>, such as 12.0`)
    }
    return { messageId: messageIdOf(message, id), ordinal: Number(ordinal) }
  })
}

function messageIdOf(text: string, whole: string): string {
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > largestId) throw invalid(`"${whole}" is no id: message ids are whole numbers`)
  return BigInt(text).toString()
}

function uniqueSorted(ids: readonly string[]): string[] {
  return [...new Set(ids)].sort()
}

function invalid(message: string): SluiceError {
  return new SluiceError('invalid_parameters', message)
}
