/**
 * How quickly the lists of the API, and so the pages of the admin UI, answer with many instances in the database. Messages of a
 * thousand objects each, one instance in forty failed, are written straight into the tables. Each list is read through the whole
 * application but for the network.
 */
import { z } from 'zod'
import { defineIntegration } from '../src/config.ts'
import { migrate } from '../src/store/migrate.ts'
import { createPostgres } from '../src/store/postgres.ts'
import { startPostgres } from '../test/support/postgres.ts'
import type { BenchCase } from './case.ts'
import { isSearch, listPaths, listReader, promised, shownPath } from './lists.ts'
import { machine } from './machine.ts'
import { percentile } from './statistics.ts'

/** How often each list is read in a round. */
const times = 10
const objectsPerMessage = 1000

const integrations = ['employee', 'organization'].map((name) =>
  defineIntegration({
    name,
    schema: z.looseObject({ ms_id: z.string() }),
    key: 'ms_id',
    target: (t) => t.handler({ apply: () => Promise.resolve('ignored') }),
  }),
)

const fill = (messages: number): string => `
SET session_replication_role = replica; -- the triggers would refuse messages that begin finished
INSERT INTO sluice.message (integration, source, upload_id, body_sha256, body_size, format, status, total, received_at, validated_at, split_at, finished_at)
  SELECT CASE WHEN g % 3 = 0 THEN 'organization' ELSE 'employee' END, 'source ' || g % 5, gen_random_uuid(), decode(repeat('ab', 32), 'hex'),
    200000, 'json', CASE WHEN g % 50 = 0 THEN -1 WHEN g % 20 = 1 THEN -3 ELSE 3 END, 1000,
    now() - (${messages} - g) * interval '10 minute', now(), now(), now()
  FROM generate_series(1, ${messages}) g;
INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, state, total, created, failed, finished_at)
  SELECT id, integration, 'data', 0, 0, 999, 'finished', 1000, CASE WHEN status = -3 THEN 500 ELSE 1000 END,
    CASE WHEN status = -3 THEN 500 ELSE 0 END, now() - (${messages} - id) * interval '3 second'
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

const paths = listPaths({ externalId: 'e-77', messageId: '501', source: 'source 1', errorCode: 'code_3' })

/** `objects`: instances in the database. Default: a million. */
export const reads: BenchCase = {
  name: 'reads',
  about: 'every list of the API with a million instances in the database',
  async run({ objects = 1_000_000, rounds, say }) {
    const server = await startPostgres({ major: 18 })
    try {
      const db = createPostgres({ url: server.url })
      await migrate(db)
      say(`writing ${objects.toLocaleString('en')} instances`)
      await db.exec(fill(Math.ceil(objects / objectsPerMessage)))
      const read = listReader(db, integrations)
      const figures = new Map(paths.map((path) => [path, [] as number[]]))
      for (let round = 1; round <= rounds; round++) {
        for (const [path, taken] of figures) for (let time = 0; time < times; time++) taken.push(await read(path))
        say(`round ${round} of ${rounds}`)
      }
      await db.close()
      const rows = [...figures].map(([path, taken]) => ({
        path: shownPath(path),
        median: percentile(taken, 0.5),
        p95: percentile(taken, 0.95),
      }))
      const lists = rows.filter(({ path }) => !isSearch(path))
      const command = `npm run bench -- reads${objects === 1_000_000 ? '' : ` --objects ${objects}`}`
      const on = machine(`PostgreSQL ${server.major}, default settings`)
      return {
        result: { case: 'reads', command, machine: on, objects, rounds, reads: rows },
        markdown: [
          `${objects.toLocaleString('en')} instances in the database; each list read ${rounds * times} times, through the whole application but for the network.`,
          '',
          '| read | median, ms | 95th percentile, ms |',
          '|---|---:|---:|',
          ...rows.map(({ path, median, p95 }) => `| \`${path}\` | ${median.toFixed(1)} | ${p95.toFixed(1)} |`),
          '',
          `Measured by \`${command}\` with ${on.postgres}, ${on.cores} cores (${on.cpu}), Node ${on.node}.`,
        ].join('\n'),
        goals: [
          {
            of: 'the slowest list but the search for text, 95th percentile, ms',
            figure: Math.max(...lists.map(({ p95 }) => p95)),
            most: promised,
          },
        ],
      }
    } finally {
      await server.remove()
    }
  },
}
