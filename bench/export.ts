/**
 * Export: all instances of one message as NDJSON, over HTTP from a server of its own process, beside a cursor over the same rows
 * on one connection. What is asked is that the server's memory doesn't grow with the rows.
 */
import { request } from 'node:http'
import { loadavg } from 'node:os'
import pg from 'pg'
import { startPostgres } from '../test/support/postgres.ts'
import { type BenchCase, rounded } from './case.ts'
import { inDatabase } from './database.ts'
import { tablesSql } from './employees.ts'
import { type RunningInbox, startInbox } from './inbox.ts'
import { machine } from './machine.ts'
import { residentMiB } from './memory.ts'
import { type Summary, summarize } from './statistics.ts'

/** One finished message, in chunks of a thousand. */
const fill = (objects: number): string => `
SET session_replication_role = replica; -- the triggers would refuse messages that begin finished
INSERT INTO sluice.message (integration, source, upload_id, body_sha256, body_size, format, status, total, received_at, validated_at, split_at, finished_at)
  VALUES ('employee', 'bench', gen_random_uuid(), decode(repeat('ab', 32), 'hex'), ${objects * 200}, 'json', 3, ${objects}, now(), now(), now(), now());
INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, state, total, created, finished_at)
  SELECT m.id, 'employee', 'data', g, g * 1000, least(g * 1000 + 999, ${objects} - 1), 'finished',
    least(1000, ${objects} - g * 1000), least(1000, ${objects} - g * 1000), now()
  FROM sluice.message m, generate_series(0, (${objects} - 1) / 1000) g;
INSERT INTO sluice.instance (message_id, ordinal, chunk_id, integration, external_id, data, status, outcome, attempts, finished_at)
  SELECT c.message_id, o, c.id, 'employee', 'e-' || o, json_build_object('ms_id', 'e-' || o, 'name', repeat('x', 150)), 2, 'created', 1, now()
  FROM sluice.chunk c, generate_series(c.first_ordinal, c.last_ordinal) o;
RESET session_replication_role;
ANALYZE`

/** How many times fewer rows the smaller message has. */
const times = 10

/** A message of one size, read by a server of its own. Rows a second; MiB. */
interface Size {
  objects: number
  rates: Summary
  peer: Summary
  start: number
  peak: number
}

/** `objects`: rows of the larger message. Default: 200,000. */
export const exportCase: BenchCase = {
  name: 'export',
  about: 'all instances of a message as NDJSON, and the memory of the server meanwhile, at one size and at ten times of it',
  async run({ objects = 200_000, rounds, say }) {
    const loadBefore = loadavg()[0] ?? 0
    const server = await startPostgres({ major: 18 })
    try {
      const sizes: Size[] = []
      // Both servers send as many rows in all, so that only the size of an answer differs.
      for (const [size, reads] of [[Math.ceil(objects / times), rounds * times] as const, [objects, rounds] as const])
        sizes.push(await inDatabase(server.url, (url) => measure(url, size, reads, say)))
      const command = `npm run bench -- export${objects === 200_000 ? '' : ` --objects ${objects}`}`
      const on = machine(`PostgreSQL ${server.major}, default settings`)
      const spread = ({ median, lowest, highest }: Summary): string => `${rounded(median)} (${rounded(lowest)} to ${rounded(highest)})`
      const peaks = sizes.map(({ peak }) => peak)
      return {
        result: { case: 'export', command, machine: on, loadBefore, objects, rounds, sizes },
        markdown: [
          `All instances of one message as NDJSON over HTTP, from a server of its own for each size; the smaller is read ${times} times as often. Rows a second are medians, lowest and highest. The peer reads the same rows with a cursor, 1,000 at a time, and makes no JSON of them; the two take turns.`,
          '',
          "| rows | Sluice, rows/s | a cursor, rows/s | server's memory before, MiB | at the peak, MiB |",
          '|---:|---:|---:|---:|---:|',
          ...sizes.map(
            ({ objects: rows, rates, peer, start, peak }) =>
              `| ${rows.toLocaleString('en')} | ${spread(rates)} | ${spread(peer)} | ${start.toFixed(0)} | ${peak.toFixed(0)} |`,
          ),
          '',
          `Measured by \`${command}\` with ${on.postgres}, ${on.cores} cores (${on.cpu}), Node ${on.node}; load average before: ${loadBefore.toFixed(1)}.`,
        ].join('\n'),
        goals: [
          { of: 'resident memory of the server at the peak, MiB', figure: Math.max(...peaks), most: 300 },
          { of: `peak with ${times} times the rows, of the peak with the fewer`, figure: (peaks[1] ?? 0) / (peaks[0] ?? 0), most: 1.2 },
        ],
      }
    } finally {
      await server.remove()
    }
  },
}

async function measure(url: string, objects: number, reads: number, say: (line: string) => void): Promise<Size> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(tablesSql)
  const inbox = await startInbox(url)
  try {
    await client.query(fill(objects))
    const { rows } = await client.query<{ id: string }>('SELECT id FROM sluice.message')
    const path = `/api/messages/${rows[0]?.id}/instances`
    // A first one of the same kind, so that the start is of a server that has been working.
    await linesOf(inbox, `${path}?status=-2`, 0)
    const start = residentMiB(inbox.serverPid, 'VmRSS')
    const [rates, peer]: [number[], number[]] = [[], []]
    for (let read = 1; read <= reads; read++) {
      peer.push(objects / (await seconds(() => readByCursor(client, objects))))
      rates.push(objects / (await seconds(() => linesOf(inbox, path, objects))))
      const peak = residentMiB(inbox.serverPid, 'VmHWM')
      say(
        `${objects.toLocaleString('en')} rows, ${read} of ${reads}: ${rates.at(-1)?.toFixed(0)} rows/s (cursor ${peer.at(-1)?.toFixed(0)}), peak ${peak.toFixed(0)} MiB`,
      )
    }
    return { objects, rates: summarize(rates), peer: summarize(peer), start, peak: residentMiB(inbox.serverPid, 'VmHWM') }
  } finally {
    await inbox.stop()
    await client.end()
  }
}

/** Reads an answer to its end and counts its lines; another number than expected is an error. */
function linesOf({ base, headers }: RunningInbox, path: string, expected: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(`${base}${path}`, { headers: { ...headers, accept: 'application/x-ndjson' } }, (response) => {
      let lines = 0
      response.on('data', (bytes: Buffer) => {
        for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++
      })
      response.on('error', reject)
      response.on('end', () =>
        response.statusCode === 200 && lines === expected
          ? resolve()
          : reject(new Error(`the server answered ${response.statusCode} with ${lines} lines, not ${expected}`)),
      )
    })
    sent.on('error', reject)
    sent.end()
  })
}

async function readByCursor(client: pg.Client, expected: number): Promise<void> {
  let read = 0
  await client.query('BEGIN')
  await client.query('DECLARE rows_of_it CURSOR FOR SELECT * FROM sluice.integration_instance ORDER BY message_id, ordinal')
  for (;;) {
    const { rowCount } = await client.query('FETCH 1000 FROM rows_of_it')
    if (rowCount === 0) break
    read += rowCount ?? 0
  }
  await client.query('COMMIT')
  if (read !== expected) throw new Error(`the cursor read ${read} rows, not ${expected}`)
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}
