/** Signatures of Standard Webhooks 1.0, scheme `v1`: HMAC-SHA256 over id, time and body. */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** `whsec_` and the base64 of 24 to 64 bytes, as the standard has it. */
const secretForm = /^whsec_([A-Za-z0-9+/]+={0,2})$/

/** Whether a text is a secret. */
export function isWebhookSecret(text: string): boolean {
  const bytes = Buffer.from(secretForm.exec(text)?.[1] ?? '', 'base64').length
  return bytes >= 24 && bytes <= 64
}

/** How far a signature's time may be from ours, in seconds, either way. */
export const webhookTolerance = 300

/** What is signed. */
export interface SignedContent {
  id: string
  /** Seconds since 1970, as the header has it. */
  timestamp: string
  body: Uint8Array
}

/**
 * Whether one of the secrets made one of the signatures. Every secret is tried with every signature, compared in constant
 * time: how long it takes doesn't tell which, or how much of it, was right.
 *
 * @param header `v1,<base64>`, several apart by spaces; those of other schemes are passed over
 */
export function isSignedBy(secrets: readonly string[], { id, timestamp, body }: SignedContent, header: string): boolean {
  const given = header
    .split(' ')
    .filter((signature) => signature.startsWith('v1,'))
    .slice(0, mostSignatures)
    .map((signature) => Buffer.from(signature.slice('v1,'.length), 'base64'))
  let isRight = false
  for (const secret of secrets) {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    const wanted = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
    for (const signature of given) {
      if (signature.length === wanted.length && timingSafeEqual(signature, wanted)) isRight = true
    }
  }
  return isRight
}

/** A sender has one or two secrets: more signatures than these are no sender's. */
const mostSignatures = 8
