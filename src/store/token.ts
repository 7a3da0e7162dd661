/** Bearer tokens: 256 random bits, of which only the SHA-256 is stored. */
import { createHash, randomBytes } from 'node:crypto'
import { SluiceError } from '../errors.ts'
import { writeAudit } from './audit.ts'
import { DatabaseError, type Db, type Queryable } from './db.ts'

/** What a token may do; `docs/` and `http/contract/common.ts` say what that is. */
export type TokenRole = 'sender' | 'viewer' | 'operator' | 'admin'

/** A token as it is stored: without its secret. */
export interface StoredToken {
  id: string
  name: string
  role: TokenRole
  /** Null: all. */
  integrations: string[] | null
  createdAt: string
  /** To the minute. */
  lastUsedAt: string | null
  revokedAt: string | null
}

/** Name of the admin whose token stands in the config (`token`, `SLUICE_TOKEN`). */
export const configTokenName = 'admin'

const columns = `id, name, role, integrations, created_at AS "createdAt", last_used_at AS "lastUsedAt", revoked_at AS "revokedAt"`

/** What a token is stored and looked up by. */
export function hashToken(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/**
 * Makes a token. Its secret is in the answer and nowhere else.
 *
 * @param token.integrations null: all
 * @param actor who does it, for the audit log
 * @throws SluiceError `token_name_taken`, `token_name_reserved`
 */
export async function createToken(
  db: Db,
  token: { name: string; role: TokenRole; integrations: readonly string[] | null },
  actor: string,
): Promise<StoredToken & { token: string }> {
  if (token.name === configTokenName) {
    throw new SluiceError(
      'token_name_reserved',
      `The name "${configTokenName}" belongs to the token of the config (SLUICE_TOKEN). Choose another.`,
    )
  }
  const secret = `slc_${randomBytes(32).toString('base64url')}`
  try {
    return await db.transaction(async (tx) => {
      const { rows } = await tx.query<StoredToken>(
        `INSERT INTO sluice.api_token (name, role, integrations, token_sha256) VALUES ($1, $2, $3::text[], $4) RETURNING ${columns}`,
        [token.name, token.role, token.integrations, hashToken(secret)],
      )
      const stored = rows[0]
      if (stored === undefined) throw new Error('INSERT … RETURNING gave no row')
      await writeAudit(tx, { actor, action: 'token.create', subject: stored.id, details: { ...token } })
      return { ...stored, token: secret }
    })
  } catch (error) {
    if (error instanceof DatabaseError && error.sqlstate === '23505' && error.constraint === 'api_token_name') {
      throw new SluiceError('token_name_taken', `There is a token named "${token.name}". Revoke it first, or choose another name.`, {
        cause: error,
      })
    }
    throw error
  }
}

/** The token whose secret has this SHA-256; null when there is none, or it is revoked. Notes its use, at most once a minute. */
export async function findTokenByHash(db: Queryable, hash: Uint8Array): Promise<StoredToken | null> {
  const { rows } = await db.query<StoredToken & { isStale: boolean }>(
    `SELECT ${columns}, last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS "isStale"
     FROM sluice.api_token WHERE token_sha256 = $1 AND revoked_at IS NULL`,
    [hash],
  )
  const found = rows[0]
  if (found === undefined) return null
  const { isStale, ...token } = found
  if (isStale) {
    await db.query(
      `UPDATE sluice.api_token SET last_used_at = now()
       WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
      [token.id],
    )
  }
  return token
}

/**
 * Tokens, newest first, revoked ones too.
 *
 * @param page.after id of the last one of the page before
 */
export async function listTokens(db: Queryable, page: { limit: number; after: string | null }): Promise<StoredToken[]> {
  const { rows } = await db.query<StoredToken>(
    `SELECT ${columns} FROM sluice.api_token WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
    [page.after, page.limit],
  )
  return rows
}

/**
 * Revokes a token: it is not accepted from now on. Its row stays, for the messages that have its name.
 *
 * @param by id or name
 * @returns the token; null when there is none that could be revoked
 */
export async function revokeToken(db: Db, by: { id: string } | { name: string }, actor: string): Promise<StoredToken | null> {
  return db.transaction(async (tx) => {
    const [condition, value] = 'id' in by ? ['id = $1::bigint', by.id] : ['name = $1', by.name]
    const { rows } = await tx.query<StoredToken>(
      `UPDATE sluice.api_token SET revoked_at = now() WHERE ${condition} AND revoked_at IS NULL RETURNING ${columns}`,
      [value],
    )
    const revoked = rows[0] ?? null
    if (revoked !== null) await writeAudit(tx, { actor, action: 'token.revoke', subject: revoked.id, details: { name: revoked.name } })
    return revoked
  })
}
