/** Sessions of browsers: a random secret for a cookie, of which only the SHA-256 is stored, and whose token it stands for. */
import { randomBytes } from 'node:crypto'
import type { Db, Queryable } from './db.ts'
import { hashToken } from './token.ts'

/**
 * Begins a session, and removes those that are over.
 *
 * @param tokenHash SHA-256 of the token that was shown
 * @returns the session's secret; it is stored nowhere
 */
export async function createSession(db: Db, tokenHash: Uint8Array, seconds: number): Promise<string> {
  const secret = randomBytes(32).toString('base64url')
  await db.query('DELETE FROM sluice.session WHERE expires_at <= now()')
  await db.query(
    'INSERT INTO sluice.session (secret_sha256, token_sha256, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))',
    [hashToken(secret), tokenHash, seconds],
  )
  return secret
}

/** SHA-256 of the token that a session stands for; null when there is no such session, or it is over. */
export async function findSession(db: Queryable, secret: string): Promise<Uint8Array | null> {
  const { rows } = await db.query<{ hash: Uint8Array }>(
    'SELECT token_sha256 AS hash FROM sluice.session WHERE secret_sha256 = $1 AND expires_at > now()',
    [hashToken(secret)],
  )
  return rows[0]?.hash ?? null
}

/** Ends a session. */
export async function deleteSession(db: Queryable, secret: string): Promise<void> {
  await db.query('DELETE FROM sluice.session WHERE secret_sha256 = $1', [hashToken(secret)])
}
