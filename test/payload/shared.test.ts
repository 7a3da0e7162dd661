/** Payload in Sluice's own database: pages, revisions and what Sluice says of them are one transaction. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reclaimExpired } from '../../src/store/chunk.ts'
import type { Db } from '../../src/store/db.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { createTestDatabase, hasNative, type TestDatabase } from '../support/database.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'
import { closeSite, hasPayload, openPayload, payloadEditor, type RealPayload, withSearchPath } from '../support/payload.ts'
import { openDrizzle, openSite } from '../support/payload-open.ts'
import { organizationPages } from './organization-pages.ts'
import type { DeathPoint } from './victim.ts'

const organization = (ms_id: string, phone: string) => ({ ms_id, title: `Unit ${ms_id}`, parent_ms_id: null, phone })

describe.skipIf(!hasPayload || !hasNative)('a transaction shared with Payload', () => {
  let database: TestDatabase
  let url: string
  let db: Db
  let payload: RealPayload
  let inbox: Inbox
  beforeAll(async () => {
    database = await createTestDatabase('postgres')
    url = withSearchPath(database.url)
    payload = await openSite(url)
    await payload.db.migrate()
    db = createPostgres({ url })
    inbox = createInbox(db, [organizationPages(payload, await openDrizzle())], { chunkSize: 8 })
  }, 120_000)
  afterAll(async () => {
    await db?.close()
    if (payload !== undefined) await closeSite(payload)
    await database?.close()
  })

  const pages = async () => (await payload.find({ collection: 'organizations', depth: 0, pagination: false, sort: 'title' })).docs
  const revisionsOf = async (names: readonly string[]): Promise<(number | null)[]> => {
    const editor = payloadEditor(payload)
    const all = new Map((await pages()).map(({ id, title }) => [title, String(id)]))
    return Promise.all(
      names.map(async (name) => {
        const id = all.get(`Unit ${name}`)
        return id === undefined ? null : (await editor.look(id)).revisions
      }),
    )
  }

  test('a page that fails after it was written leaves nothing; the others are there', async () => {
    const { afterChange } = payload.collections.organizations.config.hooks
    afterChange.push(({ doc }) => {
      if (doc?.title === 'Unit bad') throw new Error('no such unit')
      return doc
    })
    try {
      const outcomes = await inbox.process('organization', [organization('a', '1'), organization('bad', '1'), organization('b', '1')])
      expect(outcomes).toMatchObject([{ outcome: 'created' }, { error: { code: 'page_invalid' } }, { outcome: 'created' }])
    } finally {
      afterChange.pop()
    }
    expect(await revisionsOf(['a', 'bad', 'b'])).toEqual([1, null, 1])
    const again = await inbox.process('organization', [organization('bad', '1')])
    expect(again).toMatchObject([{ outcome: 'created' }])
  })

  test.each<DeathPoint>(['between the page and its revision', 'after the commit'])(
    'a worker that is killed %s leaves nothing of the whole chunk, and then each page is written once',
    { timeout: 60_000 },
    async (point) => {
      const names = [0, 1, 2, 3].map((n) => `${point.slice(0, 3)}${n}`)
      await inbox.process(
        'organization',
        names.map((name) => organization(name, '1')),
      )
      const { id } = await inbox.send(
        'organization',
        names.map((name) => organization(name, '2')),
      )
      const child = fork(new URL('victim.ts', import.meta.url), [url, url, point, `Unit ${names[2]}`], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      const [, signal] = await once(child, 'exit')
      expect(signal).toBe('SIGKILL')
      // Payload has written two pages, and the third; Sluice had not committed.
      expect(await revisionsOf(names)).toEqual([1, 1, 1, 1])
      await inbox.rows("UPDATE sluice.chunk SET lease_until = now() - interval '1 second' WHERE state = 'claimed'")
      await reclaimExpired(db)
      await inbox.drain()
      expect(await inbox.status(id)).toBe(3)
      expect(await revisionsOf(names)).toEqual([2, 2, 2, 2])
      expect((await pages()).filter(({ title }) => names.includes(title.replace('Unit ', ''))).map(({ phone }) => phone)).toEqual(
        names.map(() => '2'),
      )
    },
  )

  test('with Payload elsewhere the integration is paused, and says why', async () => {
    const elsewhere = await openPayload('sqlite')
    const mistaken = createInbox(db, [organizationPages(elsewhere.payload, await openDrizzle())])
    try {
      const { id } = await mistaken.send('organization', [organization('x', '1')])
      await mistaken.drain()
      expect(await mistaken.status(id)).toBe(2)
      const [paused] = await inbox.rows<{ reason: string }>('SELECT reason FROM sluice.paused_integration')
      expect(paused?.reason).toContain('Payload and Sluice in one PostgreSQL database, and Payload is on sqlite')
    } finally {
      await inbox.rows('DELETE FROM sluice.paused_integration')
      await elsewhere.close()
    }
    await inbox.drain()
    expect(await revisionsOf(['x'])).toEqual([1])
  })
})
