/** Reads of instances, objects and groups of failures. */
import { SluiceError } from '../errors.ts'
import { maskLeaves } from '../schema/sensitive.ts'
import type { Queryable } from '../store/db.ts'
import { type ErrorGroupPosition, listErrorGroups } from '../store/reads/failures.ts'
import { findInstanceView, type InstancePosition, listInstances, listMessageInstances } from '../store/reads/instances.ts'
import { findMessageView, longestSearch } from '../store/reads/messages.ts'
import { findLedgerEntry, listDeferredLinks } from '../store/reads/objects.ts'
import type { ShownObject } from '../targets/target.ts'
import { maskedFor, requireConfigured, requireIntegration, requireMessage, scopeOf } from './auth.ts'
import { answer, type Call, type Handlers, limitOf } from './call.ts'
import { cursorPart, decodeCursor, encodeCursor } from './cursor.ts'
import { prefersNdjson } from './headers.ts'
import { raw, stringify } from './json.ts'
import { requireKept, visibleMessage } from './messages.ts'
import { presentErrorGroup, presentInstance, presentItem } from './present.ts'
import { badRequest } from './problem.ts'
import { streamOf } from './stream.ts'

/** Handlers of the reads of instances. */
export const instances: Handlers<'messageInstances' | 'instances' | 'instance' | 'object' | 'targetObject' | 'errors'> = {
  async messageInstances(call) {
    const message = await visibleMessage(call)
    requireKept(message.id, 'the instances', message.instancesPrunedAt)
    const { services, query, request, language } = call
    const after = ordinalOf(query.cursor)
    if (prefersNdjson(request)) {
      const headers = {
        'Content-Type': 'application/x-ndjson; charset=utf-8',
        'Content-Language': language,
        Vary: 'Accept, Accept-Language',
      }
      return new Response(streamOf(lines(call, message.id, after)), { headers })
    }
    const { items, next } = await listMessageInstances(services.db, message.id, query, { limit: limitOf(call), after })
    const body = {
      items: items.map((item) => presentItem(item, language, maskedFor(call, item.integration))),
      next: next === null ? null : encodeCursor([String(next)]),
    }
    return answer(call, body, 200, { Vary: 'Accept, Accept-Language' })
  },

  async instances(call) {
    const { services, principal, query, language } = call
    if (query.integration !== undefined) requireIntegration(principal, query.integration)
    if (query.externalId !== undefined && query.integration === undefined) {
      throw badRequest('An external ID belongs to an integration: give "integration" too.', [
        { parameter: 'integration', code: 'missing', message: 'is needed with "externalId"' },
      ])
    }
    const { items, next } = await listInstances(services.db, scopeOf(principal), query, {
      limit: limitOf(call),
      after: instancePositionOf(query.cursor),
    })
    if (items.length === 0 && query.integration !== undefined) requireConfigured(services, query.integration)
    return answer(call, {
      items: items.map((item) => presentItem(item, language, maskedFor(call, item.integration))),
      next: instanceCursor(next),
    })
  },

  async instance(call) {
    const { services, principal, params, language } = call
    const [messageId = '', ordinal = ''] = params.id.split('.')
    const instance = await findInstanceView(services.db, messageId, Number(ordinal))
    if (instance === null) {
      const message = await findMessageView(services.db, messageId)
      if (message !== null && message.instancesPrunedAt !== null) {
        requireMessage(principal, message)
        if (Number(ordinal) < (message.total ?? 0)) requireKept(message.id, 'the instances', message.instancesPrunedAt)
      }
      throw new SluiceError('not_found', `There is no instance ${params.id}.`)
    }
    requireMessage(principal, instance)
    return answer(call, presentInstance(instance, language, maskedFor(call, instance.integration)))
  },

  async object(call) {
    const { services, principal, params, query, language } = call
    const { integration, externalId } = params
    requireIntegration(principal, integration)
    const page = { limit: limitOf(call), after: instancePositionOf(query.cursor) }
    const [ledger, deferredLinks, { items, next }] = await Promise.all([
      findLedgerEntry(services.db, integration, externalId),
      listDeferredLinks(services.db, integration, externalId),
      listInstances(services.db, scopeOf(principal), { integration, externalId }, page),
    ])
    if (ledger === null && items.length === 0 && page.after === null) {
      requireConfigured(services, integration)
      throw new SluiceError('not_found', `No object "${externalId}" of the integration "${integration}" ever came.`)
    }
    return answer(call, {
      integration,
      externalId,
      ledger: ledger === null ? null : presentLedger(ledger),
      deferredLinks,
      items: items.map((item) => presentItem(item, language, maskedFor(call, item.integration))),
      next: instanceCursor(next),
    })
  },

  async targetObject(call) {
    const { services, principal, params } = call
    const { integration, externalId } = params
    requireIntegration(principal, integration)
    const { kind } = requireConfigured(services, integration).target
    const target = await services.target(integration, services.db)
    const show = (db: Queryable): Promise<ShownObject | null> => target.show?.(db, externalId) ?? Promise.resolve(null)
    // A page is asked for at its site, and no transaction stands open meanwhile.
    const shown = await (kind === 'table' ? services.db.transaction(show, { statementTimeout: longestSearch }) : show(services.db))
    const found = shown?.row ?? null
    const row = found === null || maskedFor(call, integration) === undefined ? found : maskLeaves(found)
    return answer(call, { kind, where: shown?.where ?? null, ref: shown?.ref ?? null, row: raw(row) })
  },

  async errors(call) {
    const { services, principal, query } = call
    if (query.integration !== undefined) requireIntegration(principal, query.integration)
    const page = { limit: limitOf(call), after: groupPositionOf(query.cursor) }
    const { items, next } = await listErrorGroups(services.db, principal.integrations, query, page)
    if (items.length === 0 && query.integration !== undefined) requireConfigured(services, query.integration)
    const cursor = next === null ? null : encodeCursor([next.integration, next.code, next.fingerprint])
    return answer(call, { items: items.map(presentErrorGroup), next: cursor })
  },
}

/** All instances from a place on, a page in memory at a time. A client that stops reading stops the reading here. */
async function* lines(call: Call<'messageInstances'>, messageId: string, from: number | null): AsyncGenerator<Uint8Array> {
  const { services, query, language } = call
  // Nobody sees the pages of a stream: they are as large as they may be.
  const limit = query.limit === undefined ? services.config.limits.page : limitOf(call)
  for (let after = from; ; ) {
    const { items, next } = await listMessageInstances(services.db, messageId, query, { limit, after })
    if (items.length > 0)
      yield Buffer.from(items.map((item) => `${stringify(presentItem(item, language, maskedFor(call, item.integration)))}\n`).join(''))
    if (next === null) return
    after = next
  }
}

function presentLedger(ledger: NonNullable<Awaited<ReturnType<typeof findLedgerEntry>>>) {
  const { version, messageId, ordinal, fields, targetRef, deleted, firstMessageId, updatedAt } = ledger
  return {
    version,
    appliedBy: messageId === null ? null : `${messageId}.${ordinal}`,
    fields: raw(fields),
    targetRef,
    deleted,
    firstMessage: firstMessageId,
    updatedAt,
  }
}

function ordinalOf(cursor: string | undefined): number | null {
  const [ordinal] = decodeCursor(cursor, [cursorPart.ordinal]) ?? []
  return ordinal === undefined ? null : Number(ordinal)
}

function instancePositionOf(cursor: string | undefined): InstancePosition | null {
  const [messageId, ordinal] = decodeCursor(cursor, [cursorPart.id, cursorPart.ordinal]) ?? []
  return messageId === undefined ? null : { messageId, ordinal: Number(ordinal) }
}

function instanceCursor(next: InstancePosition | null): string | null {
  return next === null ? null : encodeCursor([next.messageId, String(next.ordinal)])
}

function groupPositionOf(cursor: string | undefined): ErrorGroupPosition | null {
  const [integration, code, fingerprint] = decodeCursor(cursor, [cursorPart.text, cursorPart.text, cursorPart.text]) ?? []
  return integration === undefined || code === undefined || fingerprint === undefined ? null : { integration, code, fingerprint }
}
