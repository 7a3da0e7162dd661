/**
 * Pages of a CMS: the same objects become the same pages through Sluice and by hand, with the CMS's own API in a process of its own.
 * Both sites stand on one PostgreSQL. They take turns step by step, and who begins changes with every round.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { loadavg } from 'node:os'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { startPostgres } from '../test/support/postgres.ts'
import { type BenchOptions, type Report, rounded } from './case.ts'
import { inDatabase } from './database.ts'
import type { RunningInbox } from './inbox.ts'
import { machine } from './machine.ts'
import { type Summary, summarize } from './statistics.ts'

/** An organization as the master system sends it. Areas and districts are the site's own: 20 and 5, numbered from 1. */
export interface PageObject {
  ms_id: string
  title: string
  parent_ms_id: string | null
  phone: string
  address: string
  district_ms_id: string
  area_ms_id_list: string[]
}

/** A page as a site has it. */
export interface ListedPage {
  title: string
  slug: string
  /** Its parent's title; null at the top. */
  parent: string | null
  phone: string
  areas: string[]
  live: boolean
  revisions: number
}

/** A script that writes pages with the CMS's own API: one JSON line in, one out. */
export interface ByHand {
  /** Seconds that it took. */
  create(objects: readonly PageObject[]): Promise<number>
  /** Saves and publishes each, changed or not. Seconds. */
  save(objects: readonly PageObject[]): Promise<number>
  list(): Promise<ListedPage[]>
  end(): Promise<void>
}

export interface PageCase {
  name: 'payload' | 'wagtail'
  /** `Payload 3.90.2` */
  cms: string
  /** What the script does for a page, in words. */
  byHand: string
  /** How Sluice reaches the site, in words. */
  through: string
  /** Pages in a round unless told otherwise. */
  objects: number
  /** Makes the tables of a site, and starts the script on it. */
  startByHand(databaseUrl: string): Promise<ByHand>
  /** Starts an inbox on one database that writes the pages of a site on another, which is ready. */
  startInbox(databaseUrl: string, siteUrl: string): Promise<RunningInbox>
}

const steps = ['create', 'unchanged', 'update'] as const
type Step = (typeof steps)[number]
const outcomeOf = { create: 'created', unchanged: 'unchanged', update: 'updated' } as const

/** Pages a second of one step in one round. */
interface Turn {
  hand: number
  sluice: number
}

/** Measures a CMS. Throws if the two sites don't have the same pages at the end. */
export async function measurePages(of: PageCase, { objects = of.objects, rounds, say }: BenchOptions): Promise<Report> {
  const busy = loadavg()[0] ?? 0
  const server = await startPostgres({ major: 18 })
  const turns: Record<Step, Turn[]> = { create: [], unchanged: [], update: [] }
  try {
    await inDatabase(server.url, (inboxUrl) =>
      inDatabase(server.url, (siteUrl) =>
        inDatabase(server.url, async (handUrl) => {
          const hand = await of.startByHand(handUrl)
          const own = await of.startByHand(siteUrl)
          const inbox = await of.startInbox(inboxUrl, siteUrl)
          try {
            await takeTurns(hand, inbox, 0, 20)
            for (let round = 1; round <= rounds; round++) {
              const one = await takeTurns(hand, inbox, round, objects)
              for (const step of steps) turns[step].push(one[step])
              say(
                `round ${round}: ${steps.map((step) => `${step} ${rounded(one[step].sluice)} (by hand ${rounded(one[step].hand)})`).join(', ')}`,
              )
            }
            expectSame(await hand.list(), await own.list(), 20 + rounds * objects)
          } finally {
            await Promise.all([hand.end(), own.end(), inbox.stop()])
          }
        }),
      ),
    )
  } finally {
    await server.remove()
  }
  const figures = Object.fromEntries(
    steps.map((step) => [
      step,
      {
        hand: summarize(turns[step].map(({ hand }) => hand)),
        sluice: summarize(turns[step].map(({ sluice }) => sluice)),
        ratio: summarize(turns[step].map(({ hand, sluice }) => sluice / hand)),
      },
    ]),
  ) as Record<Step, Record<'hand' | 'sluice' | 'ratio', Summary>>
  const command = `npm run bench -- ${of.name}${objects === of.objects ? '' : ` --objects ${objects}`}`
  const on = machine(`PostgreSQL ${server.major}, default settings`)
  const row = (name: string, step: Step): string => {
    const { hand, sluice, ratio } = figures[step]
    return `| ${name} | ${spread(hand)} | ${spread(sluice)} | ${rounded(ratio.median)} |`
  }
  return {
    result: { case: of.name, command, machine: on, cms: of.cms, objects, rounds, loadAverage: busy, figures },
    markdown: [
      `${objects} pages on three levels, each with a parent and two areas; pages a second, median of ${rounds} interleaved rounds (lowest to highest). Sluice: one message, from its POST to rolled up, with one worker process; ${of.through} By hand: ${of.byHand} Both sites end with the same pages; a naive save adds a revision even where nothing changed, Sluice adds none.`,
      '',
      `| | by hand | Sluice | ratio |`,
      '|---|---:|---:|---:|',
      row('create and publish', 'create'),
      row('the same again: unchanged (by hand: a naive save)', 'unchanged'),
      row('update and publish', 'update'),
      '',
      `Measured by \`${command}\` with ${of.cms}, ${on.postgres}, ${on.cores} cores (${on.cpu}), Node ${on.node}; load average before: ${busy.toFixed(1)}.`,
    ].join('\n'),
    goals: [
      { of: 'create, of the rate by hand', figure: figures.create.ratio.median, least: 0.9 },
      { of: 'unchanged, of the rate of a naive save', figure: figures.unchanged.ratio.median, least: 5 },
      { of: 'update and publish, of the rate by hand', figure: figures.update.ratio.median, least: 0.9 },
    ],
  }
}

async function takeTurns(hand: ByHand, inbox: RunningInbox, round: number, count: number): Promise<Record<Step, Turn>> {
  const before = pageObjects(round, count, 0)
  const given: Record<Step, PageObject[]> = { create: before, unchanged: before, update: pageObjects(round, count, 1) }
  const turns = {} as Record<Step, Turn>
  for (const step of steps) {
    const turn: Turn = { hand: 0, sluice: 0 }
    const sides = [
      async () => {
        turn.hand = count / (await (step === 'create' ? hand.create(given.create) : hand.save(given[step])))
      },
      async () => {
        const { seconds, counts } = await inbox.load('organization', JSON.stringify(given[step]))
        if (counts[outcomeOf[step]] !== count) throw new Error(`${step}: not every page was: ${JSON.stringify(counts)}`)
        turn.sluice = count / seconds
      },
    ]
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) await side()
    turns[step] = turn
  }
  return turns
}

/** Organizations on three levels, parents first: of a hundred 2 at the top, 18 in the middle, 80 below. */
function pageObjects(round: number, count: number, revision: number): PageObject[] {
  const top = Math.max(1, Math.round(count * 0.02))
  const middle = Math.max(1, Math.round(count * 0.18))
  const id = (index: number): string => `${round}-${index}`
  const above = (index: number): string | null =>
    index < top ? null : index < top + middle ? id(index % top) : id(top + ((index - top - middle) % middle))
  return Array.from({ length: count }, (_, index) => ({
    ms_id: id(index),
    title: `Organization ${id(index)}`,
    parent_ms_id: above(index),
    phone: `555-${String(revision)}-${String(index)}`,
    address: `${index + 1} Long Street`,
    district_ms_id: String((index % 5) + 1),
    area_ms_id_list: [String((index % 20) + 1), String(((index + 7) % 20) + 1)],
  }))
}

function spread({ median, lowest, highest }: Summary): string {
  return `${rounded(median)} (${rounded(lowest)} to ${rounded(highest)})`
}

/** By hand each page has one revision more: that of the save that changed nothing. */
function expectSame(hand: readonly ListedPage[], sluice: readonly ListedPage[], count: number): void {
  const texts = (pages: readonly ListedPage[], more: number): string[] =>
    pages
      .map(({ title, slug, parent, phone, areas, live, revisions }) =>
        JSON.stringify([title, slug, parent, phone, areas.toSorted(), live, revisions + more]),
      )
      .toSorted()
  const [one, other] = [texts(hand, 0), texts(sluice, 1)]
  const at = one.findIndex((text, index) => text !== other[index])
  if (one.length !== count || other.length !== count) throw new Error(`${count} pages were to be, ${one.length} and ${other.length} are`)
  if (at >= 0) throw new Error(`the pages differ: by hand ${one[at]}, Sluice (and one revision) ${other[at]}`)
}

/** Starts a script that is a {@link ByHand}; it says a line when it is ready. It answers on file 3: a CMS logs to its output. */
export async function startScript(command: string, args: string[], env: Record<string, string>): Promise<ByHand> {
  const child: ChildProcess = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'ignore', 'inherit', 'pipe'] })
  const { stdin } = child
  const answers = child.stdio[3] as Readable | null
  if (stdin === null || answers === null) throw new Error('the script has no pipes')
  const ended = once(child, 'exit')
  const lines = createInterface(answers)[Symbol.asyncIterator]()
  const answer = async <Answer>(): Promise<Answer> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`${args[0] ?? command} has ended`)
    return JSON.parse(String(value)) as Answer
  }
  const ask = <Answer>(what: string, objects: readonly PageObject[] = []): Promise<Answer> => {
    stdin.write(`${JSON.stringify({ do: what, objects })}\n`)
    return answer()
  }
  await answer()
  return {
    create: async (objects) => (await ask<{ seconds: number }>('create', objects)).seconds,
    save: async (objects) => (await ask<{ seconds: number }>('save', objects)).seconds,
    list: async () => (await ask<{ pages: ListedPage[] }>('list')).pages,
    async end() {
      stdin.end()
      await ended
    },
  }
}
