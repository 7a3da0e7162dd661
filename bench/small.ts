/**
 * Small: messages of one object each. First 64 senders at once for some seconds: how many are durably taken in, and how far the
 * workers fall behind. Then twenty a second: how long one takes from its POST until it is processed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startPostgres } from '../test/support/postgres.ts'
import type { BenchCase, BenchOptions } from './case.ts'
import { inDatabase } from './database.ts'
import { employee, organizationsJson, tablesSql } from './employees.ts'
import { type RunningInbox, startInbox } from './inbox.ts'
import { many, postTo } from './load.ts'
import { machine } from './machine.ts'
import { runPerRequest } from './peers/per-request.ts'
import { percentile, type Summary, summarize } from './statistics.ts'

const senders = 64
/** Seconds of each of the two parts. */
const busySeconds = 10
const quietSeconds = 20
const quietRate = 20

/** Milliseconds. */
interface Times {
  median: number
  p99: number
}

interface Round {
  /** Messages a second, from the first POST to the last answer. */
  taken: number
  /** The longest that a message waited from its receipt to its end, in milliseconds. */
  behind: Times & { longest: number }
  /** From the POST to the end of the instance. */
  quiet: Times
}

/** `objects` has no meaning here: the time is what is given. */
export const small: BenchCase = {
  name: 'small',
  about: 'messages of one object each, from 64 senders at once and at a quiet 20 a second',
  async run({ rounds, say }: BenchOptions) {
    const server = await startPostgres({ major: 18 })
    try {
      const sluice: Round[] = []
      const peer: number[] = []
      for (let round = 1; round <= rounds; round++) {
        peer.push(await inDatabase(server.url, (url) => runPerRequest(url, { senders, seconds: busySeconds })))
        const one = await inDatabase(server.url, runSluice)
        sluice.push(one)
        say(
          `round ${round}: ${one.taken.toFixed(0)} messages/s (peer ${peer.at(-1)?.toFixed(0)}), behind ${one.behind.longest.toFixed(0)} ms at most, quiet ${one.quiet.median.toFixed(1)} ms, p99 ${one.quiet.p99.toFixed(1)} ms`,
        )
      }
      const of = (figure: (round: Round) => number): Summary => summarize(sluice.map(figure))
      const figures = {
        taken: of((round) => round.taken),
        behindLongest: of((round) => round.behind.longest),
        behindMedian: of((round) => round.behind.median),
        quietMedian: of((round) => round.quiet.median),
        quietP99: of((round) => round.quiet.p99),
      }
      const perRequest = summarize(peer)
      const ratioToPerRequest = summarize(sluice.map(({ taken }, index) => taken / (peer[index] ?? Number.NaN))).median
      const command = 'npm run bench -- small'
      const on = machine(`PostgreSQL ${server.major}, default settings`)
      const row = (name: string, { median, lowest, highest }: Summary, digits: number): string =>
        `| ${name} | ${median.toFixed(digits)} | ${lowest.toFixed(digits)} to ${highest.toFixed(digits)} |`
      return {
        result: { case: 'small', command, machine: on, rounds, figures, perRequest, ratioToPerRequest },
        markdown: [
          `Messages of one employee each. ${senders} senders at once for ${busySeconds} s, then ${quietRate} a second for ${quietSeconds} s; median of ${rounds} interleaved rounds. The peer is an HTTP server that upserts the row and its receipt in one transaction before it answers: what a receiving side without an inbox does. The load comes from the same two cores.`,
          '',
          '| | median | lowest to highest |',
          '|---|---:|---:|',
          row('taken in, messages/s', figures.taken, 0),
          row('peer: upsert before the answer, messages/s', perRequest, 0),
          row('from receipt to end under that load, median, ms', figures.behindMedian, 0),
          row('the longest, ms', figures.behindLongest, 0),
          row('quiet: from POST to processed, median, ms', figures.quietMedian, 1),
          row('quiet: 99th percentile, ms', figures.quietP99, 1),
          '',
          `Measured by \`${command}\` with ${on.postgres}, ${on.cores} cores (${on.cpu}), Node ${on.node}.`,
        ].join('\n'),
        goals: [
          { of: 'durable messages a second', figure: figures.taken.median, least: 1500 },
          { of: 'behind at most, ms', figure: figures.behindLongest.median, most: 1000 },
          { of: 'quiet, from POST to processed, median, ms', figure: figures.quietMedian.median, most: 15 },
          { of: 'quiet, 99th percentile, ms', figure: figures.quietP99.median, most: 50 },
        ],
      }
    } finally {
      await server.remove()
    }
  },
}

async function runSluice(url: string): Promise<Round> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(tablesSql)
  const inbox = await startInbox(url)
  try {
    await inbox.load('organization', organizationsJson())
    const post = poster(inbox)
    let next = 0
    const send = (): Promise<void> => post(JSON.stringify(employee(next++)))
    await many(senders, send, 2)
    await settled(client)
    const first = await lastMessage(client)
    const started = performance.now()
    await many(senders, send, busySeconds)
    const seconds = (performance.now() - started) / 1000
    await settled(client)
    const busy = await waits(client, first)
    const begun = await lastMessage(client)
    const sentAt = new Map<number, number>()
    const from = Date.now()
    const sent: Promise<void>[] = []
    for (let index = 0; index < quietSeconds * quietRate; index++) {
      await sleep(Math.max(0, from + (index * 1000) / quietRate - Date.now()))
      sentAt.set(next, performance.timeOrigin + performance.now())
      sent.push(send())
    }
    await Promise.all(sent)
    await settled(client)
    const { rows } = await client.query<{ external_id: string; at: number }>(
      `SELECT i.external_id, extract(epoch FROM i.finished_at)::float8 * 1000 AS at FROM sluice.instance i WHERE i.message_id > $1`,
      [begun],
    )
    const quiet = rows.map(({ external_id, at }) => at - (sentAt.get(Number(external_id.slice(2))) ?? Number.NaN))
    if (busy.length < 100 || quiet.length !== quietSeconds * quietRate) throw new Error('messages are missing')
    return {
      taken: busy.length / seconds,
      behind: { ...times(busy), longest: Math.max(...busy) },
      quiet: times(quiet),
    }
  } finally {
    await inbox.stop()
    await client.end()
  }
}

function poster({ base, headers }: RunningInbox): (body: string) => Promise<void> {
  return postTo(`${base}/api/integrations/employee/messages`, headers)
}

/** Waits until every message is at its end. */
async function settled(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query('SELECT FROM sluice.message WHERE status NOT IN (3, -3, -1) LIMIT 1')
    if (rows.length === 0) return
    await sleep(200)
  }
}

async function lastMessage(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM sluice.message')
  return rows[0]?.id ?? '0'
}

/** Milliseconds from the receipt of each later message to its end. */
async function waits(client: pg.Client, after: string): Promise<number[]> {
  const { rows } = await client.query<{ ms: number }>(
    'SELECT extract(epoch FROM finished_at - received_at)::float8 * 1000 AS ms FROM sluice.message WHERE id > $1',
    [after],
  )
  return rows.map(({ ms }) => ms)
}

function times(figures: readonly number[]): Times {
  return { median: percentile(figures, 0.5), p99: percentile(figures, 0.99) }
}
