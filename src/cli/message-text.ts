/** How messages and what became of their objects are written for people. */
import type { InstanceItem } from '../http/contract/instance.ts'
import type { DryRun, Message } from '../http/contract/message.ts'
import type { Outcome } from '../model/outcome.ts'
import { outcomes } from '../model/outcome.ts'
import { bytes, printable, table } from './output.ts'

/** One line: `message 12  organization  3 Processed  477 objects`. */
export function messageLine(message: Message): string {
  const objects = message.total === null ? 'objects not counted' : `${message.total} objects`
  return `message ${message.id}  ${message.integration}  ${message.status} ${message.statusLabel}  ${objects}${message.isDraft ? '  draft' : ''}`
}

/** The outcome table: what the message has of each, and what still waits. */
export function outcomeTable(counts: Message['counts']): string[] {
  const rows: [string, number][] = outcomes.filter((name) => counts[name] > 0).map((name) => [name, counts[name]])
  if (counts.failed > 0) rows.push(['failed', counts.failed])
  if (counts.waiting > 0) rows.push(['waiting', counts.waiting])
  if (counts.processing > 0) rows.push(['being processed', counts.processing])
  return rows.length === 0 ? ['no objects'] : table(['outcome', 'objects'], rows)
}

/** A list of messages. */
export function messageTable(messages: readonly Message[]): string[] {
  if (messages.length === 0) return ['no messages']
  return table(
    ['message', 'integration', 'status', '', 'objects', 'failed', 'waiting', 'source', 'received'],
    messages.map((m) => [
      m.id,
      m.integration,
      m.status,
      m.statusLabel,
      m.total ?? '-',
      m.counts.failed,
      m.counts.waiting + m.counts.processing,
      m.source,
      m.receivedAt,
    ]),
  )
}

/** The integrations that are paused and keep one of these messages waiting, each with its reason. */
export function pausedLines(messages: readonly Message[]): string[] {
  return [...new Set(messages.flatMap((message) => pausedLine(message) ?? []))]
}

/** Why a message doesn't go on: its integration is paused; null when it isn't. */
export function pausedLine({ integration, paused }: Message): string | null {
  if (paused === null) return null
  return `integration ${integration} is paused since ${paused.since}: ${printable(reasonText(paused.reason))} Mend that, then "sluice run process --integration ${integration}".`
}

/** A pause's reason as text, with a full stop. */
function reasonText(reason: unknown): string {
  const text = typeof reason === 'object' && reason !== null && 'message' in reason ? String(reason.message) : JSON.stringify(reason)
  return /[.!?]$/.test(text) ? text : `${text}.`
}

/** All that is known of one message, failures aside. */
export function messageDetails(message: Message): string[] {
  return [
    messageLine(message),
    `source ${printable(message.source)}, ${bytes(message.bodySize)}, received ${message.receivedAt}${message.finishedAt === null ? '' : `, finished ${message.finishedAt}`}`,
    ...problemLines(message.problem),
    ...prunedLines(message),
    ...pausedLines([message]),
    ...(message.total === null || message.status === -1 ? [] : outcomeTable(message.counts)),
  ]
}

/** What retention has removed of a message, and when. */
function prunedLines({ bodyPrunedAt, historyPrunedAt, instancesPrunedAt }: Message): string[] {
  const parts: [string, string | null][] = [
    ['the body', bodyPrunedAt],
    ['values before and after, and earlier attempts', historyPrunedAt],
    ['the instances', instancesPrunedAt],
  ]
  return parts.flatMap(([part, at]) => (at === null ? [] : [`retention removed ${part} at ${at}`]))
}

/** Why a message, or some of its objects, are not correct. */
export function problemLines(
  problem: { message?: string | undefined; errors?: readonly Issue[] | undefined; errorCount?: number | undefined } | null,
): string[] {
  if (problem === null) return []
  const { errors = [], errorCount = errors.length } = problem
  const lines = problem.message === undefined ? [] : [printable(problem.message)]
  for (const issue of errors.slice(0, shownErrors))
    lines.push(`  ${issue.pointer ?? issue.parameter ?? ''}  ${issue.code}: ${printable(issue.message)}`)
  if (errorCount > shownErrors) lines.push(`  … and ${errorCount - Math.min(shownErrors, errors.length)} more`)
  return lines
}

type Issue = { pointer?: string | undefined; parameter?: string | undefined; code: string; message: string }

const shownErrors = 10

/** Failed instances, each with its reason. */
export function failureLines(failures: readonly InstanceItem[], count: number): string[] {
  if (failures.length === 0) return []
  const lines = failures.map(
    (one) => `  ${one.id}  ${printable(one.externalId ?? '-')}  ${one.error?.code ?? ''}: ${printable(one.error?.message ?? '')}`,
  )
  return ['', 'failures', ...lines, ...(count > failures.length ? [`  … and ${count - failures.length} more`] : [])]
}

/** What a dry run found: counts, then each object with its outcome; a changed one with its differences, a failed one with its reason. */
export function dryRunLines(run: DryRun): string[] {
  const lines = dryRunTable(run)
  for (const result of run.results) {
    const name = `${result.ordinal}  ${printable(result.externalId ?? '-')}`
    if (result.error !== null && result.error !== undefined) {
      const { code, message } = result.error as { code: string; message: string }
      lines.push(`${name}  failed  ${code}: ${printable(message)}`)
    } else {
      lines.push(`${name}  ${result.outcome}${result.detail === null ? '' : ` (${printable(result.detail)})`}`)
      // Of a new object there is nothing to compare.
      if (result.outcome !== 'created') lines.push(...changeLines(result.changes))
    }
  }
  return lines
}

/** How many objects a dry run ended with each outcome. */
export function dryRunCounts(run: DryRun): Record<Outcome | 'failed', number> {
  const counts = { created: 0, updated: 0, unchanged: 0, deleted: 0, superseded: 0, ignored: 0, failed: 0 }
  for (const { outcome } of run.results) counts[outcome === null ? 'failed' : (outcome as Outcome)]++
  return counts
}

function dryRunTable(run: DryRun): string[] {
  return [
    `dry run of ${run.results.length} objects: nothing was kept`,
    ...outcomeTable({ ...dryRunCounts(run), waiting: 0, processing: 0, processed: 0 }),
  ]
}

function changeLines(changes: unknown): string[] {
  if (typeof changes !== 'object' || changes === null) return []
  return Object.entries(changes).flatMap(([field, change]: [string, unknown]) => {
    if (typeof change !== 'object' || change === null) return []
    if ('before' in change && 'after' in change) return [`    ${field}: ${show(change.before)} -> ${show(change.after)}`]
    const { added = [], removed = [] } = change as { added?: unknown[]; removed?: unknown[] }
    return [...added.map((row) => `    ${field}: + ${show(row)}`), ...removed.map((row) => `    ${field}: - ${show(row)}`)]
  })
}

function show(value: unknown): string {
  return printable(JSON.stringify(value) ?? 'nothing')
}
