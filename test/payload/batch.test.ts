/** A batch is read at once: what somebody else does while it is written must still count. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { payloadSite } from '../../src/payload/index.ts'
import type { DesiredPage, PageResult, PageSite } from '../../src/targets/page.ts'
import { type Doc, hasPayload, openPayload, payloadDatabases, type RealPayload } from '../support/payload.ts'

const collection = 'organizations'

describe.skipIf(!hasPayload).each(payloadDatabases)('a batch for a Payload site on %s', (kind) => {
  let opened: Awaited<ReturnType<typeof openPayload>>
  let payload: RealPayload
  let site: PageSite
  let next = 0
  beforeAll(async () => {
    opened = await openPayload(kind)
    payload = opened.payload
    site = payloadSite({ payload: () => Promise.resolve(payload), collections: [collection], places: { top: null } })
  }, 120_000)
  afterAll(() => opened?.close())

  const page = (externalId: string, more: Partial<DesiredPage> = {}): DesiredPage => ({
    integration: 'organization',
    externalId,
    type: collection,
    parent: { kind: 'place', place: 'top' },
    title: `Unit ${externalId}`,
    slug: null,
    fields: { phone: '1' },
    version: '1',
    references: {},
    sets: {},
    state: 'published',
    key: `${++next}.0.0`,
    ...more,
  })
  const under = (externalId: string): Pick<DesiredPage, 'parent'> => ({
    parent: { kind: 'page', integration: 'organization', externalId },
  })
  const apply = (...pages: DesiredPage[]): Promise<PageResult[]> =>
    site.apply(pages, { editorDraft: 'conflict', drift: 'tell' }, { signal: new AbortController().signal, log: console as never })
  const read = (id: string | null | undefined, draft = false): Promise<Doc> =>
    payload.findByID({ collection, id: Number(id), draft, depth: 0 })

  /** Does something while the page with this title is written, once. */
  const during = async (title: string, work: () => Promise<unknown>, run: () => Promise<PageResult[]>): Promise<PageResult[]> => {
    const { beforeChange } = payload.collections.organizations.config.hooks
    let isDone = false
    beforeChange.push(async ({ data }) => {
      if (isDone || data.title !== title) return data
      isDone = true
      await work()
      return data
    })
    try {
      return await run()
    } finally {
      beforeChange.pop()
    }
  }

  test("an editor's draft that was saved after the batch was read is not made live", async () => {
    const [, below] = await apply(page('a'), page('b', under('a')))
    const wanted = [page('a', { fields: { phone: '2' } }), page('b', { ...under('a'), fields: { phone: '2' } })]
    // The child waits for its parent, so the editor is there between the two.
    const edit = (): Promise<unknown> => payload.update({ collection, id: Number(below?.pageId), data: { about: 'by Ann' }, draft: true })
    const results = await during('Unit a', edit, () => apply(...wanted))
    expect(results).toMatchObject([{ result: 'published' }, { result: 'conflict', error: { code: 'editor_draft' } }])
    expect(await read(below?.pageId)).toMatchObject({ phone: '1', about: null })
    expect(await read(below?.pageId, true)).toMatchObject({ phone: '1', about: 'by Ann' })
  })

  test('what an editor published meanwhile stays', async () => {
    const [, below] = await apply(page('c'), page('d', under('c')))
    const publish = (): Promise<unknown> =>
      payload.update({ collection, id: Number(below?.pageId), data: { about: 'by Ann', _status: 'published' } })
    const results = await during('Unit c', publish, () =>
      apply(page('c', { fields: { phone: '2' } }), page('d', { ...under('c'), fields: { phone: '2' } })),
    )
    expect(results).toMatchObject([{ result: 'published' }, { result: 'published' }])
    expect(await read(below?.pageId)).toMatchObject({ phone: '2', about: 'by Ann' })
  })

  test('a page that somebody else made meanwhile is found', async () => {
    const other = payloadSite({ payload: () => Promise.resolve(payload), collections: [collection], places: { top: null } })
    const child = page('f', under('e'))
    await apply(page('e'))
    const make = (): Promise<unknown> =>
      other.apply([child], { editorDraft: 'conflict', drift: 'tell' }, { signal: new AbortController().signal, log: console as never })
    const results = await during('Unit e', make, () => apply(page('e', { fields: { phone: '2' } }), child))
    expect(results).toMatchObject([{ result: 'published' }, { result: 'unchanged' }])
  })

  test('parents and children, a slug that is taken within the batch, and the same page twice', async () => {
    const results = await apply(
      page('g'),
      page('h', under('g')),
      page('i', { ...under('g'), slug: 'unit-h' }),
      page('j', under('h')),
      page('h', { ...under('g'), fields: { phone: '2' } }),
    )
    expect(results).toMatchObject([
      { result: 'created', url: '/unit-g' },
      { result: 'created', url: '/unit-g/unit-h' },
      { result: 'conflict', error: { code: 'slug_taken' } },
      { result: 'created', url: '/unit-g/unit-h/unit-j' },
      { result: 'published', changes: { phone: { before: '1', after: '2' } } },
    ])
  })

  test('two moves that would close a circle are refused, both: none of them can come first', async () => {
    await apply(page('k'), page('l'))
    const results = await apply(page('k', under('l')), page('l', under('k')))
    expect(results.map(({ error }) => error?.code)).toEqual(['parent_cycle', 'parent_cycle'])
  })

  // PostgreSQL holds no such character; SQLite does.
  test.runIf(kind === 'postgres')('a page that can not even be looked for harms only itself', async () => {
    const results = await apply(page('m'), page('n\u0000'), page('o', under('m')))
    expect(results).toMatchObject([{ result: 'created' }, { result: 'invalid', error: { code: 'page_invalid' } }, { result: 'created' }])
  })
})
