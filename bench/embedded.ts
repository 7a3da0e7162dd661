/**
 * The embedded database beside a native one: server and one worker in one process, the same bulk load, and what a caller of
 * that process waits for meanwhile.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '../test/support/postgres.ts'
import type { BenchCase, BenchOptions } from './case.ts'
import { inDatabase } from './database.ts'
import { employeesJson, organizationsJson } from './employees.ts'
import { load } from './inbox.ts'
import { type Machine, machine } from './machine.ts'
import { percentile, type Summary, summarize } from './statistics.ts'

/** Waits are in milliseconds. */
interface Side {
  rate: Summary
  ready: { median: Summary; p99: Summary; longest: Summary }
  read: { median: Summary; p99: Summary; longest: Summary }
}

interface EmbeddedResult {
  case: 'embedded'
  command: string
  machine: Machine
  /** Processes that wanted a core in the minute before: 0 is a quiet machine. */
  loadBefore: number
  objects: number
  rounds: number
  embedded: Side
  native: Side
  ratio: Summary
}

interface Run {
  rate: number
  ready: number[]
  read: number[]
}

const token = 'a-token-of-the-benchmarks-of-32-characters'
const headers = { authorization: `Bearer ${token}` }
const warmUpObjects = 20_000

/** `objects`: employees in the message. Default: 50,000. */
export const embedded: BenchCase = {
  name: 'embedded',
  about: 'the embedded database beside a native one, and how long a caller waits meanwhile',
  async run(options) {
    const result = await measure(options)
    return {
      result,
      markdown: table(result),
      goals: [
        { of: "embedded, of native's rate", figure: result.ratio.median, least: 0.5 },
        { of: 'embedded, `GET /readyz`, 99th percentile, ms', figure: result.embedded.ready.p99.median, most: 500 },
      ],
    }
  },
}

async function measure({ objects = 50_000, rounds, say }: BenchOptions): Promise<EmbeddedResult> {
  const loadBefore = loadavg()[0] ?? 0
  const server = await startPostgres({ major: 18 })
  try {
    const runs = { embedded: [] as Run[], native: [] as Run[] }
    for (let round = 1; round <= rounds; round++) {
      const native = await inDatabase(server.url, (url) => runOne(url, objects))
      const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
      const lite = await runOne(join(folder, 'data'), objects)
      await rm(folder, { recursive: true, force: true })
      runs.native.push(native)
      runs.embedded.push(lite)
      for (const [name, { rate, ready, read }] of Object.entries({ native, embedded: lite }))
        say(
          `round ${round}: ${name} ${whole(rate)} objects/s; /readyz p99 ${percentile(ready, 0.99).toFixed(0)} ms, a list ${percentile(read, 0.99).toFixed(0)} ms`,
        )
    }
    const waits = (of: readonly number[][]): Side['ready'] => ({
      median: summarize(of.map((figures) => percentile(figures, 0.5))),
      p99: summarize(of.map((figures) => percentile(figures, 0.99))),
      longest: summarize(of.map((figures) => Math.max(...figures))),
    })
    const side = (of: readonly Run[]): Side => ({
      rate: summarize(of.map(({ rate }) => rate)),
      ready: waits(of.map(({ ready }) => ready)),
      read: waits(of.map(({ read }) => read)),
    })
    return {
      case: 'embedded',
      command: `npm run bench -- embedded --objects ${objects}`,
      machine: machine(`PostgreSQL ${server.major}, default settings`),
      loadBefore,
      objects,
      rounds,
      embedded: side(runs.embedded),
      native: side(runs.native),
      ratio: summarize(runs.embedded.map(({ rate }, index) => rate / (runs.native[index]?.rate ?? Number.NaN))),
    }
  } finally {
    await server.remove()
  }
}

async function runOne(place: string, objects: number): Promise<Run> {
  const child = fork(fileURLToPath(new URL('embedded-server.ts', import.meta.url)), [place, token])
  const gone = once(child, 'exit')
  try {
    const said = await Promise.race([once(child, 'message'), gone.then(() => null)])
    if (said === null) throw new Error('the server ended before it was ready')
    const [{ url }] = said as [{ url: string }]
    const base = url.replace(/\/$/, '')
    await load(base, headers, 'organization', organizationsJson())
    await load(base, headers, 'employee', employeesJson(warmUpObjects).replaceAll('"E-', '"W-'))
    const running = new AbortController()
    const asked = [ask(`${base}/readyz`, running.signal), ask(`${base}/api/messages?limit=20`, running.signal)]
    const { seconds, counts } = await load(base, headers, 'employee', employeesJson(objects))
    running.abort()
    if (counts.created !== objects) throw new Error(`expected ${objects} created, got ${JSON.stringify(counts)}`)
    const [ready = [], read = []] = await Promise.all(asked)
    return { rate: objects / seconds, ready, read }
  } finally {
    child.kill('SIGKILL')
    await gone
  }
}

/** Asks again and again, with a pause of 20 ms. Gives the milliseconds of each answer. */
async function ask(url: string, signal: AbortSignal): Promise<number[]> {
  const waited: number[] = []
  while (!signal.aborted) {
    const started = performance.now()
    const response = await fetch(url, { headers })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`${url} answered ${response.status}`)
    waited.push(performance.now() - started)
    await sleep(20)
  }
  return waited
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en')
}

function table({ loadBefore, embedded: lite, native, ratio, objects, rounds, command, machine: on }: EmbeddedResult): string {
  const row = (name: string, a: Summary, b: Summary): string =>
    `| ${name} | ${whole(a.median)} (${whole(a.lowest)} to ${whole(a.highest)}) | ${whole(b.median)} (${whole(b.lowest)} to ${whole(b.highest)}) |`
  return [
    `${whole(objects)} employees in one message, first load. One process serves and works, with one worker; two callers ask it for \`/readyz\` and for a page of messages all the while. Median of ${rounds} interleaved rounds, lowest and highest.`,
    '',
    '| | embedded (PGlite, files on disk) | native PostgreSQL |',
    '|---|---:|---:|',
    row('objects/s', lite.rate, native.rate),
    row('`GET /readyz`, median, ms', lite.ready.median, native.ready.median),
    row('`GET /readyz`, 99th percentile, ms', lite.ready.p99, native.ready.p99),
    row('`GET /readyz`, longest, ms', lite.ready.longest, native.ready.longest),
    row('a page of messages, median, ms', lite.read.median, native.read.median),
    row('a page of messages, 99th percentile, ms', lite.read.p99, native.read.p99),
    row('a page of messages, longest, ms', lite.read.longest, native.read.longest),
    '',
    `Embedded: ${ratio.median.toFixed(2)} of native's rate (median of the rounds' ratios).`,
    '',
    `Measured by \`${command}\` with ${on.postgres}, ${on.cores} cores (${on.cpu}), Node ${on.node}; load average before: ${loadBefore.toFixed(1)}.`,
  ].join('\n')
}
