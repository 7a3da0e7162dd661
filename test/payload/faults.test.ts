/** Pages of Payload through the whole pipe, while the worker is killed, and Payload with it, or the site's database goes. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Organization, organizations } from '../../examples/wagtail/organization.ts'
import { reclaimExpired } from '../../src/store/chunk.ts'
import type { Editor } from '../conformance/site.ts'
import { createTestDatabase, hasNative, type TestDatabase } from '../support/database.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'
import {
  closeSite,
  hasPayload,
  openPayload,
  type PayloadDatabase,
  payloadDatabases,
  payloadEditor,
  type RealPayload,
} from '../support/payload.ts'
import { openSite } from '../support/payload-open.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { organizationPages } from './organization-pages.ts'
import type { DeathPoint } from './victim.ts'

/** Six at the top, and nine below each of the last two. */
const before = organizations().slice(-24)
/** Each page has another phone; four are gone, and four are new. */
const gone = before.slice(0, 4).map(({ ms_id }) => ms_id)
const fresh = ['N0', 'N1', 'N2', 'N3']
const after: Organization[] = [
  ...fresh.map((ms_id): Organization => ({ ms_id, title: `Organization ${ms_id}`, parent_ms_id: 'R0', phone: '777' })),
  ...before.map((each) => ({ ...each, phone: '777', ...(gone.includes(each.ms_id) ? { deleted_at: '2026-11-23' } : {}) })),
]
/** Pages that an editor is writing at, here and there. */
const drafted = ['R4-7', 'R5-3', 'R5-7', 'R3', 'R4']

/** A site with the pages of `before`, and an editor's drafts. */
class Scene {
  readonly payload: RealPayload
  readonly inbox: Inbox
  readonly editor: Editor
  readonly ids = new Map<string, string>()

  constructor(payload: RealPayload, database: TestDatabase) {
    this.payload = payload
    this.inbox = createInbox(database.db, [organizationPages(payload)], { chunkSize: 8, worker: { processes: 1 } })
    this.editor = payloadEditor(payload)
  }

  async prepare(): Promise<void> {
    const outcomes = await this.inbox.process('organization', before)
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['created']))
    for (const { id, title } of await this.pages()) this.ids.set(title.replace('Organization ', ''), String(id))
    for (const name of drafted) await this.editor.write(this.ids.get(name) ?? '', `Ann on ${name}`)
  }

  async pages(): Promise<{ id: number; title: string; phone: string | null; _status: string }[]> {
    return (await this.payload.find({ collection: 'organizations', depth: 0, pagination: false, sort: 'title' })).docs
  }

  /** What is left of workers that are gone is due at once. */
  async hurry(): Promise<void> {
    await this.inbox.rows("UPDATE sluice.chunk SET lease_until = now() - interval '1 second' WHERE state = 'claimed'")
    await reclaimExpired(this.inbox.db)
    await this.inbox.rows("UPDATE sluice.chunk SET due_at = now() WHERE state = 'ready'")
  }

  /** Every page once, with the revisions that the same has without faults, and every editor's text. */
  async check(id: string, lost: readonly string[] = []): Promise<void> {
    expect(await this.inbox.status(id)).toBe(3)
    const pages = await this.pages()
    expect(pages.map(({ title }) => title)).toEqual(after.map(({ title }) => title).toSorted())
    const revisions: Record<string, number> = {}
    const expected: Record<string, number> = {}
    for (const { id: page, title, phone, _status } of pages) {
      const name = title.replace('Organization ', '')
      const isGone = gone.includes(name)
      expect({ title, phone: isGone ? '777' : phone, _status }).toEqual({ title, phone: '777', _status: isGone ? 'draft' : 'published' })
      const seen = await this.editor.look(String(page))
      revisions[name] = seen.revisions
      // Created and changed; an editor's draft, and the same with what the master says in it.
      expected[name] = (fresh.includes(name) ? 1 : 2) + (drafted.includes(name) ? 2 : 0) - (lost.includes(name) ? 1 : 0)
      expect(seen.newest).toMatchObject({ text: drafted.includes(name) ? `Ann on ${name}` : '', ...(isGone ? {} : { phone: '777' }) })
      expect(seen.shown.text).toBe('')
    }
    expect(revisions).toEqual(expected)
  }
}

describe.skipIf(!hasPayload || !hasNative)('a worker is killed, and Payload with it', () => {
  const deaths: Record<PayloadDatabase, [DeathPoint, string][]> = {
    postgres: [
      ['before the page', 'R4-4'],
      ['between the page and its revision', 'R4-6'],
      ['before the commit', 'R5-1'],
      ['after the commit', 'R5-4'],
      ["before the draft's own", 'R4'],
    ],
    // Where no transaction holds the two writes of a page with a draft together, nor a page and its revision.
    sqlite: [
      ['between the page and its revision', 'R4-6'],
      ['after the commit', 'R5-4'],
    ],
  }
  test.each(payloadDatabases)('on %s: at every point of a write, one after the other', { timeout: 240_000 }, async (kind) => {
    const database = await createTestDatabase('postgres')
    const opened = await openPayload(kind)
    try {
      const scene = new Scene(opened.payload, database)
      await scene.prepare()
      const { id } = await scene.inbox.send('organization', after)
      for (const [point, name] of deaths[kind]) {
        const title = `Organization ${name}`
        const child = fork(new URL('victim.ts', import.meta.url), [database.url, opened.url, point, title], {
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        })
        const [, signal] = await once(child, 'exit')
        expect({ point, signal }).toEqual({ point, signal: 'SIGKILL' })
        await scene.hurry()
      }
      await scene.inbox.drain()
      await scene.check(id, kind === 'sqlite' ? ['R4-6'] : [])
    } finally {
      await opened.close()
      await database.close()
    }
  })
})

// With SQLite the database is a file of the worker's own machine: it is not away.
describe.skipIf(!hasPayload || !hasNative)("the site's PostgreSQL", () => {
  let server: PostgresServer
  let payload: RealPayload
  let database: TestDatabase
  beforeAll(async () => {
    server = await startPostgres({ settings: { fsync: 'off' } })
  }, 120_000)
  beforeEach(async ({ task }) => {
    database = await createTestDatabase('postgres')
    const name = `site_${task.id.replaceAll(/\W/g, '_')}`
    const admin = new pg.Client({ connectionString: server.url })
    await admin.connect()
    await admin.query(`CREATE DATABASE ${name}`)
    await admin.end()
    payload = await openSite(server.url.replace(/postgres$/, name))
    await payload.db.migrate()
  }, 120_000)
  afterEach(async () => {
    await closeSite(payload)
    await database.close()
  })
  afterAll(() => server?.remove())

  /** Lets a message be processed up to the middle of the write of one page, where `fault` happens; ends when nothing is due. */
  async function during(
    scene: Scene,
    fault: () => Promise<void>,
    hook: 'beforeChange' | 'afterChange' = 'beforeChange',
    title = 'Organization R5-3',
  ): Promise<string> {
    const { id } = await scene.inbox.send('organization', after)
    const hooks = payload.collections.organizations.config.hooks[hook]
    let isDone = false
    hooks.push(async ({ data, doc }) => {
      if (!isDone && (doc ?? data).title === title) {
        isDone = true
        await fault()
      }
      return doc ?? data
    })
    await scene.inbox.drain()
    expect(isDone).toBe(true)
    return id
  }

  test('is gone in the middle of a write: nothing fails, and once it is back all goes on', { timeout: 120_000 }, async () => {
    const scene = new Scene(payload, database)
    await scene.prepare()
    const id = await during(scene, () => server.stop('immediate'))
    for (let tries = 0; tries < 2; tries++) {
      expect(await scene.inbox.status(id)).toBe(2)
      expect(await scene.inbox.rows("SELECT DISTINCT last_error ->> 'code' AS code FROM sluice.chunk WHERE state = 'ready'")).toEqual([
        { code: 'site_unavailable' },
      ])
      expect(await scene.inbox.rows('SELECT FROM sluice.failure')).toEqual([])
      await scene.hurry()
      await scene.inbox.drain()
    }
    await server.start()
    await scene.hurry()
    await scene.inbox.drain()
    await scene.check(id)
  })

  test('was started anew in the middle of a write: that is not the page’s fault either', { timeout: 120_000 }, async () => {
    const scene = new Scene(payload, database)
    await scene.prepare()
    const id = await during(scene, async () => {
      await server.stop('immediate')
      await server.start()
    })
    expect(await scene.inbox.rows('SELECT FROM sluice.failure')).toEqual([])
    await scene.hurry()
    await scene.inbox.drain()
    await scene.check(id)
  })

  test('was started anew before a commit, which Payload takes for done: the page is written again', { timeout: 120_000 }, async () => {
    const scene = new Scene(payload, database)
    await scene.prepare()
    const restart = async (): Promise<void> => {
      await server.stop('immediate')
      await server.start()
    }
    // The last page of the last chunk: nothing after it fails.
    const id = await during(scene, restart, 'afterChange', `Organization ${after.at(-1)?.ms_id}`)
    await scene.hurry()
    await scene.inbox.drain()
    await scene.check(id)
  })
})
