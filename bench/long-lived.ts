/**
 * Long-lived: what one more object costs after half a year. Two databases side by side on one server, each with a server and
 * workers of its own: one is emptied before each turn, the other holds more and more. They take turns, so that a ratio is of two
 * measurements of the same minute.
 */
import { loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Db } from '../src/store/db.ts'
import { createPostgres } from '../src/store/postgres.ts'
import { startPostgres } from '../test/support/postgres.ts'
import { type BenchCase, type BenchOptions, type Goal, rounded } from './case.ts'
import { inDatabase } from './database.ts'
import { organizationsJson, tablesSql } from './employees.ts'
import { type RunningInbox, startInbox } from './inbox.ts'
import { isSearch, listPaths, listReader, promised, shownPath } from './lists.ts'
import { postTo } from './load.ts'
import { type Machine, machine } from './machine.ts'
import { type RelationSize, relationSizes } from './relations.ts'
import config from './sluice.config.ts'
import { percentile, type Summary, summarize } from './statistics.ts'
import { someOf, stock, stockedEmployee, stockUnit } from './stock.ts'

/** Objects of each large message. */
const batch = 20_000
/** Messages of one object in a turn, and how many are sent a second. */
const [smalls, smallRate] = [40, 20]
/** Turns of each side in a round, and how often each list is read. */
const [turnsPerRound, readsPerRound] = [2, 10]
/** Messages of changes after all that, for what they do to tables and indexes. */
const changes = 10

/** What docs/operations.md says for a database that is larger than PostgreSQL's defaults are made for. */
const settings = { shared_buffers: '2GB', max_wal_size: '8GB', checkpoint_timeout: '15min' }

/** Objects a second. */
interface Rates {
  /** From the beginning of the POST to its answer. */
  intake: number
  /** From there to the end of the last object. */
  processing: number
}

interface Turn {
  /** All keys are new. */
  first: Rates
  /** Objects that are there, from all over the ledger; every one differs. */
  changed: Rates
  /** Milliseconds from POST to processed of messages of one object; half of them new. */
  small: number[]
}

/** A database with its inbox. */
interface Side {
  client: pg.Client
  inbox: RunningInbox
  /** For the lists. */
  db: Db
  /** Instances of the stock in it. */
  stocked: number
  /** The next new employee. */
  next: number
  revision: number
}

/** One pair of figures: what it was beside an empty database. */
interface Compared {
  name: string
  empty: Summary
  full: Summary
  /** Of the pairs of one turn: full to empty. */
  ratio: Summary
  digits: number
  /** Whether more is better. */
  isRate: boolean
}

interface ListTime {
  path: string
  median: number
  p95: number
}

interface Level {
  /** `1,000,000 stored` */
  name: string
  compared: Compared[]
  lists: ListTime[]
}

interface Figures {
  empty: ListTime[]
  levels: Level[]
  /** Before and after the messages of changes. */
  sizes: { before: RelationSize[]; after: RelationSize[] }
}

interface Result extends Figures {
  case: 'long-lived'
  command: string
  machine: Machine
  loadBefore: number
  objects: number
  turns: number
}

/** `objects`: instances in the full database at the end. Default: a million. */
export const longLived: BenchCase = {
  name: 'long-lived',
  about: 'what one more object costs in an empty database, at a tenth of the way, and with very many stored instances',
  async run(options) {
    const result = await measure(options)
    return { result, markdown: tablesOf(result), goals: goalsOf(result) }
  },
}

async function measure({ objects = 1_000_000, rounds, say }: BenchOptions): Promise<Result> {
  const loadBefore = loadavg()[0] ?? 0
  const all = Math.max(2, Math.ceil(objects / stockUnit)) * stockUnit
  const tenth = Math.max(1, Math.round(all / 10 / stockUnit)) * stockUnit
  const server = await startPostgres({ major: 18, settings })
  try {
    const figures = await withSide(server.url, (empty) =>
      withSide(server.url, (full) => compare(empty, full, { levels: [tenth, all], all, rounds, say })),
    )
    return {
      case: 'long-lived',
      command: `npm run bench -- long-lived${all === 1_000_000 ? '' : ` --objects ${all}`}`,
      machine: machine(
        `PostgreSQL ${server.major} (${Object.entries(settings)
          .map(([name, value]) => `${name} ${value}`)
          .join(', ')}, else default settings)`,
      ),
      loadBefore,
      objects: all,
      turns: rounds * turnsPerRound,
      ...figures,
    }
  } finally {
    await server.remove()
  }
}

async function withSide<T>(serverUrl: string, work: (side: Side) => Promise<T>): Promise<T> {
  return inDatabase(serverUrl, async (url) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(tablesSql)
    const inbox = await startInbox(url)
    const db = createPostgres({ url })
    try {
      await inbox.load('organization', organizationsJson())
      return await work({ client, inbox, db, stocked: 0, next: 0, revision: 1 })
    } finally {
      await db.close()
      await inbox.stop()
      await client.end()
    }
  })
}

interface Plan {
  levels: readonly number[]
  all: number
  rounds: number
  say(line: string): void
}

async function compare(empty: Side, full: Side, { levels: sizes, all, rounds, say }: Plan): Promise<Figures> {
  const levels: Level[] = []
  // Beyond every number that the stock has.
  full.next = all
  const compareAt = async (name: string): Promise<void> => {
    const pairs: { empty: Turn; full: Turn }[] = []
    for (let turn = 0; turn < rounds * turnsPerRound; turn++) {
      await clear(empty)
      // Each goes first as often as the other.
      const first = turn % 2 === 0 ? await takeTurn(empty) : null
      const ofFull = await takeTurn(full)
      const pair = { empty: first ?? (await takeTurn(empty)), full: ofFull }
      pairs.push(pair)
      say(`${name}, turn ${turn + 1}: ${describe(pair.full)}; empty: ${describe(pair.empty)}`)
    }
    levels.push({ name, compared: compareTurns(pairs), lists: await readLists(full, rounds) })
  }
  for (const stocked of sizes) {
    await stock(full.client, { from: full.stocked, to: stocked, all }, say)
    full.stocked = stocked
    await full.client.query('CHECKPOINT')
    if (levels.length === 0) for (const side of [empty, full]) await takeTurn(side)
    await compareAt(`${stocked.toLocaleString('en')} stored`)
  }
  await full.client.query('VACUUM (ANALYZE)')
  const before = await relationSizes(full.client)
  for (let turn = 1; turn <= changes; turn++) {
    const { processing } = await send(full, changesOf(full), 'updated')
    say(`changes ${turn} of ${changes}: ${processing.toFixed(0)} objects/s`)
  }
  const after = await relationSizes(full.client)
  await compareAt('the same after the changes')
  return { empty: await readLists(empty, rounds), levels, sizes: { before, after } }
}

/** Empties the database but for the organisations. */
async function clear({ client, inbox }: Side): Promise<void> {
  await client.query(
    'TRUNCATE sluice.message, sluice.message_body, sluice.chunk, sluice.instance, sluice.failure, sluice.object, public.employee',
  )
  await inbox.load('organization', organizationsJson())
}

async function takeTurn(side: Side): Promise<Turn> {
  const numbers = Array.from({ length: batch }, () => side.next++)
  const first = await send(side, bodyOf(numbers, 0), 'created')
  const changed = await send(side, side.stocked === 0 ? bodyOf(numbers.reverse(), side.revision++) : changesOf(side), 'updated')
  return { first, changed, small: await sendSmall(side, numbers) }
}

function changesOf(side: Side): string {
  return bodyOf(someOf(side.stocked, batch), side.revision++)
}

function bodyOf(numbers: readonly number[], revision: number): string {
  return `[${numbers.map((number) => stockedEmployee(number, revision)).join(',')}]`
}

/** Sends one message and waits for its end; every object must have the outcome. */
async function send({ inbox: { base, headers } }: Side, body: string, outcome: 'created' | 'updated'): Promise<Rates> {
  const started = performance.timeOrigin + performance.now()
  const response = await fetch(`${base}/api/integrations/employee/messages`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  })
  const { id } = (await response.json()) as { id: string }
  const answered = performance.timeOrigin + performance.now()
  for (;;) {
    const message = (await (await fetch(`${base}/api/messages/${id}`, { headers })).json()) as {
      status: number
      finishedAt: string
      counts: Record<string, number>
    }
    if (message.status < 0 || (message.status === 3 && message.counts[outcome] !== batch))
      throw new Error(`message ${id}: status ${message.status}, ${JSON.stringify(message.counts)}`)
    if (message.status === 3)
      return { intake: (batch * 1000) / (answered - started), processing: (batch * 1000) / (Date.parse(message.finishedAt) - answered) }
    await sleep(100)
  }
}

/** Sends messages of one object each, new and old in turn; `known` are numbers of objects that are there. */
async function sendSmall(side: Side, known: readonly number[]): Promise<number[]> {
  const { client, inbox } = side
  const post = postTo(`${inbox.base}/api/integrations/employee/messages`, inbox.headers)
  const { rows: last } = await client.query<{ id: string }>('SELECT max(id) AS id FROM sluice.message')
  const old = side.stocked === 0 ? known.slice(0, smalls) : someOf(side.stocked, smalls)
  const revision = side.revision++
  const sentAt = new Map<string, number>()
  const began = performance.now()
  const sent: Promise<void>[] = []
  for (let index = 0; index < smalls; index++) {
    await sleep(Math.max(0, began + (index * 1000) / smallRate - performance.now()))
    const object = stockedEmployee(index % 2 === 0 ? side.next++ : (old[index] ?? 0), revision)
    sentAt.set((JSON.parse(object) as { ms_id: string }).ms_id, performance.timeOrigin + performance.now())
    sent.push(post(object))
  }
  await Promise.all(sent)
  for (;;) {
    const { rows } = await client.query<{ id: string; at: number | null }>(
      'SELECT external_id AS id, extract(epoch FROM finished_at)::float8 * 1000 AS at FROM sluice.instance WHERE message_id > $1',
      [last[0]?.id],
    )
    const taken = rows.map(({ id, at }) => (at ?? Number.NaN) - (sentAt.get(id) ?? Number.NaN))
    if (taken.length === smalls && !taken.some(Number.isNaN)) return taken
    await sleep(100)
  }
}

function compareTurns(pairs: readonly { empty: Turn; full: Turn }[]): Compared[] {
  const compared = (name: string, of: (turn: Turn) => number, isRate = true): Compared => ({
    name,
    empty: summarize(pairs.map(({ empty }) => of(empty))),
    full: summarize(pairs.map(({ full }) => of(full))),
    ratio: summarize(pairs.map(({ empty, full }) => of(full) / of(empty))),
    digits: isRate ? 0 : 1,
    isRate,
  })
  return [
    compared('new objects: intake, objects/s', ({ first }) => first.intake),
    compared('new objects: processing, objects/s', ({ first }) => first.processing),
    compared('changed objects: intake, objects/s', ({ changed }) => changed.intake),
    compared('changed objects: processing, objects/s', ({ changed }) => changed.processing),
    compared('messages of one object: POST to processed, median, ms', ({ small }) => percentile(small, 0.5), false),
    compared('messages of one object: 95th percentile, ms', ({ small }) => percentile(small, 0.95), false),
  ]
}

async function readLists({ client, db }: Side, rounds: number): Promise<ListTime[]> {
  // A message with failures and a thousand objects where there is one, and an object that came more than once.
  const { rows } = await client.query<{ id: string; source: string; externalId: string }>(
    `SELECT m.id, m.source, (SELECT external_id FROM sluice.instance i WHERE i.message_id = m.id AND i.ordinal = 1) AS "externalId"
     FROM sluice.message m WHERE m.integration = 'employee' AND m.status IN (3, -3) AND m.total > 1 ORDER BY m.status, m.id DESC LIMIT 1`,
  )
  const [message] = rows
  if (message === undefined) throw new Error('there is no message to read')
  const paths = listPaths({ externalId: message.externalId, messageId: message.id, source: message.source, errorCode: 'code_3' })
  const read = listReader(db, [...config.integrations.values()])
  const times: ListTime[] = []
  for (const path of paths) {
    const taken: number[] = []
    for (let time = 0; time < rounds * readsPerRound; time++) taken.push(await read(path))
    times.push({ path: shownPath(path), median: percentile(taken, 0.5), p95: percentile(taken, 0.95) })
  }
  return times
}

function describe({ first, changed, small }: Turn): string {
  const pair = ({ intake, processing }: Rates): string => `${intake.toFixed(0)} in, ${processing.toFixed(0)} processed`
  return `new ${pair(first)}, changed ${pair(changed)}, small ${percentile(small, 0.5).toFixed(1)} ms`
}

function slowestList(lists: readonly ListTime[]): number {
  return Math.max(...lists.filter(({ path }) => !isSearch(path)).map(({ p95 }) => p95))
}

/** Within 20 %, whichever way a figure counts; of the fullest database there was. */
function goalsOf({ levels, sizes }: Result): Goal[] {
  const last = levels.at(-1)
  if (last === undefined) return []
  return [
    ...last.compared
      .filter(({ isRate }) => isRate)
      .map(({ name, ratio }) => ({ of: `${name.replace(', objects/s', '')}, of the rate when empty`, figure: ratio.median, least: 0.8 })),
    ...last.compared
      .filter(({ isRate, name }) => !isRate && name.includes('median'))
      .map(({ name, ratio }) => ({ of: `${name.replace(', ms', '')}, of the time when empty`, figure: ratio.median, most: 1.2 })),
    { of: 'the slowest list but the search for text, 95th percentile, ms', figure: slowestList(last.lists), most: promised },
    {
      of: 'the ledger after the messages of changes, of its size before',
      figure: heapOf(sizes.after, 'sluice.object') / heapOf(sizes.before, 'sluice.object'),
      most: 1.2,
    },
  ]
}

function heapOf(sizes: readonly RelationSize[], name: string): number {
  return sizes.find(({ table }) => table === name)?.heap ?? Number.NaN
}

function tablesOf(result: Result): string {
  const { machine: on, levels, empty, sizes } = result
  const count = (number: number): string => number.toLocaleString('en')
  const figure = (digits: number, { median }: Summary): string => (digits === 0 ? count(Math.round(median)) : median.toFixed(digits))
  const spread = ({ median, lowest, highest }: Summary): string => `${median.toFixed(2)} (${lowest.toFixed(2)} to ${highest.toFixed(2)})`
  const timesAt = (index: number): string =>
    [empty, ...levels.map(({ lists }) => lists)].map((lists) => (lists[index]?.p95 ?? Number.NaN).toFixed(1)).join(' | ')
  return [
    `Messages of ${count(batch)} employees, and ${smalls} of one at ${smallRate} a second, into a database that was emptied before and into one with a stock: half a year of messages, half of the instances changes or repetitions, keys as random as GUIDs. Both on one server, ${result.turns} turns each; medians; ratios are of the two of a turn, with the lowest and the highest. "The changes" are ${changes} messages of ${count(batch)} objects each from all over the ledger, one after the other.`,
    ...levels.flatMap(({ name: level, compared }) => [
      '',
      `| | empty | ${level} | ratio |`,
      '|---|---:|---:|---:|',
      ...compared.map(
        ({ name, digits, empty: none, full, ratio }) =>
          `| ${name} | ${figure(digits, none)} | ${figure(digits, full)} | ${spread(ratio)} |`,
      ),
    ]),
    '',
    `| list, 95th percentile, ms | empty | ${levels.map(({ name }) => name).join(' | ')} |`,
    `|---|---:|${levels.map(() => '---:|').join('')}`,
    ...(levels.at(-1)?.lists ?? []).map(({ path }, index) => `| \`${path}\` | ${timesAt(index)} |`),
    '',
    'Tables before and after the changes, autovacuum as it is:',
    '',
    '| table | rows | MiB | dead, % | free, % | indexes, MiB | leaves full, % | updates that stayed in their page, % |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...sizes.before.map((before) => {
      const after = sizes.after.find(({ table }) => table === before.table) ?? before
      const both = (of: (size: RelationSize) => string): string => `${of(before)} → ${of(after)}`
      const updated = after.updated - before.updated
      const hot = updated === 0 ? '' : ((100 * (after.hot - before.hot)) / updated).toFixed(0)
      return `| \`${before.table}\` | ${count(Math.round(after.rows))} | ${both(({ heap }) => rounded(heap))} | ${both(({ dead }) => dead.toFixed(1))} | ${both(({ free }) => free.toFixed(1))} | ${both(({ indexes }) => rounded(indexes))} | ${both(({ leafDensity }) => leafDensity?.toFixed(0) ?? '')} | ${hot} |`
    }),
    '',
    `Measured by \`${result.command}\` with ${on.postgres}, ${on.cores} cores (${on.cpu}), Node ${on.node}; load average before: ${result.loadBefore.toFixed(1)}.`,
  ].join('\n')
}
