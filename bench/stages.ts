/**
 * Where the time of a bulk load goes: by stage, by process, and by statement beside what the floor pays for the same. Not a race: the
 * server counts its statements here (pg_stat_statements), which costs a little.
 */
import pg from 'pg'
import { startPostgres } from '../test/support/postgres.ts'
import type { BenchCase, BenchOptions } from './case.ts'
import { parentOf, processorSeconds } from './cpu.ts'
import { inDatabase } from './database.ts'
import { employeesJson, organizationsJson, tablesSql } from './employees.ts'
import { startInbox } from './inbox.ts'
import { type Machine, machine } from './machine.ts'
import { runFloor } from './peers/floor.ts'
import { summarize } from './statistics.ts'

/** What a statement is for, by how it begins, and the floor's own that does the like. */
const kinds: readonly { name: string; ours: RegExp; floors: RegExp | null }[] = [
  { name: 'the body: its parts', ours: /INSERT INTO sluice\.message_body/, floors: null },
  { name: 'instances, from the text of the objects', ours: /INSERT INTO sluice\.instance/, floors: /^COPY/ },
  { name: "the target's rows: insert, else compare and update", ours: /INTO "public"\."employee"/, floors: /INSERT INTO public\.employee/ },
  { name: 'the ledger', ours: /(INSERT INTO|UPDATE) sluice\.object/, floors: null },
  { name: 'results of instances', ours: /UPDATE sluice\.instance/, floors: /UPDATE public\.staging/ },
  { name: 'instances read by a worker', ours: /FROM sluice\.chunk c JOIN sluice\.instance/, floors: null },
]

const others = 'all others'

/** Seconds, all of them. */
interface Round {
  stages: Record<string, number>
  processors: Record<string, number>
  statements: Record<string, number>
  floor: Record<string, number>
}

interface StagesResult {
  case: 'stages'
  command: string
  machine: Machine
  objects: number
  rounds: number
  /** Medians of the rounds. */
  seconds: Round
}

/** `objects`: employees in the message. Default: 100,000. */
export const stages: BenchCase = {
  name: 'stages',
  about: 'where the time of a bulk load goes, by stage, process and statement',
  async run({ objects = 100_000, rounds, say }: BenchOptions) {
    const server = await startPostgres({ major: 18, settings: { shared_preload_libraries: 'pg_stat_statements' } })
    try {
      const measured: Round[] = []
      for (let round = 1; round <= rounds; round++) {
        const floor = await inDatabase(server.url, async (url) => {
          await counting(url, async () => undefined)
          await runFloor(url, objects)
          return byKind(url, ({ floors }) => floors)
        })
        const ours = await inDatabase(server.url, (url) => measure(url, objects))
        measured.push({ ...ours, floor })
        say(
          `round ${round}: ${Object.entries(ours.stages)
            .map(([name, seconds]) => `${name} ${seconds.toFixed(2)} s`)
            .join(', ')}`,
        )
      }
      const result: StagesResult = {
        case: 'stages',
        command: `npm run bench -- stages --objects ${objects}`,
        machine: machine(`PostgreSQL ${server.major}, default settings but for pg_stat_statements`),
        objects,
        rounds,
        seconds: {
          stages: medians(measured.map((each) => each.stages)),
          processors: medians(measured.map((each) => each.processors)),
          statements: medians(measured.map((each) => each.statements)),
          floor: medians(measured.map((each) => each.floor)),
        },
      }
      return { result, markdown: tables(result), goals: [] }
    } finally {
      await server.remove()
    }
  },
}

async function measure(url: string, objects: number): Promise<Omit<Round, 'floor'>> {
  return counting(url, async (client, postmaster) => {
    await client.query(tablesSql)
    const inbox = await startInbox(url)
    try {
      await inbox.load('organization', organizationsJson())
      await inbox.load('employee', employeesJson(objects).replaceAll('"E-', '"W-'))
      const body = employeesJson(objects)
      await client.query('SELECT pg_stat_statements_reset()')
      const spent = (): Record<string, number> => ({
        server: processorSeconds(inbox.serverPid, { family: false }),
        workers: processorSeconds(inbox.workPid, { family: true }),
        PostgreSQL: processorSeconds(postmaster, { family: true }),
      })
      const before = spent()
      const began = Date.now() / 1000
      const { counts } = await inbox.load('employee', body)
      const after = spent()
      if (counts.created !== objects) throw new Error(`expected ${objects} created, got ${JSON.stringify(counts)}`)
      return {
        stages: await stagesOf(client, began),
        processors: Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)])),
        statements: await byKind(url, ({ ours }) => ours),
      }
    } finally {
      await inbox.stop()
    }
  })
}

/** A connection to a database whose statements are counted from here on, and the server's first process. */
async function counting<T>(url: string, work: (client: pg.Client, postmaster: number) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
    await client.query('SELECT pg_stat_statements_reset()')
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    return await work(client, parentOf(rows[0]?.pid ?? 0))
  } finally {
    await client.end()
  }
}

/** Seconds of each stage of the last message, by the timestamps that Sluice keeps anyway. */
async function stagesOf(client: pg.Client, began: number): Promise<Record<string, number>> {
  const { rows } = await client.query<{ received: number; split: number; processed: number; finished: number }>(
    `SELECT extract(epoch FROM m.received_at)::float8 AS received, extract(epoch FROM m.split_at)::float8 AS split,
       extract(epoch FROM (SELECT max(c.finished_at) FROM sluice.chunk c WHERE c.message_id = m.id))::float8 AS processed,
       extract(epoch FROM m.finished_at)::float8 AS finished
     FROM sluice.message m ORDER BY m.id DESC LIMIT 1`,
  )
  const { received = 0, split = 0, processed = 0, finished = 0 } = rows[0] ?? {}
  return {
    receive: received - began,
    'validate and split': split - received,
    process: processed - split,
    'roll up': finished - processed,
  }
}

/** Seconds of a database's statements, by what they are for. */
async function byKind(url: string, patternOf: (kind: (typeof kinds)[number]) => RegExp | null): Promise<Record<string, number>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ query: string; seconds: number }>(
    `SELECT s.query, s.total_exec_time / 1000 AS seconds FROM pg_stat_statements s
     JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database()`,
  )
  await client.end()
  const seconds: Record<string, number> = {}
  for (const row of rows) {
    const text = row.query.replace(/\s+/g, ' ')
    const name = kinds.find((kind) => patternOf(kind)?.test(text))?.name ?? others
    seconds[name] = (seconds[name] ?? 0) + row.seconds
  }
  return seconds
}

function medians(rounds: readonly Record<string, number>[]): Record<string, number> {
  const names = [...new Set(rounds.flatMap((round) => Object.keys(round)))]
  return Object.fromEntries(names.map((name) => [name, summarize(rounds.map((round) => round[name] ?? 0)).median]))
}

function tables({ seconds, machine: on, objects, rounds, command }: StagesResult): string {
  const { stages: byStage, processors, statements, floor } = seconds
  const whole = Object.values(byStage).reduce((sum, each) => sum + each, 0)
  const micros = (figure: number | undefined): string => (figure === undefined ? '' : ((figure / objects) * 1e6).toFixed(1))
  const names = [...kinds.map(({ name }) => name), others].sort((a, b) => (statements[b] ?? 0) - (statements[a] ?? 0))
  return [
    `The first load of ${objects.toLocaleString('en')} employees in one message, after a warm-up of as many others; medians of ${rounds} rounds.`,
    '',
    '| stage | seconds | of all |',
    '|---|---:|---:|',
    ...Object.entries(byStage).map(([name, figure]) => `| ${name} | ${figure.toFixed(2)} | ${((figure / whole) * 100).toFixed(0)} % |`),
    '',
    '| processes | processor time, seconds | µs an object |',
    '|---|---:|---:|',
    ...Object.entries(processors).map(([name, figure]) => `| ${name} | ${figure.toFixed(2)} | ${micros(figure)} |`),
    '',
    'Statements by the time that they ran, waits included, summed over connections; beside it what the floor (COPY, one upsert, one update, on one connection) pays for the like.',
    '',
    '| statements | µs an object | floor: µs an object |',
    '|---|---:|---:|',
    ...names.map((name) => `| ${name} | ${micros(statements[name] ?? 0)} | ${name === others ? '' : micros(floor[name])} |`),
    '',
    `Measured by \`${command}\` with ${on.postgres}, ${on.cores} cores (${on.cpu}), Node ${on.node}.`,
  ].join('\n')
}
