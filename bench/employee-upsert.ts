/** The upserts that a person would write by hand, with the reference join. */
import type { z } from 'zod'
import type { Employee } from './sluice.config.ts'

const setSql = `name = excluded.name, position = excluded.position, date_joined = excluded.date_joined, joined_by = excluded.joined_by,
    organization_id = excluded.organization_id, deleted_at = excluded.deleted_at`

/** For one object: {@link oneValues}. */
export const oneSql = `
  INSERT INTO public.employee (ms_id, name, position, date_joined, joined_by, organization_id, deleted_at)
  SELECT $1, $2, $3, $4::date, $5, o.id, $7::timestamptz FROM public.organization o WHERE o.ms_id = $6
  ON CONFLICT (ms_id) DO UPDATE SET ${setSql}
`

/** For many: their JSON array. */
export const manySql = `
  INSERT INTO public.employee (ms_id, name, position, date_joined, joined_by, organization_id, deleted_at)
  SELECT s.ms_id, s.name, s.position, s.date_joined, s.joined_by, o.id, s.deleted_at
  FROM json_to_recordset($1::json) AS s
    (ms_id text, name text, position text, date_joined date, joined_by text, organization_ms_id text, deleted_at timestamptz)
    JOIN public.organization o ON o.ms_id = s.organization_ms_id
  ORDER BY s.ms_id
  ON CONFLICT (ms_id) DO UPDATE SET ${setSql}
`

export function oneValues(object: z.infer<typeof Employee>): (string | null)[] {
  const { ms_id, name, position, date_joined, joined_by, organization_ms_id, deleted_at } = object
  return [ms_id, name, position, date_joined, joined_by, organization_ms_id, deleted_at]
}
