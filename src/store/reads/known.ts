/** Which of the ids that somebody names are there. */
import type { Queryable } from '../db.ts'

/** Those of the ids that no message has, in their order. */
export async function unknownMessages(db: Queryable, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const { rows } = await db.query<{ id: string }>(
    `SELECT wanted.id FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted(id, place)
     WHERE NOT EXISTS (SELECT FROM sluice.message m WHERE m.id = wanted.id) ORDER BY wanted.place`,
    [ids],
  )
  return rows.map((row) => row.id)
}

/** Those of the ids (`<message>.<ordinal>`) that can be no instance's: of an unknown message, or beyond its last object. */
export async function unknownInstances(db: Queryable, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const parts = ids.map((id) => id.split('.'))
  const { rows } = await db.query<{ message: string; ordinal: number }>(
    `SELECT wanted.message, wanted.ordinal FROM unnest($1::bigint[], $2::integer[]) WITH ORDINALITY AS wanted(message, ordinal, place)
     WHERE NOT EXISTS (
       SELECT FROM sluice.message m WHERE m.id = wanted.message AND (m.total IS NULL OR wanted.ordinal < m.total))
     ORDER BY wanted.place`,
    [parts.map(([message = '']) => message), parts.map(([, ordinal = '']) => Number(ordinal))],
  )
  return rows.map((row) => `${row.message}.${row.ordinal}`)
}
