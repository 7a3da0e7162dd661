/** The ROR example on a test database, and what its tables hold, free of ids and times. */
import { readFileSync } from 'node:fs'
import config from '../../examples/ror/sluice.config.ts'
import type { Integration } from '../../src/config.ts'
import type { Db } from '../../src/store/db.ts'

export const rorIntegrations: Integration[] = [...config.integrations.values()]

/** Makes the example's tables, in `public`. */
export async function createRorTables(db: Db): Promise<void> {
  await db.exec(
    `SET search_path = public; ${readFileSync(new URL('../../examples/ror/tables.sql', import.meta.url), 'utf8')}; RESET search_path`,
  )
}

/** Every organisation and relationship, comparable between two databases. */
export async function rorTables(db: Db): Promise<{ organizations: unknown[]; relationships: unknown[] }> {
  const organizations = await db.query(
    `SELECT to_jsonb(o) - 'id' - 'withdrawn_at' - 'loaded_at' || jsonb_build_object('withdrawn', o.withdrawn_at IS NOT NULL) AS row FROM public.organization o ORDER BY o.ror_id`,
  )
  const relationships = await db.query(
    `SELECT a.ror_id AS "from", b.ror_id AS "to", r.type FROM public.organization_relationship r
     JOIN public.organization a ON a.id = r.organization_id JOIN public.organization b ON b.id = r.to_id ORDER BY 1, 2, 3`,
  )
  return { organizations: organizations.rows, relationships: relationships.rows }
}
