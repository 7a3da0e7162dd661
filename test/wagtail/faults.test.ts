/**
 * Pages of Wagtail through the whole pipe, with eight writers, while their processes are killed, and Wagtail, and while its database
 * is away. `SLUICE_OUTAGE_SECONDS=10` keeps it away for so long at least.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Organization, organizations } from '../../examples/wagtail/organization.ts'
import { type RunningSite, startSite } from '../../examples/wagtail/site.ts'
import { reclaimExpired } from '../../src/store/chunk.ts'
import { createTestDatabase, hasNative, type TestDatabase } from '../support/database.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { hasPython } from '../support/python.ts'
import { startEditor } from '../support/wagtail-editor.ts'
import { type Hold, Holds, type Point } from './holds.ts'
import { organizationPages } from './organization-pages.ts'

/** Installing Wagtail into the example's venv may be part of the start. */
const firstTime = 300_000

/** PostgreSQL's search finds no words that have a hyphen in them. */
const titleOf = (id: string): string => `Organization ${id.replace('-', ' ')}`
/** Six at the top, and nine below each of them. */
const before = organizations()
  .slice(-60)
  .map((each) => ({ ...each, title: titleOf(each.ms_id) }))
/** Each page has another phone; four are gone, and four are new. */
const gone = ['R0-0', 'R0-1', 'R1-8', 'R2-2']
const fresh = ['N0', 'N1', 'N2', 'N3']
const after: Organization[] = [
  ...fresh.map((ms_id): Organization => ({ ms_id, title: titleOf(ms_id), parent_ms_id: 'R0', phone: '777' })),
  ...before.map((each) => ({ ...each, phone: '777', ...(gone.includes(each.ms_id) ? { deleted_at: '2026-11-23' } : {}) })),
]
/** Pages that an editor is writing at, here and there. */
const drafted = ['R0-1', 'R1-3', 'R2-7', 'R3-0', 'R4-4', 'R5-5', 'R3']

describe.skipIf(!hasPython || !hasNative)('eight writers', () => {
  let folder: string
  let server: PostgresServer
  let database: TestDatabase
  let site: RunningSite
  let inbox: Inbox
  let holds: Holds
  const secret = randomBytes(32).toString('base64')
  const processes: Writers[] = []

  const start = async (port?: number): Promise<void> => {
    site = await startSite({ data: folder, secret, database: server.url, ...(port === undefined ? {} : { port }) })
  }
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-wagtail-faults-'))
    server = await startPostgres({ settings: { fsync: 'off' } })
    database = await createTestDatabase('postgres')
    await start()
    inbox = createInbox(database.db, [organizationPages(site.url, secret)], { chunkSize: 8, worker: { processes: 1 } })
    holds = await Holds.open(server.url)
  }, firstTime)
  afterAll(async () => {
    for (const each of processes) await each.kill()
    await holds?.close()
    await site?.stop('SIGKILL')
    await server?.remove()
    await database?.close()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })

  /** A process with four of the writers. */
  class Writers {
    readonly #name = `writers ${randomBytes(4).toString('hex')}`
    readonly #child: ChildProcess

    constructor() {
      this.#child = fork(new URL('writers.ts', import.meta.url), [database.directUrl, site.url, secret, this.#name], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      processes.push(this)
    }

    async kill(): Promise<void> {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGKILL')
      await ended
    }

    /** Ends the leases of a process that is dead. Its chunks are locked until the database has seen that it is gone. */
    async forget(): Promise<void> {
      await inbox.rows("UPDATE sluice.chunk SET lease_until = now() - interval '1 second' WHERE state = 'claimed' AND worker = $1", [
        this.#name,
      ])
      await reclaimExpired(database.db)
    }
  }

  /** What would come again by itself comes again at once. */
  const hurry = (): Promise<unknown> => inbox.rows("UPDATE sluice.chunk SET due_at = now() WHERE state = 'ready' AND due_at > now()")

  /** What happens to them while a page is held, and what has to be done so that all goes on. */
  const faults = {
    /** The workers are killed in the middle of their requests, which the site goes on with. */
    async workers(hold: Hold): Promise<void> {
      const killed = processes.splice(0)
      for (const each of killed) await each.kill()
      await hold.release()
      for (const each of killed) await each.forget()
      for (let count = 0; count < killed.length; count++) new Writers()
    },
    async site(hold: Hold): Promise<void> {
      await site.stop('SIGKILL')
      await hold.release()
      await start(Number(new URL(site.url).port))
    },
    /** PostgreSQL ends as if it crashed, and stays away until a chunk had to be given back. */
    async database(hold: Hold): Promise<void> {
      await inbox.rows("UPDATE sluice.chunk SET last_error = NULL WHERE state = 'ready'")
      await server.stop('immediate')
      const since = Date.now()
      await untilIt('gave a chunk back', async () => {
        const given = await inbox.rows<{ code: string }>(
          "SELECT last_error ->> 'code' AS code FROM sluice.chunk WHERE state = 'ready' AND last_error IS NOT NULL",
        )
        for (const { code } of given) expect(code).toBe('site_unavailable')
        if (given.length === 0) await hurry()
        return given.length > 0
      })
      await sleep(Math.max(0, Number(process.env.SLUICE_OUTAGE_SECONDS ?? '0') * 1000 - (Date.now() - since)))
      await server.start()
      await hold.release()
    },
  }

  /** Sends objects, and makes things happen in the middle of them, one after the other. */
  async function send(objects: readonly Organization[], happening: readonly [keyof typeof faults, Point, string][]): Promise<void> {
    const held: [keyof typeof faults, Hold][] = []
    for (const [fault, point, id] of happening) held.push([fault, await holds.at(point, id, titleOf(id))])
    const { id } = await inbox.send('organization', objects)
    for (const [fault, hold] of held) {
      await untilIt(`came to the place where the ${fault} will go`, async () => {
        await hurry()
        return hold.isReached()
      })
      await faults[fault](hold)
    }
    await untilIt('processed all', async () => {
      await hurry()
      const status = await inbox.status(id)
      if (status !== 3 && status !== 2) throw new Error(JSON.stringify(await inbox.rows('SELECT * FROM sluice.failure')))
      return status === 3
    })
  }

  test('no page twice, no revision too many, no text of an editor lost, whoever is killed', { timeout: 300_000 }, async () => {
    for (let count = 0; count < 2; count++) new Writers()
    await send(before, [['site', 'before the commit', 'R4-2']])
    const ids = new Map((await read(server.url)).map(({ id, title }) => [title, id]))
    const editor = startEditor(folder, server.url)
    for (const name of drafted) await editor.write(ids.get(titleOf(name)) ?? '', `Ann on ${name}`)
    await editor.stop()
    await send(after, [
      ['workers', 'before the commit', 'R1-3'],
      ['site', 'between its revision and the page', 'R2-5'],
      ['database', 'in the commit', 'R3-7'],
      ['workers', 'before its revision', 'R4-4'],
    ])
    const expected = after.map(({ ms_id, title }) => {
      const [isGone, isDrafted] = [gone.includes(ms_id), drafted.includes(ms_id)]
      const phone = isGone ? before.find((each) => each.ms_id === ms_id)?.phone : '777'
      const text = isDrafted ? `Ann on ${ms_id}` : ''
      // Created, and changed; an editor's draft, and the same with what the master says in it.
      const revisions = fresh.includes(ms_id) ? 1 : (isGone ? 1 : 2) * (isDrafted ? 2 : 1)
      return { title, live: !isGone, shown: { phone, text: '' }, newest: { phone, text }, revisions }
    })
    const found = (await read(server.url)).map(({ id: _, ...page }) => page)
    expect(found).toEqual(expected.toSorted((a, b) => (a.title < b.title ? -1 : 1)))
    expect(await inbox.rows('SELECT FROM sluice.failure')).toEqual([])
    expect(await site.inspect()).toMatchObject({
      fixtree: [],
      wrongUrlPaths: [],
      slugsTwice: 0,
      pages: after.length,
      live: after.length - gone.length,
      records: after.length,
      searchMisses: [],
      referencesWrong: 0,
      results: { created: before.length + fresh.length, published: before.length - gone.length, unpublished: gone.length },
    })
  })
})

interface Page {
  id: string
  title: string
  live: boolean
  /** What visitors see if the page is live; `text` is the editors' own. */
  shown: { phone: string; text: string }
  /** What the newest revision says. */
  newest: { phone: string; text: string }
  revisions: number
}

/** The pages, by their titles. */
async function read(url: string): Promise<Page[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<Page>(`
    SELECT p.id::text, p.title, p.live, json_build_object('phone', o.phone, 'text', o.introduction) AS shown,
      json_build_object('phone', r.content -> 'phone', 'text', r.content -> 'introduction') AS newest,
      (SELECT count(*)::integer FROM wagtailcore_revision a WHERE a.object_id = p.id::text) AS revisions
    FROM organizations_organizationpage o JOIN wagtailcore_page p ON p.id = o.page_ptr_id
    LEFT JOIN wagtailcore_revision r ON r.id = p.latest_revision_id ORDER BY p.title COLLATE "C"`)
  await client.end()
  return rows
}

async function untilIt(did: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`it never ${did}`)
    await sleep(100)
  }
}
