/** What people did, and who: written in the transaction of the deed. */
import type { Queryable } from './db.ts'

export interface AuditEntry {
  /** Name of a token, or `cli:<user>`. */
  actor: string
  /** Such as `token.create`. */
  action: string
  /** Id or name of what it was done to. */
  subject: string
  details?: Record<string, unknown>
}

/** Appends to `sluice.audit_log`. */
export async function writeAudit(tx: Queryable, entry: AuditEntry): Promise<void> {
  await tx.query('INSERT INTO sluice.audit_log (actor, action, subject, details) VALUES ($1, $2, $3, $4::jsonb)', [
    entry.actor,
    entry.action,
    entry.subject,
    entry.details === undefined ? null : JSON.stringify(entry.details),
  ])
}
