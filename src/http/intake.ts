/** `POST /api/integrations/{name}/messages`: the way in. */
import { setTimeout as sleep } from 'node:timers/promises'
import { SluiceError } from '../errors.ts'
import { dryRun, type Receipt, type ReceiveInput, receive } from '../flow/index.ts'
import { isFinished, messageStatusLabel } from '../model/status.ts'
import { listPaused } from '../store/reads/integrations.ts'
import { findMessageStatus, findMessageView, type MessageView } from '../store/reads/messages.ts'
import { requireIntegration, requireRole } from './auth.ts'
import { decodedBody, formatOf } from './body.ts'
import { answer, type Call, type Handlers } from './call.ts'
import { access } from './contract/common.ts'
import { idempotencyKeyOf, waitOf } from './headers.ts'
import { relativeReference } from './path.ts'
import { presentMessage } from './present.ts'
import { problemResponse } from './problem.ts'

type Intake = Call<'receive'>

/** Handlers of the intake. */
export const intake: Handlers<'receive'> = {
  async receive(call) {
    const { principal, params, query, services } = call
    requireIntegration(principal, params.name)
    const until = deadlineOf(call)
    const input = inputOf(call)
    if (query.dryRun === true) return tellDryRun(call, input)
    const receipt = await receive(services, input)
    if (receipt.status === -1 || until === null) return tellReceipt(call, receipt)
    const finished = await waitUntilFinished(call, receipt.id, until.at)
    return finished === null ? tellReceipt(call, receipt, until.header) : tellMessage(call, receipt, finished, until.header)
  },
}

function inputOf({ request, principal, params, query, services }: Intake): ReceiveInput {
  return {
    integration: params.name,
    source: principal.name,
    format: formatOf(request),
    idempotencyKey: idempotencyKeyOf(request),
    body: decodedBody(request, services.config.limits.body),
    isDraft: query.draft === true,
  }
}

/** When a sender that said `Prefer: wait=N` stops waiting. */
function deadlineOf({ request }: Intake): { at: number; header: Record<string, string> } | null {
  const seconds = waitOf(request)
  return seconds === null ? null : { at: performance.now() + seconds * 1000, header: { 'Preference-Applied': `wait=${seconds}` } }
}

const shortestPause = 25
const longestPause = 500

/** Looks at the message until it is at rest; null when the time is up, or the sender is gone. */
async function waitUntilFinished({ services, request }: Intake, id: string, deadline: number): Promise<MessageView | null> {
  for (let pause = shortestPause; ; pause = Math.min(pause * 2, longestPause)) {
    const status = await findMessageStatus(services.db, id)
    if (status !== null && isFinished(status)) return findMessageView(services.db, id)
    const left = deadline - performance.now()
    if (status === null || status === -2 || left <= 0 || request.signal.aborted) return null
    await sleep(Math.min(pause, left))
  }
}

function tellReceipt(call: Intake, receipt: Receipt, headers: Record<string, string> = {}): Response {
  const { problem, repeated, ...rest } = receipt
  const all = { ...headers, ...headersOf(call, receipt) }
  if (receipt.status === -1 && problem !== null) return tellProblem(call, receipt.id, problem, all)
  const errors = problem === null ? {} : { errors: problem.errors, errorCount: problem.errorCount }
  return answer(call, { ...rest, statusLabel: messageStatusLabel(receipt.status, call.language), ...errors }, 202, all)
}

/** What became of a message that somebody waited for. One that was refused after all is told like any other refusal. */
function tellMessage(call: Intake, receipt: Receipt, message: MessageView, headers: Record<string, string>): Response {
  const all = { ...headers, ...headersOf(call, receipt) }
  if (message.status === -1 && message.statusDetails !== null) {
    return tellProblem(call, message.id, JSON.parse(message.statusDetails) as NonNullable<Receipt['problem']>, all)
  }
  return answer(call, presentMessage(message, call.language, []), 200, all)
}

function tellProblem(
  call: Intake,
  id: string | null,
  problem: NonNullable<Receipt['problem']>,
  headers: Record<string, string> = {},
): Response {
  const { code, message, errors, errorCount } = problem
  const kept = id === null ? {} : { id, instance: referenceTo(call, id) }
  return problemResponse(code, { detail: detailOf(code, message, id), ...kept, errors, errorCount }, headers)
}

/** What to do about it, beside what it is. */
function detailOf(code: string, message: string, id: string | null): string {
  const what = /[.!?]$/.test(message) ? message : `${message}.`
  if (id === null) return what
  return code === 'schema'
    ? `${what} Nothing of the message is processed, its bytes are kept as message ${id}. Mend it and send it again.`
    : `${what} The bytes are kept as message ${id}.`
}

async function tellDryRun(call: Intake, input: ReceiveInput): Promise<Response> {
  requireRole(call.principal, access.operate)
  await requireRunning(call)
  const { results, problem } = await dryRun(call.services, input)
  if (problem !== null && results.length === 0) return tellProblem(call, null, problem)
  return answer(call, { results, ...(problem === null ? {} : { errors: problem.errors, errorCount: problem.errorCount }) })
}

/** Nothing of a paused integration is processed, in a dry run either. Throws SluiceError `target_mismatch`. */
async function requireRunning({ services, params }: Intake): Promise<void> {
  const pause = (await listPaused(services.db)).find(({ integration }) => integration === params.name)
  if (pause === undefined) return
  const { message } = JSON.parse(pause.reason) as { message?: unknown }
  throw new SluiceError(
    'target_mismatch',
    `The integration "${params.name}" is paused since ${pause.pausedAt}: ${message}. Mend that and resume it; until then nobody can tell what would become of the message.`,
  )
}

function headersOf(call: Intake, receipt: Receipt): Record<string, string> {
  return { Location: referenceTo(call, receipt.id), ...(receipt.repeated ? { 'Idempotency-Replayed': 'true' } : {}) }
}

function referenceTo(call: Intake, id: string): string {
  return relativeReference(call.path, `/api/messages/${id}`)
}
