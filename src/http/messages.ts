/** Reads of messages. */

import { SluiceError } from '../errors.ts'
import { writeAudit } from '../store/audit.ts'
import { readParts, readRange } from '../store/body.ts'
import { listPaused } from '../store/reads/integrations.ts'
import { findMessageView, listMessages, type MessagePosition, type MessageView } from '../store/reads/messages.ts'
import { forbidden, maskedFor, requireConfigured, requireIntegration, requireMessage, scopeOf } from './auth.ts'
import { answer, type Call, type Handlers, limitOf } from './call.ts'
import { cursorPart, decodeCursor, encodeCursor } from './cursor.ts'
import { rangeOf } from './headers.ts'
import { presentMessage } from './present.ts'
import { badRequest, tooWide } from './problem.ts'
import { streamOf } from './stream.ts'

/** Handlers of the reads of messages. */
export const messages: Handlers<'messages' | 'message' | 'messageBody'> = {
  async messages(call) {
    const { services, principal, query, language } = call
    const { integration, externalId, text } = query
    if (integration !== undefined) requireIntegration(principal, integration)
    if (text !== undefined && query.from === undefined) {
      throw badRequest('A search for text needs "from": it reads the data of every message received since.', [
        { parameter: 'from', code: 'missing', message: 'is needed with "text"' },
      ])
    }
    const integrations = integration === undefined ? [...services.config.integrations.keys()] : [integration]
    if (text !== undefined) requireSearchable(call, integrations)
    const filter = { ...query, object: externalId === undefined ? undefined : { externalId, integrations } }
    const page = await listMessages(services.db, scopeOf(principal), filter, {
      limit: limitOf(call),
      after: positionOf(query.cursor),
      order: query.order,
    }).catch(tooWide)
    const { items, next } = page
    if (items.length === 0 && integration !== undefined) requireConfigured(services, integration)
    const paused = await listPaused(services.db)
    return answer(call, {
      items: items.map((message) => presentMessage(message, language, paused)),
      next: next === null ? null : encodeCursor([next.id, next.receivedAt ?? '']),
    })
  },

  async message(call) {
    const message = await visibleMessage(call)
    return answer(call, presentMessage(message, call.language, await listPaused(call.services.db)))
  },

  async messageBody(call) {
    const message = await visibleMessage(call)
    // Who sent it knows it.
    if (call.principal.role === 'viewer' && maskedFor(call, message.integration) !== undefined)
      throw forbidden(
        `Objects of "${message.integration}" have sensitive fields: their bodies are for operators. The instances can be read.`,
      )
    requireKept(message.id, 'the body', message.bodyPrunedAt)
    const hash = Buffer.from(message.bodySha256)
    const etag = `"${hash.toString('hex')}"`
    const headers = { ETag: etag, 'Repr-Digest': `sha-256=:${hash.toString('base64')}:` }
    if (matches(call.request.headers.get('If-None-Match'), etag)) return new Response(null, { status: 304, headers })
    const { type, suffix } = fileOf(message)
    const { db } = call.services
    const range = rangeOf(call.request, message.bodySize)
    // Before the first byte: who has it can't have it unrecorded.
    await writeAudit(db, {
      actor: call.principal.name,
      action: 'message.read_body',
      subject: message.id,
      ...(range === null ? {} : { details: range }),
    })
    const bytes = range === null ? readParts(db, message.uploadId) : readRange(db, message.uploadId, range.first, range.last)
    return new Response(streamOf(bytes), {
      status: range === null ? 200 : 206,
      headers: {
        ...headers,
        'Accept-Ranges': 'bytes',
        ...(range === null ? {} : { 'Content-Range': `bytes ${range.first}-${range.last}/${message.bodySize}` }),
        'Content-Type': type,
        'Content-Length': String(range === null ? message.bodySize : range.last - range.first + 1),
        'Content-Disposition': `attachment; filename="message-${message.id}.${suffix}"`,
      },
    })
  },
}

/** Codes of messages at -1 that are JSON all the same. */
const ofJson: readonly unknown[] = ['schema', 'validation_timeout']

/** What a download of the body is. What was refused as no JSON is just bytes. */
function fileOf({ status, statusDetails, format }: MessageView): { type: string; suffix: string } {
  const isRefused = status === -1 && statusDetails !== null && !ofJson.includes((JSON.parse(statusDetails) as { code?: unknown }).code)
  if (isRefused) return { type: 'application/octet-stream', suffix: 'bin' }
  return format === 'ndjson' ? { type: 'application/x-ndjson', suffix: 'ndjson' } : { type: 'application/json', suffix: 'json' }
}

/** Who may not see a value may not find by it either. Throws SluiceError `forbidden`. */
function requireSearchable(call: Call<'messages'>, integrations: readonly string[]): void {
  const { integrations: own } = call.principal
  const closed = integrations.find((name) => (own === null || own.includes(name)) && maskedFor(call, name) !== undefined)
  if (closed === undefined) return
  throw forbidden(`Objects of "${closed}" have sensitive fields: only operators search their text. Name another integration.`)
}

function positionOf(cursor: string | undefined): MessagePosition | null {
  const [id, receivedAt] = decodeCursor(cursor, [cursorPart.id, cursorPart.time]) ?? []
  return id === undefined ? null : { id, receivedAt: receivedAt === '' || receivedAt === undefined ? null : receivedAt }
}

/** The message that a path names, if the caller may see it. Throws SluiceError `not_found`, `forbidden`. */
export async function visibleMessage({
  services,
  principal,
  params,
}: Call<'message' | 'messageBody' | 'messageInstances'>): Promise<MessageView> {
  const message = await findMessageView(services.db, params.id)
  if (message === null) throw new SluiceError('not_found', `There is no message ${params.id}.`)
  requireMessage(principal, message)
  return message
}

/** Throws SluiceError `pruned` for what retention has removed. */
export function requireKept(id: string, what: string, prunedAt: string | null): void {
  if (prunedAt === null) return
  throw new SluiceError('pruned', `Retention removed ${what} of message ${id} at ${prunedAt}.`, { details: { id, prunedAt } })
}

/** If-None-Match, by weak comparison (RFC 9110, 13.1.2). */
function matches(header: string | null, etag: string): boolean {
  if (header === null) return false
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}
