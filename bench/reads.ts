/**
 * How quickly the lists of the API, and so the pages of the admin UI, answer with a million instances in the database.
 *
 *   node scripts/run.mjs bench/reads.ts
 *
 * A thousand messages of a thousand objects each, one instance in forty failed, are written straight into the tables. Each
 * list is read thirty times, on PostgreSQL from npm, through the whole application but for the network.
 */
import { z } from 'zod'
import { defineConfig, defineIntegration } from '../src/config.ts'
import { createApp } from '../src/http/app.ts'
import { createServices } from '../src/services.ts'
import { migrate } from '../src/store/migrate.ts'
import { createPostgres } from '../src/store/postgres.ts'
import { startPostgres } from '../test/support/postgres.ts'

const token = 'admin-token-of-the-benchmark-0123456789'
const rounds = 30
/** What the UI promises for every list but the search for text, in milliseconds. */
const promised = 300

const integrations = ['employee', 'organization'].map((name) =>
  defineIntegration({
    name,
    schema: z.looseObject({ ms_id: z.string() }),
    key: 'ms_id',
    target: (t) => t.handler({ apply: () => Promise.resolve('ignored') }),
  }),
)

const fill = `
SET session_replication_role = replica; -- the triggers would refuse messages that begin finished
INSERT INTO sluice.message (integration, source, upload_id, body_sha256, body_size, format, status, total, received_at, validated_at, split_at, finished_at)
  SELECT CASE WHEN g % 3 = 0 THEN 'organization' ELSE 'employee' END, 'source ' || g % 5, gen_random_uuid(), decode(repeat('ab', 32), 'hex'),
    200000, 'json', CASE WHEN g % 50 = 0 THEN -1 WHEN g % 20 = 1 THEN -3 ELSE 3 END, 1000,
    now() - (1000 - g) * interval '10 minute', now(), now(), now()
  FROM generate_series(1, 1000) g;
INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, state, total, created, failed, finished_at)
  SELECT id, integration, 'data', 0, 0, 999, 'finished', 1000, CASE WHEN status = -3 THEN 500 ELSE 1000 END,
    CASE WHEN status = -3 THEN 500 ELSE 0 END, now() - (1000 - id) * interval '3 second'
  FROM sluice.message;
INSERT INTO sluice.instance (message_id, ordinal, chunk_id, integration, external_id, data, status, outcome, error, attempts, finished_at)
  SELECT m.id, o, m.id, m.integration, 'e-' || (m.id * 7 + o) % 100000,
    json_build_object('ms_id', 'e-' || (m.id * 7 + o) % 100000, 'name', repeat('x', 100)), CASE WHEN f THEN -2 ELSE 2 END,
    CASE WHEN f THEN NULL ELSE 'created' END,
    CASE WHEN f THEN jsonb_build_object('code', 'code_' || o % 7, 'class', 'permanent', 'message', 'reason ' || o % 7) END, 1, now()
  FROM sluice.message m CROSS JOIN generate_series(0, 999) o CROSS JOIN LATERAL (SELECT m.status = -3 AND o < 500 AS f) AS failed;
INSERT INTO sluice.failure (message_id, ordinal, integration, external_id, code, class, fingerprint, attempts)
  SELECT message_id, ordinal, integration, external_id, error ->> 'code', 'permanent', error ->> 'code', 1
  FROM sluice.instance WHERE status = -2;
RESET session_replication_role;
ANALYZE`

const weekAgo = new Date(Date.now() - 6.9 * 86_400_000).toISOString()
const paths = [
  'overview',
  'errors',
  'messages',
  'messages?status=-3',
  'messages?integration=organization&source=source%201',
  'messages?externalId=e-77',
  `messages?from=${weekAgo}`,
  'instances',
  'instances?failed=true',
  'instances?integration=employee&errorCode=code_3',
  'instances?integration=employee&externalId=e-77',
  'messages/501/instances',
  'messages/501/instances?status=-2',
  'messages/501/instances?outcome=created',
  'objects/employee/e-77',
  `messages?text=nobody&from=${weekAgo}`,
]

const server = await startPostgres({ settings: { fsync: 'off' } })
try {
  const db = createPostgres({ url: server.url })
  await migrate(db)
  console.error('writing a million instances …')
  await db.exec(fill)
  const app = createApp(createServices(defineConfig({ integrations, token, logLevel: 'error' }, {}), db))
  const read = async (path: string): Promise<number> => {
    const began = performance.now()
    const response = await app.fetch(new Request(`http://localhost/api/${path}`, { headers: { Authorization: `Bearer ${token}` } }))
    await response.text()
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
    return performance.now() - began
  }
  console.log('| read | median, ms | 95th percentile, ms |\n|---|---:|---:|')
  for (const path of paths) {
    const times: number[] = []
    for (let round = 0; round < rounds; round++) times.push(await read(path))
    times.sort((a, b) => a - b)
    const at = (share: number): number => times[Math.floor(times.length * share)] ?? 0
    console.log(`| \`${path.replace(weekAgo, '<a week ago>')}\` | ${at(0.5).toFixed(1)} | ${at(0.95).toFixed(1)} |`)
    if (at(0.95) > promised && !path.includes('text=')) process.exitCode = 1
  }
  await db.close()
} finally {
  await server.remove()
}
