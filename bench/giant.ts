/**
 * Giant: very many objects in one message, and very many bytes, in each shape that a body may have; sent as a stream by a process of its
 * own. What is asked is that no process's memory grows with the message, and that other senders hardly notice. The peer reads the
 * whole body and inserts in one transaction.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startPostgres } from '../test/support/postgres.ts'
import { type BenchCase, type BenchOptions, rounded } from './case.ts'
import { inDatabase } from './database.ts'
import { organizationsJson, tablesSql } from './employees.ts'
import { type GiantFile, type Shape, type Size, shapes, writeGiant } from './giant-files.ts'
import type { Sent } from './giant-sender.ts'
import { type SmallSent, sendSmall } from './giant-small.ts'
import { type RunningInbox, startInbox } from './inbox.ts'
import { machine } from './machine.ts'
import { childrenOf, residentMiB } from './memory.ts'
import { startWholeBody } from './peers/whole-body.ts'
import { percentile, type Summary, summarize } from './statistics.ts'

const sizes: readonly Size[] = [
  { name: 'about 200 bytes', padding: 0 },
  { name: 'about 1,000 bytes', padding: 800 },
]

/** Seconds of small messages before the giant, after those of a warm-up. */
const aloneSeconds = 10
const warmUpSeconds = 3

/** Milliseconds that small messages took. */
interface Waits {
  answered: number[]
  processed: number[]
}

interface Run {
  /** Seconds from the beginning of the POST; null where the receiving side gave up. */
  answered: number | null
  done: number | null
  /** Why it gave up. */
  failure: string | null
  /** Peak resident memory in MiB: of the server, and of the worker that took most. */
  server: number
  worker: number
  alone: Waits
  meanwhile: Waits
}

/** The runs of one size and shape, round by round. */
interface Pair {
  size: Size
  shape: Shape
  bytes: number
  sluice: Run[]
  peer: Run[]
}

/** `objects`: in each message. Default: 200,000. */
export const giant: BenchCase = {
  name: 'giant',
  about: 'one message of very many objects in each shape: memory of every process, and what other senders wait meanwhile',
  async run(options) {
    const { pairs, ...about } = await measure(options)
    const all = pairs.flatMap(({ sluice }) => sluice)
    const worst = (of: (run: Run) => number): number => Math.max(...all.map(of))
    return {
      result: { case: 'giant', ...about, pairs: pairs.map(toFigures) },
      markdown: [...sizes.flatMap((size) => tableOf(size, pairs, about.objects)), closing(about)].join('\n'),
      goals: [
        { of: 'resident memory of any server at its peak, MiB', figure: worst(({ server }) => server), most: 300 },
        { of: 'resident memory of any worker at its peak, MiB', figure: worst(({ worker }) => worker), most: 300 },
        {
          of: "small messages beside a giant, from POST to answer, 99th percentile of any run's, ms",
          figure: worst(({ meanwhile }) => percentile(meanwhile.answered, 0.99)),
          most: 250,
        },
        {
          of: "small messages beside a giant, from POST to processed, 99th percentile of any run's, ms",
          figure: worst(({ meanwhile }) => percentile(meanwhile.processed, 0.99)),
          most: 1000,
        },
      ],
    }
  },
}

interface About {
  command: string
  machine: ReturnType<typeof machine>
  loadBefore: number
  objects: number
  rounds: number
}

async function measure({ objects = 200_000, rounds, say }: BenchOptions): Promise<About & { pairs: Pair[] }> {
  const loadBefore = loadavg()[0] ?? 0
  const server = await startPostgres({ major: 18 })
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
  try {
    const pairs: Pair[] = []
    for (const size of sizes) {
      for (const shape of shapes) {
        const file = await writeGiant(folder, objects, size, shape)
        const pair: Pair = { size, shape, bytes: file.bytes, sluice: [], peer: [] }
        for (let round = 1; round <= rounds; round++) {
          for (const [name, run] of [['sluice', runSluice] as const, ['peer', runPeer] as const]) {
            const one = await inDatabase(server.url, (url) => run(url, file, shape, objects))
            pair[name].push(one)
            say(`round ${round}: ${name}, ${shape.name} of ${size.name} an object: ${describe(one, objects)}`)
          }
        }
        pairs.push(pair)
        await rm(file.path)
      }
    }
    const command = `npm run bench -- giant --objects ${objects}${rounds === 3 ? '' : ` --rounds ${rounds}`}`
    return { command, machine: machine(`PostgreSQL ${server.major}, default settings`), loadBefore, objects, rounds, pairs }
  } finally {
    await rm(folder, { recursive: true, force: true })
    await server.remove()
  }
}

/** What is sent to, and how it is known what became of what was sent. */
interface Side {
  url: string
  headers: Record<string, string>
  /** Waits until the giant is done. Gives milliseconds since 1970. */
  done(giant: Sent): Promise<number>
  /** When each small message had been processed, in milliseconds since 1970. */
  processed(small: readonly SmallSent[]): Promise<number[]>
  peaks(): { server: number; worker: number }
}

/** One run of Sluice in an empty database. */
export async function runSluice(databaseUrl: string, file: GiantFile, shape: Shape, objects: number): Promise<Run> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(tablesSql)
  const inbox = await startInbox(databaseUrl, { config: 'giant.config.ts' })
  try {
    await inbox.load('organization', organizationsJson())
    const workers = childrenOf(inbox.workPid)
    return await runSide(
      {
        url: `${inbox.base}/api/integrations/employee/messages`,
        headers: inbox.headers,
        done: (sent) => finished(inbox, sent, objects),
        processed: (small) => processedAt(client, small),
        peaks() {
          const now = childrenOf(inbox.workPid)
          if (now.some((pid) => !workers.includes(pid))) throw new Error('a worker was started again, so that its memory is not known')
          return { server: residentMiB(inbox.serverPid, 'VmHWM'), worker: Math.max(...workers.map((pid) => residentMiB(pid, 'VmHWM'))) }
        },
      },
      file,
      shape,
    )
  } finally {
    await inbox.stop()
    await client.end()
  }
}

async function finished({ base, headers }: RunningInbox, { body }: Sent, objects: number): Promise<number> {
  const { id } = JSON.parse(body) as { id: string }
  for (;;) {
    const message = (await (await fetch(`${base}/api/messages/${id}`, { headers })).json()) as {
      status: number
      finishedAt: string
      counts: Record<string, number>
    }
    if (message.status === 3) {
      if (message.counts.created === objects) return Date.parse(message.finishedAt)
      throw new Error(`expected ${objects} created, got ${JSON.stringify(message.counts)}`)
    }
    if (message.status < 0) throw new Error(`the message ended at ${message.status}`)
    await sleep(500)
  }
}

async function processedAt(client: pg.Client, small: readonly SmallSent[]): Promise<number[]> {
  const ids = small.map(({ body }) => (JSON.parse(body) as { id: string }).id)
  for (;;) {
    const { rows } = await client.query<{ id: string; at: number }>(
      `SELECT i.message_id AS id, extract(epoch FROM i.finished_at)::float8 * 1000 AS at FROM sluice.instance i
       WHERE i.message_id = ANY($1::bigint[]) AND i.status = 2`,
      [ids],
    )
    const at = new Map(rows.map((row) => [row.id, row.at]))
    if (at.size === ids.length) return ids.map((id) => at.get(id) ?? Number.NaN)
    await sleep(200)
  }
}

async function runPeer(databaseUrl: string, file: GiantFile, shape: Shape, objects: number): Promise<Run> {
  const peer = await startWholeBody(databaseUrl)
  try {
    return await runSide(
      {
        url: peer.url,
        headers: {},
        async done({ answered }) {
          const count = await peer.count()
          if (count < objects) throw new Error(`expected ${objects} rows, got ${count}`)
          return answered
        },
        processed: async (small) => small.map(({ answered }) => answered),
        peaks: () => ({ server: residentMiB(peer.pid, 'VmHWM'), worker: 0 }),
      },
      file,
      shape,
    )
  } finally {
    await peer.stop()
  }
}

async function runSide(side: Side, file: GiantFile, shape: Shape): Promise<Run> {
  let objects = 0
  const next = (): number => objects++
  await sendSmall(side.url, side.headers, next, AbortSignal.timeout(warmUpSeconds * 1000))
  const alone = await sendSmall(side.url, side.headers, next, AbortSignal.timeout(aloneSeconds * 1000))
  const through = new AbortController()
  const sending = sendSmall(side.url, side.headers, next, through.signal)
  // It fails with what made it fail, where it is awaited.
  sending.catch(() => undefined)
  const sent = await sendGiant(side, file, shape)
  const isTaken = sent.status === 202
  const done = isTaken ? await side.done(sent) : null
  through.abort()
  const meanwhile = await sending
  return {
    answered: isTaken ? (sent.answered - sent.began) / 1000 : null,
    done: done === null ? null : (done - sent.began) / 1000,
    failure: isTaken ? null : sent.body,
    ...side.peaks(),
    alone: await waitsOf(side, alone),
    meanwhile: await waitsOf(side, meanwhile),
  }
}

async function waitsOf(side: Side, small: readonly SmallSent[]): Promise<Waits> {
  const processed = await side.processed(small)
  return {
    answered: small.map(({ began, answered }) => answered - began),
    processed: small.map(({ began }, index) => (processed[index] ?? Number.NaN) - began),
  }
}

async function sendGiant({ url, headers }: Side, { path }: GiantFile, { isLines, isGzip }: Shape): Promise<Sent> {
  const all = {
    ...headers,
    'content-type': isLines ? 'application/x-ndjson' : 'application/json',
    ...(isGzip ? { 'content-encoding': 'gzip' } : {}),
  }
  const sender = fork(fileURLToPath(new URL('giant-sender.ts', import.meta.url)), [url, JSON.stringify(all), path])
  const gone = once(sender, 'exit')
  const said = await Promise.race([once(sender, 'message'), gone.then(() => null)])
  if (said === null) throw new Error('the sender ended before it had its answer')
  await gone
  return said[0] as Sent
}

interface Figures {
  answered: Summary | null
  done: Summary | null
  failures: string[]
  server: number
  worker: number
  alone: { answered: Times; processed: Times }
  meanwhile: { answered: Times; processed: Times }
}

/** Milliseconds, of all rounds together. */
interface Times {
  median: number
  p99: number
  longest: number
}

function figuresOf(runs: readonly Run[]): Figures {
  const seconds = (of: (run: Run) => number | null): Summary | null => {
    const known = runs.map(of).filter((figure) => figure !== null)
    return known.length === 0 ? null : summarize(known)
  }
  const times = (figures: readonly number[]): Times => ({
    median: percentile(figures, 0.5),
    p99: percentile(figures, 0.99),
    longest: percentile(figures, 1),
  })
  const waits = (of: (run: Run) => Waits): Figures['alone'] => ({
    answered: times(runs.flatMap((run) => of(run).answered)),
    processed: times(runs.flatMap((run) => of(run).processed)),
  })
  return {
    answered: seconds(({ answered }) => answered),
    done: seconds(({ done }) => done),
    failures: runs.flatMap(({ failure }) => failure ?? []),
    server: Math.max(...runs.map(({ server }) => server)),
    worker: Math.max(...runs.map(({ worker }) => worker)),
    alone: waits(({ alone }) => alone),
    meanwhile: waits(({ meanwhile }) => meanwhile),
  }
}

function toFigures({ size, shape, bytes, sluice, peer }: Pair): object {
  return { size: size.name, shape: shape.name, bytes, sluice: figuresOf(sluice), peer: figuresOf(peer) }
}

/** One run, for whoever watches. */
function describe(run: Run, objects: number): string {
  const { alone, meanwhile, server, worker } = figuresOf([run])
  const times = (name: 'answered' | 'processed'): string =>
    `${name} p99 ${rounded(alone[name].p99)} ms alone, ${rounded(meanwhile[name].p99)} beside it (longest ${rounded(meanwhile[name].longest)})`
  const { answered, done, failure } = run
  const what =
    answered === null || done === null
      ? `gave up: ${failure}`
      : `answered ${rounded(answered)} s, done ${rounded(done)} s, ${rounded(objects / done)} objects/s`
  return `${what}; server ${rounded(server)} MiB, worker ${rounded(worker)} MiB; small ${times('answered')}, ${times('processed')}`
}

function tableOf(size: Size, pairs: readonly Pair[], objects: number): string[] {
  const ofSize = pairs.filter((pair) => pair.size === size)
  const cells = (figures: Figures): string => {
    const { answered, done, server, worker, alone, meanwhile } = figures
    const time = (of: Summary | null): string => (of === null ? 'gave up' : rounded(of.median))
    const rate = done === null ? '' : rounded(objects / done.median)
    const both = (name: 'answered' | 'processed'): string =>
      `${rounded(alone[name].median)} / ${rounded(alone[name].p99)} | ${rounded(meanwhile[name].median)} / ${rounded(meanwhile[name].p99)}`
    const memory = `${rounded(server)} | ${worker === 0 ? '' : rounded(worker)}`
    return `${time(answered)} | ${time(done)} | ${rate} | ${memory} | ${both('answered')} | ${both('processed')} |`
  }
  const rows = ofSize.flatMap(({ shape, bytes, sluice, peer }) => [
    `| ${shape.name}, ${rounded(bytes / 1e6)} MB | ${cells(figuresOf(sluice))}`,
    `| the same, peer | ${cells(figuresOf(peer))}`,
  ])
  const failures = [...new Set(ofSize.flatMap(({ peer }) => peer.flatMap(({ failure }) => failure ?? [])))]
  return [
    `${objects.toLocaleString('en')} employees of ${size.name} in one message. Times in seconds from the POST, memory in MiB at its peak, other senders' times in milliseconds (median / 99th percentile).`,
    '',
    '| body | answered | done | objects/s | server | worker | small answered: alone | beside it | small processed: alone | beside it |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...rows,
    '',
    ...(failures.length === 0 ? [] : [`Where the peer gave up, it said: ${failures.map((text) => `\`${text}\``).join('; ')}.`, '']),
  ]
}

function closing({ command, machine: on, loadBefore, rounds }: About): string {
  const how =
    rounds === 1 ? 'One round' : `Medians of ${rounds} interleaved rounds, the largest memory of all, other senders' times of all together`
  return [
    `${how}. The giant is streamed from a file by a process of its own, and other senders send 20 messages of one employee a second to the same integration: ${aloneSeconds} s of them before it, the others while it goes through. "Done" is rolled up. The peer reads the whole body, parses it and upserts it in one transaction before it answers; it keeps no copy, no history and no status.`,
    '',
    `Measured by \`${command}\` with ${on.postgres}, server and two workers on the same ${on.cores} cores (${on.cpu}), Node ${on.node}; load average before: ${loadBefore.toFixed(1)}.`,
  ].join('\n')
}
