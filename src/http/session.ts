/** Sign-in of browsers: a bearer token is exchanged for a cookie that scripts can't read. */
import { createSession, deleteSession } from '../store/session.ts'
import { hashToken } from '../store/token.ts'
import { bearerOf, type Principal } from './auth.ts'
import { answer, type Handlers } from './call.ts'
import type { Session } from './contract/session.ts'
import { sessionCookie, sessionSeconds, sessionSecretOf } from './session-cookie.ts'

/** Handlers of the session. */
export const session: Handlers<'session' | 'signIn' | 'signOut'> = {
  session: (call) => answer(call, present(call.principal, call.services.version)),

  async signIn(call) {
    const { services, request, principal } = call
    const token = bearerOf(request)
    const who = present(principal, services.version)
    // Without a token it was a session that let the request in: it goes on.
    if (token === null) return answer(call, who)
    const secret = await createSession(services.db, hashToken(token), sessionSeconds)
    return answer(call, who, 200, { 'Set-Cookie': sessionCookie(request, secret) })
  },

  async signOut({ services, request }) {
    const secret = sessionSecretOf(request)
    if (secret !== null) await deleteSession(services.db, secret)
    return new Response(null, { status: 204, headers: { 'Set-Cookie': sessionCookie(request, '') } })
  },
}

function present({ name, role, integrations }: Principal, version: string): Session {
  return { name, role, integrations: integrations === null ? null : [...integrations], version }
}
