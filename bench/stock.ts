/**
 * Half a year of an inbox's life, written straight into the tables in the form that Sluice leaves behind. Of a thousand instances
 * half bring a new employee and half an old one again, picked from all there are; every tenth thousand are organisations that come
 * unchanged, every twentieth came as messages of one object, and in another twentieth one instance in twenty failed.
 */
import type pg from 'pg'
import { employee, organizationCount } from './employees.ts'

/** Instances that the smallest part of a stock has: all the kinds of messages there are. */
export const stockUnit = 100_000

/** Keys are spread over their whole range, as GUIDs are: what comes next stands beside anything. */
const [keyFactor, keyRange] = [618_033_989, 1_000_000_000]

/** The external ID of the n-th employee. */
export function keyOf(number: number): string {
  return `E-${String((BigInt(number) * BigInt(keyFactor)) % BigInt(keyRange)).padStart(9, '0')}`
}

/** An employee as the benchmarks send it, with a key of this stock. */
export function stockedEmployee(number: number, revision: number): string {
  return JSON.stringify({ ...employee(number, revision), ms_id: keyOf(number) })
}

/** Numbers of employees of a stock of so many instances, spread over all of them, in no order. Each once. */
export function someOf(stocked: number, count: number): number[] {
  const all = stocked / 2
  const picked = new Set<number>()
  while (picked.size < count) picked.add(existing(Math.floor(Math.random() * all)))
  return [...picked]
}

/** In the thousands that are organisations no employee is new. */
function existing(number: number): number {
  return Math.floor(number / 500) % 10 === 4 ? number - 500 : number
}

const key = (number: string): string => `'E-' || lpad(((${number})::bigint * ${keyFactor} % ${keyRange})::text, 9, '0')`
const name = (revision: string): string => `'Employee ' || number || ' abcdefghijabcdefghij' || ${revision}`
const joinedBy = (revision: string): string => `'user' || (number + ${revision}) % 50 || '@example.org'`

const partSql = (from: number, to: number, all: number): string => `
SET LOCAL session_replication_role = replica; -- the triggers would refuse messages that begin finished
CREATE TEMP TABLE sent ON COMMIT DROP AS
  SELECT nextval(pg_get_serial_sequence('sluice.message', 'id')) AS id, nextval(pg_get_serial_sequence('sluice.chunk', 'id')) AS chunk_id,
    gen_random_uuid() AS upload_id, now() - interval '182 days' * (1 - first::float8 / ${all}) AS at, m.*
  FROM (
    SELECT b * 1000 AS first, 1000 AS total, CASE WHEN b % 10 = 4 THEN 'organization' ELSE 'employee' END AS integration,
      CASE WHEN b % 20 = 3 THEN -3 ELSE 3 END AS status
    FROM generate_series(${from / 1000}::bigint, ${to / 1000 - 1}) b WHERE b % 20 <> 19
    UNION ALL
    SELECT b * 1000 + o, 1, 'employee', 3 FROM generate_series(${from / 1000}::bigint, ${to / 1000 - 1}) b, generate_series(0, 999) o WHERE b % 20 = 19
    UNION ALL
    SELECT b * 1000 + 999, 0, 'employee', -1 FROM generate_series(${from / 1000}::bigint, ${to / 1000 - 1}) b WHERE b % 50 = 7
    ORDER BY 1, 2) m;
CREATE TEMP TABLE made ON COMMIT DROP AS
  SELECT m.id AS message_id, (g - m.first)::integer AS ordinal, m.chunk_id, m.integration, m.at, i.number, i.revision,
    CASE WHEN m.integration = 'organization' THEN 'O-' || i.number ELSE ${key('i.number')} END AS external_id,
    CASE WHEN m.integration = 'organization' THEN 'unchanged' WHEN g % 2 = 0 THEN 'created'
      WHEN m.status = -3 AND g % 20 = 1 THEN NULL WHEN g % 4 = 1 THEN 'updated' ELSE 'unchanged' END AS outcome
  FROM sent m CROSS JOIN LATERAL generate_series(m.first, m.first + m.total - 1) g
    CROSS JOIN LATERAL (SELECT g * 7919 % 1000003 * 7919 % greatest(g / 2, 1) AS any_of_them) AS p
    CROSS JOIN LATERAL (SELECT CASE WHEN m.integration = 'organization' THEN g % ${organizationCount} WHEN g % 2 = 0 THEN g / 2
      WHEN any_of_them / 500 % 10 = 4 THEN any_of_them - 500 ELSE any_of_them END AS number,
      CASE WHEN g % 4 = 1 THEN g ELSE 0 END AS revision) AS i;
INSERT INTO sluice.message (id, integration, source, upload_id, body_sha256, body_size, format, status, status_details, total, received_at,
    validated_at, split_at, finished_at)
  OVERRIDING SYSTEM VALUE
  SELECT id, integration, 'source ' || id % 5, upload_id, sha256(id::text::bytea), greatest(total, 1) * 200, 'json', status,
    CASE WHEN status = -1 THEN '{"code": "invalid", "message": "1 of 1 objects is not correct."}'::jsonb END, nullif(total, 0), at, at,
    CASE WHEN status <> -1 THEN at + interval '1 second' END, at + interval '3 seconds'
  FROM sent ORDER BY id;
-- Nobody reads the bodies here: a short one will do.
INSERT INTO sluice.message_body (upload_id, part, bytes, created_at) SELECT upload_id, 0, repeat('x', 200)::bytea, at FROM sent ORDER BY id;
INSERT INTO sluice.chunk (id, message_id, integration, kind, number, first_ordinal, last_ordinal, state, epoch, attempts, due_at, total,
    created, updated, unchanged, failed, created_at, finished_at)
  OVERRIDING SYSTEM VALUE
  SELECT chunk_id, message_id, min(integration), 'data', 0, 0, count(*) - 1, 'finished', 1, 1, min(at), count(*),
    count(*) FILTER (WHERE outcome = 'created'), count(*) FILTER (WHERE outcome = 'updated'), count(*) FILTER (WHERE outcome = 'unchanged'),
    count(*) FILTER (WHERE outcome IS NULL), min(at), min(at) + interval '3 seconds'
  FROM made GROUP BY chunk_id, message_id ORDER BY chunk_id;
INSERT INTO sluice.instance (message_id, ordinal, chunk_id, integration, external_id, data, status, outcome, changes, error, attempts, finished_at)
  SELECT message_id, ordinal, chunk_id, integration, external_id,
    (CASE WHEN integration = 'organization' THEN format('{"ms_id":"%s","title":"Organisation %s"}', external_id, number)
      ELSE format('{"ms_id":"%s","name":"%s","position":"Position %s","date_joined":"20%s-0%s-1%s","joined_by":"%s","organization_ms_id":"O-%s","deleted_at":null}',
        external_id, ${name('revision')}, number % 200, 10 + number % 15, 1 + number % 9, number % 9, ${joinedBy('revision')}, number % ${organizationCount})
      END)::json,
    CASE WHEN outcome IS NULL THEN -2 ELSE 2 END, outcome,
    CASE WHEN outcome = 'updated' THEN jsonb_build_object('name', jsonb_build_object('before', ${name('0')}, 'after', ${name('revision')}),
      'joined_by', jsonb_build_object('before', ${joinedBy('0')}, 'after', ${joinedBy('revision')})) END,
    CASE WHEN outcome IS NULL THEN jsonb_build_object('code', 'code_' || number % 7, 'class', 'permanent', 'message', 'reason ' || number % 7) END,
    1, at + interval '2 seconds'
  FROM made ORDER BY message_id, ordinal;
INSERT INTO sluice.failure (message_id, ordinal, integration, external_id, code, class, fingerprint, attempts, failed_at)
  SELECT message_id, ordinal, integration, external_id, 'code_' || number % 7, 'permanent', 'code_' || number % 7, 1, at
  FROM made WHERE outcome IS NULL ORDER BY message_id, ordinal;
INSERT INTO public.employee (ms_id, name, position, date_joined, joined_by, organization_id)
  SELECT DISTINCT ON (m.external_id) m.external_id, ${name('revision')}, 'Position ' || number % 200,
    make_date(2010 + (number % 15)::integer, 1 + (number % 9)::integer, 10 + (number % 9)::integer), ${joinedBy('revision')}, o.id
  FROM made m JOIN public.organization o ON o.ms_id = 'O-' || number % ${organizationCount}
  WHERE outcome IN ('created', 'updated') AND integration = 'employee' ORDER BY m.external_id, message_id DESC, ordinal DESC
  ON CONFLICT (ms_id) DO UPDATE SET name = excluded.name, joined_by = excluded.joined_by;
INSERT INTO sluice.object (integration, external_id, message_id, ordinal, target_ref, first_message_id, updated_at)
  SELECT l.integration, l.external_id, l.last[1], l.last[2], coalesce(e.id, o.id), l.first_message_id, l.at
  FROM (SELECT integration, external_id, max(ARRAY[message_id, ordinal]) AS last, min(message_id) AS first_message_id, max(at) AS at
      FROM made WHERE outcome IS NOT NULL GROUP BY integration, external_id) AS l
    LEFT JOIN public.employee e ON l.integration = 'employee' AND e.ms_id = l.external_id
    LEFT JOIN public.organization o ON l.integration = 'organization' AND o.ms_id = l.external_id
  ORDER BY l.integration, l.external_id
  ON CONFLICT (integration, external_id) DO UPDATE SET message_id = excluded.message_id, ordinal = excluded.ordinal, updated_at = excluded.updated_at`

/** How many parts a stock is written in: each changes objects of those before it, and is vacuumed as autovacuum would. */
const mostParts = 20

/**
 * Writes the instances `from` to `to` of a stock of `all`; each a multiple of {@link stockUnit}. The organisations must be there.
 *
 * @param say told after each part
 */
export async function stock(
  client: pg.Client,
  { from, to, all }: { from: number; to: number; all: number },
  say: (line: string) => void,
): Promise<void> {
  const part = Math.ceil(all / mostParts / stockUnit) * stockUnit
  for (let begin = from; begin < to; begin += part) {
    const end = Math.min(begin + part, to)
    await client.query('BEGIN')
    await client.query(partSql(begin, end, all))
    await client.query('COMMIT')
    await client.query('VACUUM (ANALYZE)')
    say(`${end.toLocaleString('en')} instances written`)
  }
}
