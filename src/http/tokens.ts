/** Tokens: given out, listed, revoked. */
import { SluiceError } from '../errors.ts'
import { createToken, listTokens, revokeToken } from '../store/token.ts'
import { forbidden, type Principal, requireConfigured } from './auth.ts'
import { answer, type Handlers, limitOf } from './call.ts'
import { cursorPart, decodeCursor, encodeCursor } from './cursor.ts'

/** Handlers of the tokens. */
export const tokens: Handlers<'tokens' | 'createToken' | 'revokeToken'> = {
  async tokens(call) {
    requireUnlimited(call.principal)
    const [after] = decodeCursor(call.query.cursor, [cursorPart.id]) ?? []
    const limit = limitOf(call)
    const rows = await listTokens(call.services.db, { limit: limit + 1, after: after ?? null })
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    return answer(call, { items, next: rows.length > limit && last !== undefined ? encodeCursor([last.id]) : null })
  },

  async createToken(call) {
    const { services, principal, body } = call
    requireUnlimited(principal)
    for (const name of body.integrations ?? []) requireConfigured(services, name)
    const token = await createToken(
      services.db,
      { name: body.name, role: body.role, integrations: body.integrations ?? null },
      principal.name,
    )
    return answer(call, token, 201)
  },

  async revokeToken(call) {
    const { services, principal, params } = call
    requireUnlimited(principal)
    const revoked = await revokeToken(services.db, { id: params.id }, principal.name)
    if (revoked === null) throw new SluiceError('not_found', `There is no valid token ${params.id}.`)
    return new Response(null, { status: 204 })
  },
}

/** An admin of some integrations would otherwise make itself one of all. Throws SluiceError `forbidden`. */
function requireUnlimited({ name, integrations }: Principal): void {
  if (integrations === null) return
  throw forbidden(`The token "${name}" is limited to integrations, and so can't see or change tokens.`)
}
