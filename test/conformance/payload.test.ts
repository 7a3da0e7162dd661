/** The Payload adapter against a real Payload, on SQLite and on PostgreSQL: the contract, and what only Payload has. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PayloadOptions } from '../../src/payload/index.ts'
import { payloadSite } from '../../src/payload/index.ts'
import type { Db } from '../../src/store/db.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import type { DesiredPage, PagePolicy, PageResult, PageSite } from '../../src/targets/page.ts'
import {
  type Doc,
  hasPayload,
  openPayload,
  type PayloadDatabase,
  payloadDatabases,
  payloadEditor,
  type RealPayload,
} from '../support/payload.ts'
import { openDrizzle } from '../support/payload-open.ts'
import type { EditedSite } from './site.ts'
import { conforms } from './suite.ts'

/** Where it is, and whether its pages are written in Sluice's own transaction. */
interface Way {
  kind: PayloadDatabase
  shared: boolean
}
const ways = payloadDatabases.flatMap((kind): Way[] => [{ kind, shared: false }, ...(kind === 'postgres' ? [{ kind, shared: true }] : [])])

describe.skipIf(!hasPayload).each(ways)('a real Payload site on $kind, its transaction shared: $shared', ({ kind, shared }) => {
  let opened: Awaited<ReturnType<typeof openPayload>>
  let payload: RealPayload
  let edited: EditedSite
  let next = 0
  let db: Db | undefined

  beforeAll(async () => {
    opened = await openPayload(kind)
    payload = opened.payload
    const areas = [await payload.create({ collection: 'areas', data: {} }), await payload.create({ collection: 'areas', data: {} })]
    const options = { payload: () => Promise.resolve(payload), collections: ['organizations'], places: { top: null } }
    edited = {
      site: shared ? await inTransactions(options, opened.url) : payloadSite(options),
      type: 'organizations',
      place: 'top',
      areas: [String(areas[0]?.id), String(areas[1]?.id)],
      editor: payloadEditor(payload),
      url: (...slugs) => `/${slugs.join('/')}`,
    }
  }, 120_000)
  afterAll(async () => {
    await db?.close()
    await opened?.close()
  })

  /** Each batch in a transaction like a chunk's. */
  const inTransactions = async (options: PayloadOptions, url: string): Promise<PageSite> => {
    const site = payloadSite({ ...options, sharedTransaction: { drizzle: await openDrizzle() } })
    const own = createPostgres({ url })
    db = own
    return {
      ...site,
      apply: (pages, policy, context) =>
        own.transaction((tx) => site.apply(pages, policy, { ...context, native: tx.native }), { statementTimeout: 30_000 }),
    }
  }

  conforms(() => edited)

  const page = (externalId: string, more: Partial<DesiredPage> = {}): DesiredPage => ({
    integration: 'special',
    externalId,
    type: 'organizations',
    parent: { kind: 'place', place: 'top' },
    title: `Special ${externalId}`,
    slug: null,
    fields: { phone: '1' },
    version: '1',
    references: {},
    sets: {},
    state: 'published',
    key: `${++next}.0.0`,
    ...more,
  })
  const under = (externalId: string): DesiredPage['parent'] => ({ kind: 'page', integration: 'special', externalId })
  const applyAll = (pages: DesiredPage[], policy: Partial<PagePolicy> = {}): Promise<PageResult[]> =>
    edited.site.apply(
      pages,
      { editorDraft: 'conflict', drift: 'tell', ...policy },
      { signal: new AbortController().signal, log: console as never },
    )
  const apply = async (desired: DesiredPage, policy: Partial<PagePolicy> = {}): Promise<PageResult> => {
    const [result] = await applyAll([desired], policy)
    if (result === undefined) throw new Error('no result')
    return result
  }
  const read = (id: string | null, draft = false): Promise<Doc> =>
    payload.findByID({ collection: 'organizations', id: Number(id), draft, depth: 0 })

  test("an editor's circle of parents ends the walk", async () => {
    const upper = await apply(page('upper'))
    const lower = await apply(page('lower', { parent: under('upper') }))
    await edited.editor.move(upper.pageId ?? '', lower.pageId ?? '')
    expect(await apply(page('lower', { parent: under('upper'), fields: { phone: '3' } }))).toMatchObject({
      result: 'conflict',
      error: { code: 'parent_cycle' },
    })
    expect(await apply(page('upper'), { drift: 'undo' })).toMatchObject({ result: 'moved' })
  })

  test("what the site's own code throws for one page is that page's failure; the others go on", async () => {
    const { beforeChange } = payload.collections.organizations.config.hooks
    beforeChange.push(({ data }) => {
      if (data.title === 'Boom') throw new Error('the hook can not do this')
      return data
    })
    try {
      expect(await applyAll([page('h1'), page('h2', { title: 'Boom' }), page('h3')])).toMatchObject([
        { result: 'created' },
        { result: 'invalid', error: { code: 'page_invalid', message: expect.stringContaining('the hook can not do this') } },
        { result: 'created' },
      ])
    } finally {
      beforeChange.pop()
    }
  })

  test.runIf(kind === 'postgres')("code of the site that ends a write's transaction and drops the error is found out", async () => {
    const { afterChange } = payload.collections.organizations.config.hooks
    const { pageId } = await apply(page('other'))
    afterChange.push(async ({ doc, req }) => {
      if (doc?.title === 'Doomed')
        await payload
          .update({ collection: 'organizations', id: Number(pageId), data: { phone: 'x'.repeat(30) }, req })
          .catch(() => undefined)
      return doc
    })
    try {
      expect(await applyAll([page('d1'), page('d2', { title: 'Doomed' }), page('d3')])).toMatchObject([
        { result: 'created' },
        {
          result: 'invalid',
          pageId: null,
          error: { code: 'page_invalid', message: expect.stringMatching(shared ? /ended the transaction/ : /lost it, twice/) },
        },
        { result: 'created' },
      ])
    } finally {
      afterChange.pop()
    }
    expect(await apply(page('d2', { title: 'Doomed' }))).toMatchObject({ result: 'created' })
  })

  test('out of the trash a page comes back as it was, with what the master says now', async () => {
    const { pageId } = await apply(page('binned'))
    await edited.editor.remove(pageId ?? '')
    expect(await apply(page('binned', { fields: { phone: '2' } }), { drift: 'undo' })).toMatchObject({ result: 'published', pageId })
    expect(await read(pageId)).toMatchObject({ phone: '2', _status: 'published' })
  })

  // Payload's adapter for SQLite has its transactions switched off unless a site asks for them.
  test.runIf(kind === 'postgres')("preserve: if the editor's draft can't be saved again, nothing was made live", async () => {
    const { pageId } = await apply(page('t'))
    await edited.editor.write(pageId ?? '', 'by Ann')
    const { beforeChange } = payload.collections.organizations.config.hooks
    beforeChange.push(({ data }) => {
      if (data._status === 'draft') throw new Error('no drafts today')
      return data
    })
    try {
      const wanted = page('t', { fields: { phone: '8' } })
      expect(await apply(wanted, { editorDraft: 'preserve' })).toMatchObject({ result: 'invalid', error: { code: 'page_invalid' } })
      expect(await read(pageId)).toMatchObject({ phone: '1', about: null, _status: 'published' })
      expect(await read(pageId, true)).toMatchObject({ phone: '1', about: 'by Ann' })
    } finally {
      beforeChange.pop()
    }
    expect(await apply(page('t', { fields: { phone: '8' } }), { editorDraft: 'preserve' })).toMatchObject({ result: 'published' })
    expect(await read(pageId, true)).toMatchObject({ phone: '8', about: 'by Ann' })
  })
})
