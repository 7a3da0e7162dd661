/** Who calls, and what they may see. */
import { timingSafeEqual } from 'node:crypto'
import type { Integration } from '../config.ts'
import { SluiceError } from '../errors.ts'
import type { SensitiveFields } from '../schema/sensitive.ts'
import type { Services } from '../services.ts'
import type { Scope } from '../store/reads/query.ts'
import { findSession } from '../store/session.ts'
import { configTokenName, findTokenByHash, hashToken } from '../store/token.ts'
import type { Role } from './contract/common.ts'
import type { Route } from './contract/routes.ts'
import { requireOwnPage, sessionSecretOf } from './session-cookie.ts'

/** The owner of a token. */
export interface Principal {
  /** Name of the token: the source of its messages. */
  name: string
  role: Role
  /** Null: all. */
  integrations: readonly string[] | null
}

const bearer = /^Bearer +([A-Za-z0-9._~+/=-]{1,512}) *$/i

/** The bearer token of a request; null when it has none. Throws SluiceError `unauthorized` for a header that is something else. */
export function bearerOf(request: Request): string | null {
  const header = request.headers.get('Authorization')
  if (header === null) return null
  const secret = bearer.exec(header)?.[1]
  if (secret === undefined) throw unauthorized('The Authorization header must be "Bearer <token>".')
  return secret
}

/**
 * The owner of a request's bearer token, or of the session that its cookie stands for.
 *
 * @throws SluiceError `unauthorized`; `forbidden` when a request with a cookie comes from another page than ours
 */
export async function authenticate(services: Services, request: Request): Promise<Principal> {
  const secret = bearerOf(request)
  if (secret !== null) return ownerOf(services, hashToken(secret))
  const session = sessionSecretOf(request)
  if (session === null) throw unauthorized('Send a token: "Authorization: Bearer <token>". `sluice token create` makes one.')
  requireOwnPage(request)
  const hash = await findSession(services.db, session)
  if (hash === null) throw unauthorized('The session is over. Sign in again.')
  return ownerOf(services, hash)
}

async function ownerOf(services: Services, hash: Uint8Array): Promise<Principal> {
  const { token: configured } = services.config
  // Hashes are compared, of equal length and in constant time; the database looks up a hash as well.
  if (configured !== undefined && timingSafeEqual(hashToken(configured), hash)) {
    return { name: configTokenName, role: 'admin', integrations: null }
  }
  const token = await findTokenByHash(services.db, hash)
  if (token === null) throw unauthorized('The token is not known here, or it was revoked.')
  return { name: token.name, role: token.role, integrations: token.integrations }
}

function unauthorized(message: string): SluiceError {
  return new SluiceError('unauthorized', message)
}

/** Checks the role that a route asks for. Throws SluiceError `forbidden`. */
export function requireRole(principal: Principal, roles: NonNullable<Route['roles']>): void {
  if (roles.includes(principal.role)) return
  throw forbidden(`The token "${principal.name}" is a ${principal.role}'s. This takes one of: ${roles.join(', ')}.`)
}

/** Checks that a principal may touch an integration. Throws SluiceError `forbidden`. */
export function requireIntegration(principal: Principal, integration: string): void {
  if (principal.integrations === null || principal.integrations.includes(integration)) return
  throw forbidden(`The token "${principal.name}" is for other integrations: ${principal.integrations.join(', ')}.`)
}

/**
 * An integration of the config. Lists ask for it only when they found nothing: what an integration left behind that was
 * taken out of the config can still be read.
 *
 * @throws SluiceError `unknown_integration`
 */
export function requireConfigured({ config }: Services, name: string): Integration {
  const integration = config.integrations.get(name)
  if (integration === undefined)
    throw new SluiceError('unknown_integration', `There is no integration "${name}". GET /api/integrations lists them.`)
  return integration
}

/** Checks that a principal may see a message: of its integrations, and for a sender its own. Throws SluiceError `forbidden`. */
export function requireMessage(principal: Principal, message: { integration: string; source: string }): void {
  requireIntegration(principal, message.integration)
  if (principal.role !== 'sender' || message.source === principal.name) return
  throw forbidden(`The token "${principal.name}" is a sender's, and this message came from somebody else.`)
}

/** The sensitive fields of an integration that a principal may not see; operators and admins see all. */
export function maskedFor(
  { services, principal }: { services: Services; principal: Principal },
  integration: string,
): SensitiveFields | undefined {
  return principal.role === 'operator' || principal.role === 'admin' ? undefined : services.sensitive.get(integration)
}

/** The rows that a principal may see in lists. */
export function scopeOf(principal: Principal): Scope {
  return { integrations: principal.integrations, source: principal.role === 'sender' ? principal.name : null }
}

/** A refusal for want of rights. */
export function forbidden(message: string): SluiceError {
  return new SluiceError('forbidden', message)
}
