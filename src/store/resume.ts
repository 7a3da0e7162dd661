/** Going on with an integration that was paused because its target did not fit. */
import { writeAudit } from './audit.ts'
import type { Db } from './db.ts'

/** Lets an integration's chunks be claimed again and wakes the workers. False when it was not paused. */
export async function resumeIntegration(db: Db, integration: string, actor: string): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rowCount } = await tx.query('DELETE FROM sluice.paused_integration WHERE integration = $1', [integration])
    if (rowCount === 0) return false
    await writeAudit(tx, { actor, action: 'integration.resume', subject: integration })
    await tx.query("SELECT pg_notify('sluice', 'process')")
    return true
  })
}
