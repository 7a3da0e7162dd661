/** Handlers in TypeScript, with one query a batch and one an object, beside the same queries in a loop written by hand. */
import { loadavg } from 'node:os'
import pg from 'pg'
import { startPostgres } from '../test/support/postgres.ts'
import type { BenchCase, BenchOptions } from './case.ts'
import { inDatabase } from './database.ts'
import { employeesJson, organizationCount, tablesSql } from './employees.ts'
import { startInbox } from './inbox.ts'
import { type Machine, machine } from './machine.ts'
import { runPerBatch } from './peers/per-batch.ts'
import { type Summary, summarize } from './statistics.ts'

type How = 'applyMany' | 'apply'

interface HandlersResult {
  case: 'handlers'
  command: string
  machine: Machine
  /** Processes that wanted a core in the minute before: 0 is a quiet machine. */
  loadBefore: number
  objects: number
  rounds: number
  rates: Record<How, { sluice: Summary; byHand: Summary /** Sluice's time to that of the loop, in the same round. */; times: Summary }>
}

const warmUpObjects = 20_000

/** `objects`: employees in the message. Default: 50,000. */
export const handlers: BenchCase = {
  name: 'handlers',
  about: 'handlers in TypeScript, beside the same queries in a loop written by hand',
  async run(options) {
    const result = await measure(options)
    return {
      result,
      markdown: table(result),
      goals: [
        { of: '`applyMany` with one query a batch, objects a second', figure: result.rates.applyMany.sluice.median, least: 8000 },
        { of: "`apply` with one query an object, of the loop's time", figure: result.rates.apply.times.median, most: 1.3 },
      ],
    }
  },
}

async function measure({ objects = 50_000, rounds, say }: BenchOptions): Promise<HandlersResult> {
  const loadBefore = loadavg()[0] ?? 0
  const server = await startPostgres({ major: 18 })
  try {
    const body = employeesJson(objects)
    const figures = {
      applyMany: { sluice: [] as number[], byHand: [] as number[] },
      apply: { sluice: [] as number[], byHand: [] as number[] },
    }
    for (let round = 1; round <= rounds; round++)
      for (const how of ['applyMany', 'apply'] as const) {
        const byHand = objects / (await inDatabase(server.url, (url) => runPerBatch(url, how, body, objects)))
        const sluice = objects / (await inDatabase(server.url, (url) => runSluice(url, how, body, objects)))
        figures[how].byHand.push(byHand)
        figures[how].sluice.push(sluice)
        say(`round ${round}: ${how}: Sluice ${whole(sluice)}, by hand ${whole(byHand)} objects/s`)
      }
    const summary = (how: How): HandlersResult['rates'][How] => ({
      sluice: summarize(figures[how].sluice),
      byHand: summarize(figures[how].byHand),
      times: summarize(figures[how].byHand.map((rate, index) => rate / (figures[how].sluice[index] ?? Number.NaN))),
    })
    return {
      case: 'handlers',
      command: `npm run bench -- handlers --objects ${objects}`,
      machine: machine(`PostgreSQL ${server.major}, default settings`),
      loadBefore,
      objects,
      rounds,
      rates: { applyMany: summary('applyMany'), apply: summary('apply') },
    }
  } finally {
    await server.remove()
  }
}

async function runSluice(url: string, how: How, body: string, objects: number): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(tablesSql)
  await client.query(
    `INSERT INTO public.organization (ms_id, title) SELECT 'O-' || i, 'Organisation ' || i FROM generate_series(0, $1::integer - 1) AS i`,
    [organizationCount],
  )
  const inbox = await startInbox(url, { config: 'handlers.config.ts', env: { HANDLER: how } })
  try {
    await inbox.load('employee', employeesJson(warmUpObjects).replaceAll('"E-', '"W-'))
    const { seconds } = await inbox.load('employee', body)
    const { rows } = await client.query<{ n: number }>(
      'SELECT count(*)::integer AS n FROM public.employee e JOIN public.organization o ON o.id = e.organization_id',
    )
    if (rows[0]?.n !== warmUpObjects + objects)
      throw new Error(`expected ${warmUpObjects + objects} employees, the table has ${rows[0]?.n}`)
    return seconds
  } finally {
    await inbox.stop()
    await client.end()
  }
}

function spread({ median, lowest, highest }: Summary): string {
  return `${median.toFixed(2)} (${lowest.toFixed(2)} to ${highest.toFixed(2)})`
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en')
}

function table({ loadBefore, rates, objects, rounds, command, machine: on }: HandlersResult): string {
  const row = (name: string, { median, lowest, highest }: Summary): string =>
    `| ${name} | ${whole(median)} | ${whole(lowest)} to ${whole(highest)} |`
  return [
    `${whole(objects)} employees in one message, each upserted by the user's own query with the reference join. By hand: two processes, a transaction per batch of 1,000, which reads the objects from a table, checks them by the same schema, runs the same query and records their status; no HTTP, history or order of versions. Median of ${rounds} interleaved rounds.`,
    '',
    '| | objects/s | lowest to highest |',
    '|---|---:|---:|',
    row('`applyMany`, one query a batch', rates.applyMany.sluice),
    row('the same by hand', rates.applyMany.byHand),
    row('`apply`, one query an object', rates.apply.sluice),
    row('the same by hand', rates.apply.byHand),
    '',
    `Time, of the loop's in the same round: ${spread(rates.applyMany.times)} with \`applyMany\`, ${spread(rates.apply.times)} with \`apply\`.`,
    '',
    `Measured by \`${command}\` with ${on.postgres}, ${on.cores} cores (${on.cpu}), Node ${on.node}; load average before: ${loadBefore.toFixed(1)}.`,
  ].join('\n')
}
