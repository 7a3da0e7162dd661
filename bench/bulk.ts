/**
 * Bulk: one message of many employees from POST to rolled up, beside the floor and beside one transaction per object.
 * Every round runs all of them, each in a database of its own; ratios are taken within a round.
 */
import pg from 'pg'
import { startPostgres } from '../test/support/postgres.ts'
import type { BenchCase, BenchOptions } from './case.ts'
import { inDatabase } from './database.ts'
import { employeesJson, organizationsJson, tablesSql } from './employees.ts'
import { startInbox } from './inbox.ts'
import { type Machine, machine } from './machine.ts'
import { runFloor } from './peers/floor.ts'
import { runPerObject } from './peers/per-object.ts'
import { type Summary, summarize } from './statistics.ts'

/** Rates are objects per second; ratios are of Sluice's first load to the peer of the same round. */
interface BulkResult {
  case: 'bulk'
  command: string
  machine: Machine
  objects: number
  rounds: number
  rates: {
    floor: Summary
    /** One transaction per object, on one connection. */
    perObject: Summary
    /** The same on two. */
    perObjectTwo: Summary
    firstLoad: Summary
    unchanged: Summary
    changed: Summary
  }
  ratioToFloor: number
  ratioToPerObject: number
  ratioToPerObjectTwo: number
  ratiosToFloor: Summary
  ratiosToPerObject: Summary
  ratiosToPerObjectTwo: Summary
}

/** The baseline is slow: a part of the objects says enough about its rate. */
const mostPerObject = 10_000

/** Sent before the clock starts, so that what is measured is a worker that has been running, not V8's first compilation. */
const warmUpObjects = 100_000

/** `objects`: employees in the message. Default: 100,000. */
export const bulk: BenchCase = {
  name: 'bulk',
  about: 'one message of many employees, beside the floor and one transaction per object',
  async run(options) {
    const result = await measure(options)
    return {
      result,
      markdown: table(result),
      goals: [
        { of: "first load, of the floor's rate", figure: result.ratioToFloor, least: 0.6 },
        { of: 'first load, objects a second', figure: result.rates.firstLoad.median, least: 15_000 },
        { of: 'unchanged, of the rate of the first load', figure: result.rates.unchanged.median / result.rates.firstLoad.median, least: 1 },
        { of: 'every object changed, objects a second', figure: result.rates.changed.median, least: 10_000 },
      ],
    }
  },
}

async function measure({ objects = 100_000, rounds, say }: BenchOptions): Promise<BulkResult> {
  const server = await startPostgres({ major: 18 })
  try {
    const figures: Record<keyof BulkResult['rates'], number[]> = {
      floor: [],
      perObject: [],
      perObjectTwo: [],
      firstLoad: [],
      unchanged: [],
      changed: [],
    }
    for (let round = 1; round <= rounds; round++) {
      const floor = objects / (await inDatabase(server.url, (url) => runFloor(url, objects)))
      const baselineObjects = Math.min(objects, mostPerObject)
      const perObject = baselineObjects / (await inDatabase(server.url, (url) => runPerObject(url, baselineObjects, 1)))
      const perObjectTwo = baselineObjects / (await inDatabase(server.url, (url) => runPerObject(url, baselineObjects, 2)))
      const { firstLoad, unchanged, changed } = await inDatabase(server.url, (url) => runSluice(url, objects))
      for (const [name, figure] of Object.entries({ floor, perObject, perObjectTwo, firstLoad, unchanged, changed }))
        figures[name as keyof typeof figures].push(figure)
      say(
        `round ${round}: floor ${rate(floor)}, per object ${rate(perObject)} (two connections: ${rate(perObjectTwo)}), Sluice first ${rate(firstLoad)}, unchanged ${rate(unchanged)}, changed ${rate(changed)} objects/s`,
      )
    }
    const ratiosTo = (peer: readonly number[]): Summary =>
      summarize(figures.firstLoad.map((figure, index) => figure / (peer[index] ?? Number.NaN)))
    const ratiosToFloor = ratiosTo(figures.floor)
    const ratiosToPerObject = ratiosTo(figures.perObject)
    const ratiosToPerObjectTwo = ratiosTo(figures.perObjectTwo)
    return {
      case: 'bulk',
      command: `npm run bench -- bulk --objects ${objects}`,
      machine: machine(`PostgreSQL ${server.major}, default settings`),
      objects,
      rounds,
      rates: {
        floor: summarize(figures.floor),
        perObject: summarize(figures.perObject),
        perObjectTwo: summarize(figures.perObjectTwo),
        firstLoad: summarize(figures.firstLoad),
        unchanged: summarize(figures.unchanged),
        changed: summarize(figures.changed),
      },
      ratioToFloor: ratiosToFloor.median,
      ratioToPerObject: ratiosToPerObject.median,
      ratioToPerObjectTwo: ratiosToPerObjectTwo.median,
      ratiosToFloor,
      ratiosToPerObject,
      ratiosToPerObjectTwo,
    }
  } finally {
    await server.remove()
  }
}

/** The three loads in an empty database, each in objects a second. */
export async function runSluice(url: string, objects: number): Promise<{ firstLoad: number; unchanged: number; changed: number }> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(tablesSql)
  await client.end()
  const inbox = await startInbox(url)
  try {
    await inbox.load('organization', organizationsJson())
    await inbox.load('employee', employeesJson(warmUpObjects).replaceAll('"E-', '"W-'))
    const bodies = { first: employeesJson(objects), changed: employeesJson(objects, 1) }
    const first = await inbox.load('employee', bodies.first)
    expectCount('created', first.counts, objects)
    const unchanged = await inbox.load('employee', bodies.first)
    expectCount('unchanged', unchanged.counts, objects)
    const changed = await inbox.load('employee', bodies.changed)
    expectCount('updated', changed.counts, objects)
    return { firstLoad: objects / first.seconds, unchanged: objects / unchanged.seconds, changed: objects / changed.seconds }
  } finally {
    await inbox.stop()
  }
}

function expectCount(name: string, counts: Record<string, number>, objects: number): void {
  if (counts[name] !== objects) throw new Error(`expected ${objects} ${name}, got ${JSON.stringify(counts)}`)
}

function rate(figure: number): string {
  return Math.round(figure).toLocaleString('en')
}

/** The figures as a Markdown table. */
function table(result: BulkResult): string {
  const { machine: on, rates } = result
  const row = (name: string, { median, lowest, highest }: Summary): string =>
    `| ${name} | ${rate(median)} | ${rate(lowest)} to ${rate(highest)} |`
  return [
    `${result.objects.toLocaleString('en')} employees of about 200 bytes in one message, one reference each, from POST to rolled up, after a warm-up of 100,000 others; median of ${result.rounds} interleaved rounds.`,
    '',
    '| | objects/s | lowest to highest |',
    '|---|---:|---:|',
    row('Sluice, first load', rates.firstLoad),
    row('Sluice, the same again: unchanged', rates.unchanged),
    row('Sluice, every object changed', rates.changed),
    row('floor: COPY, one set-wise upsert, one status update', rates.floor),
    row('baseline: one transaction per object, one connection', rates.perObject),
    row('the same baseline on two connections', rates.perObjectTwo),
    '',
    `First load: ${result.ratioToFloor.toFixed(2)} of the floor's rate, ${result.ratioToPerObject.toFixed(1)} times the baseline's, ${result.ratioToPerObjectTwo.toFixed(1)} times that of two connections (medians of the rounds' ratios).`,
    '',
    `Measured by \`${result.command}\` with ${on.postgres}, server and two workers on the same ${on.cores} cores (${on.cpu}, ${on.os}), Node ${on.node}.`,
  ].join('\n')
}
