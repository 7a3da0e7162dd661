/** What the database knows of integrations. */
import type { Queryable } from '../db.ts'

/** An integration whose chunks are not claimed until somebody resumes it. */
export interface PausedIntegration {
  integration: string
  /** JSON text. */
  reason: string
  pausedAt: string
}

/** The integrations that are paused, by name. */
export async function listPaused(db: Queryable): Promise<PausedIntegration[]> {
  const { rows } = await db.query<PausedIntegration>(
    'SELECT integration, reason, paused_at AS "pausedAt" FROM sluice.paused_integration ORDER BY integration',
  )
  return rows
}
