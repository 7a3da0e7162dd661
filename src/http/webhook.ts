/** Messages that are signed (Standard Webhooks 1.0) instead of sent with a token. */
import type { Config } from '../config.ts'
import { SluiceError } from '../errors.ts'
import { isSignedBy, webhookTolerance } from '../model/webhook.ts'
import type { Principal } from './auth.ts'
import { sentBytes } from './body.ts'

/** Whether a request shows a signature, and no token. */
export function isSigned(request: Request): boolean {
  return request.headers.has('webhook-signature') && !request.headers.has('Authorization')
}

/** Most bytes of a signed body as sent: it is read whole, in memory, before anybody knows who sent it. */
export const longestSigned = 4 * 1024 * 1024

const advice = `A signed message may have ${longestSigned} bytes, or what limits.body says if that is less; larger ones take a token.`

/** Nobody's: the work for a source that isn't there is that for one that is. */
const nobody = { secrets: ['whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'], integrations: undefined }

/**
 * The source that signed a request, and the request with its body read; `webhook-id` is its Idempotency-Key. Nothing is
 * stored before the signature is known to be right.
 *
 * @throws SluiceError `bad_signature`, `body_too_large`, `body_interrupted`
 */
export async function verifySigned(config: Config, request: Request): Promise<{ principal: Principal; request: Request }> {
  const { headers } = request
  const name = new URL(request.url).searchParams.get('source') ?? ''
  const id = headers.get('webhook-id')
  const timestamp = headers.get('webhook-timestamp') ?? ''
  if (id === null || id === '') throw badSignature('The header webhook-id is missing.')
  if (!/^\d{1,12}$/.test(timestamp)) throw badSignature('The header webhook-timestamp must be seconds since 1970.')
  const seconds = Number(timestamp) - Math.floor(Date.now() / 1000)
  if (Math.abs(seconds) > webhookTolerance) {
    throw badSignature(`The header webhook-timestamp is more than ${webhookTolerance / 60} minutes from the time here. Look at the clocks.`)
  }
  const body = await bytesOf(sentBytes(request, Math.min(config.limits.body, longestSigned), advice))
  const source = Object.hasOwn(config.webhooks, name) ? config.webhooks[name] : undefined
  const isRight = isSignedBy((source ?? nobody).secrets, { id, timestamp, body }, headers.get('webhook-signature') ?? '')
  if (source === undefined || !isRight) {
    throw badSignature('No secret of the source made this signature. "?source=" says which source of the option "webhooks" it is.')
  }
  const all = new Headers(headers)
  all.set('Idempotency-Key', id)
  return {
    principal: { name, role: 'sender', integrations: source.integrations ?? null },
    request: new Request(request.url, { method: request.method, headers: all, body, signal: request.signal }),
  }
}

async function bytesOf(parts: AsyncIterable<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return Buffer.concat(all)
}

function badSignature(message: string): SluiceError {
  return new SluiceError('bad_signature', `${message} Nothing was kept.`)
}
