/**
 * The queues that a person would use instead, each with a job per object and with a job per 1,000: the same body comes in, the same rows
 * stand in the target and a status of every object in a table at the end. Every round runs all of them, each in a database of its own.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startPostgres } from '../test/support/postgres.ts'
import { runSluice } from './bulk.ts'
import type { BenchCase, BenchOptions } from './case.ts'
import { inDatabase } from './database.ts'
import { employeesJson, organizationCount, tablesSql } from './employees.ts'
import { type Machine, machine } from './machine.ts'
import { expectCount } from './peers/floor.ts'
import { queues, versionOf } from './queues/all.ts'
import { type JobSize, type Places, type Producer, type Queue, receivedSql } from './queues/jobs.ts'
import { redisVersion, withRedis } from './queues/redis.ts'
import { type Summary, summarize } from './statistics.ts'

interface QueueRow {
  name: string
  version: string
  jobSize: JobSize
  objects: number
  rate: Summary
  /** Sluice's first load in the same round, of this rate. */
  ratio: Summary
}

interface QueuesResult {
  case: 'queues'
  command: string
  machine: Machine
  /** Processes that wanted a core in the minute before: 0 is a quiet machine. */
  loadBefore: number
  redis: string | null
  objects: number
  rounds: number
  sluice: Summary
  rows: QueueRow[]
  /** Peers that aren't installed, and why. */
  skipped: string[]
}

/** A job for every object takes long: a part of the objects says enough about the rate. */
const mostSingly = 10_000

/** Sent before the clock starts, as for Sluice. */
const warmUp: Record<JobSize, number> = { 1: 2000, 1000: 20_000 }

/** Objects that go to the queue in one call. */
const together = 10_000

const workers = 2

/** `objects`: employees in the body. Default: 100,000. */
export const queuesCase: BenchCase = {
  name: 'queues',
  about: 'the same employees through pg-boss, graphile-worker and BullMQ, a job per object and a job per 1,000',
  async run(options) {
    const result = await measure(options)
    return { result, markdown: table(result), goals: [] }
  },
}

async function measure({ objects = 100_000, rounds, say }: BenchOptions): Promise<QueuesResult> {
  const redis = redisVersion()
  const skipped: string[] = []
  const peers: { queue: Queue; version: string; jobSize: JobSize; rates: number[] }[] = []
  for (const queue of queues) {
    const version = versionOf(queue)
    const missing =
      version === null
        ? 'not installed: run `npm ci` in bench/queues'
        : queue.name === 'BullMQ' && redis === null
          ? 'there is no redis-server'
          : null
    if (missing !== null) {
      skipped.push(`${queue.name} (${missing})`)
      say(`${queue.name}: SKIPPED, ${missing}`)
    } else for (const jobSize of [1, 1000] as const) peers.push({ queue, version: version ?? '?', jobSize, rates: [] })
  }
  const loadBefore = loadavg()[0] ?? 0
  const server = await startPostgres({ major: 18 })
  try {
    const sluice: number[] = []
    for (let round = 1; round <= rounds; round++) {
      sluice.push((await inDatabase(server.url, (url) => runSluice(url, objects))).firstLoad)
      say(`round ${round}: Sluice ${whole(sluice.at(-1) ?? 0)} objects/s`)
      for (const { queue, jobSize, rates } of peers) {
        const count = countFor(jobSize, objects)
        rates.push(
          await inDatabase(server.url, (databaseUrl) =>
            queue.name === 'BullMQ'
              ? withRedis((redisPort) => runQueue(queue, { databaseUrl, redisPort }, jobSize, count))
              : runQueue(queue, { databaseUrl, redisPort: 0 }, jobSize, count),
          ),
        )
        say(`round ${round}: ${queue.name}, ${jobSize} a job: ${whole(rates.at(-1) ?? 0)} objects/s`)
      }
    }
    return {
      case: 'queues',
      command: `npm run bench -- queues --objects ${objects}`,
      machine: machine(`PostgreSQL ${server.major}, default settings`),
      loadBefore,
      redis,
      objects,
      rounds,
      sluice: summarize(sluice),
      rows: peers.map(({ queue, version, jobSize, rates }) => ({
        name: queue.name,
        version,
        jobSize,
        objects: countFor(jobSize, objects),
        rate: summarize(rates),
        ratio: summarize(sluice.map((rate, index) => rate / (rates[index] ?? Number.NaN))),
      })),
      skipped,
    }
  } finally {
    await server.remove()
  }
}

function countFor(jobSize: JobSize, objects: number): number {
  return jobSize === 1 ? Math.min(objects, mostSingly) : objects
}

/** Objects a second, from the body's text to the last job that is done. */
async function runQueue(queue: Queue, places: Places, jobSize: JobSize, objects: number): Promise<number> {
  const client = new pg.Client({ connectionString: places.databaseUrl })
  await client.connect()
  await client.query(tablesSql + receivedSql)
  await client.query(
    `INSERT INTO public.organization (ms_id, title) SELECT 'O-' || i, 'Organisation ' || i FROM generate_series(0, $1::integer - 1) AS i`,
    [organizationCount],
  )
  const producer = await queue.open(places)
  const children = Array.from({ length: workers }, () => startWorker(queue, places, jobSize))
  try {
    // A worker that ends would leave its jobs undone, and this waiting for them.
    const ended = Promise.race(children.map((child) => once(child, 'exit'))).then(() => {
      throw new Error(`${queue.name}: a worker has ended`)
    })
    ended.catch(() => {})
    const before = warmUp[jobSize]
    const body = employeesJson(objects)
    let seconds = 0
    const worked = async (): Promise<void> => {
      await Promise.all(children.map((child) => once(child, 'message')))
      await send(producer, employeesJson(before).replaceAll('"E-', '"W-'), jobSize, objects)
      const started = performance.now()
      await send(producer, body, jobSize, 0)
      seconds = (performance.now() - started) / 1000
    }
    await Promise.race([worked(), ended])
    await expectCount(client, before + objects)
    const { rows } = await client.query<{ done: number }>('SELECT count(*)::integer AS done FROM public.received WHERE status = 2')
    if (rows[0]?.done !== before + objects) throw new Error(`${queue.name}: expected ${before + objects} statuses, got ${rows[0]?.done}`)
    return objects / seconds
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await producer.close()
    await client.end()
  }
}

/** Splits a body into jobs, and waits until the last one is done. */
async function send(producer: Producer, body: string, jobSize: JobSize, first: number): Promise<void> {
  const objects = JSON.parse(body) as Record<string, unknown>[]
  const payloads = Array.from({ length: Math.ceil(objects.length / jobSize) }, (_, index) => ({
    first: first + index * jobSize,
    objects: objects.slice(index * jobSize, (index + 1) * jobSize),
  }))
  for (let start = 0; start < payloads.length; start += together / jobSize)
    await producer.enqueue(payloads.slice(start, start + together / jobSize))
  while ((await producer.left()) > 0) await sleep(50)
}

function startWorker({ name }: Queue, places: Places, jobSize: JobSize): ChildProcess {
  return fork(fileURLToPath(new URL('queues/worker.ts', import.meta.url)), [name, String(jobSize), JSON.stringify(places)])
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en')
}

function table(result: QueuesResult): string {
  const { machine: on, sluice, rows } = result
  return [
    `The same employees as above, first load: Sluice over HTTP with ${whole(result.objects)} in one message, the queues with their jobs made in the process that has the body, without HTTP, schema, history or a copy of the body; two worker processes each. With a job per object ${whole(Math.min(result.objects, mostSingly))} are sent. A worker upserts the row and records the object's status in one statement. Median of ${result.rounds} interleaved rounds, after a warm-up.`,
    '',
    '| | objects a job | objects/s | lowest to highest | Sluice: times its rate |',
    '|---|---:|---:|---:|---:|',
    `| Sluice, first load | | ${whole(sluice.median)} | ${whole(sluice.lowest)} to ${whole(sluice.highest)} | |`,
    ...rows.map(
      ({ name, version, jobSize, rate, ratio }) =>
        `| ${name} ${version} | ${whole(jobSize)} | ${whole(rate.median)} | ${whole(rate.lowest)} to ${whole(rate.highest)} | ${ratio.median.toFixed(2)} |`,
    ),
    '',
    ...queues.filter(({ name }) => rows.some((row) => row.name === name)).map(({ name, about }) => `- ${name}: ${about}`),
    ...result.skipped.map((each) => `- skipped: ${each}`),
    '',
    `Measured by \`${result.command}\` with ${on.postgres}${result.redis === null ? '' : `, Redis ${result.redis}`}, ${on.cores} cores (${on.cpu}), Node ${on.node}; load average before: ${result.loadBefore.toFixed(1)}.`,
  ].join('\n')
}
