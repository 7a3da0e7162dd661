/** The Payload adapter against a real Payload, on SQLite and on PostgreSQL. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { payloadSite } from '../../src/payload/index.ts'
import type { DesiredPage, PagePolicy, PageResult, PageSite } from '../../src/targets/page.ts'
import { type Doc, hasPayload, openPayload, payloadDatabases, type RealPayload } from '../support/payload.ts'

describe.skipIf(!hasPayload).each(payloadDatabases)('a real Payload site on %s', (kind) => {
  let opened: Awaited<ReturnType<typeof openPayload>>
  let payload: RealPayload
  let site: PageSite
  let next = 0

  beforeAll(async () => {
    opened = await openPayload(kind)
    payload = opened.payload
    site = payloadSite({ payload: () => Promise.resolve(payload), collections: ['organizations'], places: { top: null } })
  }, 120_000)
  afterAll(() => opened?.close())

  const page = (externalId: string, more: Partial<DesiredPage> = {}): DesiredPage => ({
    integration: 'organization',
    externalId,
    type: 'organizations',
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
  const under = (externalId: string): DesiredPage['parent'] => ({ kind: 'page', integration: 'organization', externalId })
  const apply = async (desired: DesiredPage, policy: Partial<PagePolicy> = {}): Promise<PageResult> => {
    const context = { signal: new AbortController().signal, log: console as never }
    const [result] = await site.apply([desired], { editorDraft: 'conflict', drift: 'tell', ...policy }, context)
    if (result === undefined) throw new Error('no result')
    return result
  }
  const read = (id: string | null, draft = false): Promise<Doc> =>
    payload.findByID({ collection: 'organizations', id: Number(id), draft, depth: 0 })
  const revisions = async (id: string | null): Promise<number> =>
    (await payload.countVersions({ collection: 'organizations', where: { parent: { equals: Number(id) } } })).totalDocs
  const edit = (id: string | null, data: object, draft: boolean): Promise<unknown> =>
    payload.update({ collection: 'organizations', id: Number(id), data, draft, depth: 0 })

  test('created, unchanged without a revision, published, taken off, revived', async () => {
    const created = await apply(page('a'))
    expect(created).toMatchObject({ result: 'created', url: '/unit-a', urls: ['/unit-a'] })
    const id = created.pageId
    expect(await apply(page('a'))).toMatchObject({ result: 'unchanged', pageId: id, changes: null })
    expect(await revisions(id)).toBe(1)
    expect(await apply(page('a', { fields: { phone: '2' } }))).toMatchObject({
      result: 'published',
      changes: { phone: { before: '1', after: '2' } },
    })
    expect(await revisions(id)).toBe(2)
    const gone = page('a', { state: 'unpublished', parent: null, title: '', fields: {} })
    expect(await apply(gone)).toMatchObject({ result: 'unpublished', pageId: id })
    expect(await apply(gone)).toMatchObject({ result: 'unchanged' })
    expect(await read(id)).toMatchObject({ _status: 'draft', phone: '2', title: 'Unit a' })
    expect(await apply(page('a'))).toMatchObject({ result: 'published', drift: null, changes: { live: { before: false, after: true } } })
    expect(await apply(page('never', { state: 'unpublished', parent: null }))).toMatchObject({ result: 'unchanged', pageId: null })
  })

  test('a draft never touches what is live, and the same draft adds no revision', async () => {
    const { pageId } = await apply(page('d'))
    const draft = page('d', { state: 'draft', fields: { phone: '9' } })
    expect(await apply(draft)).toMatchObject({ result: 'draft_saved', urls: [] })
    expect(await apply(draft)).toMatchObject({ result: 'unchanged' })
    expect(await revisions(pageId)).toBe(2)
    expect([(await read(pageId)).phone, (await read(pageId, true)).phone]).toEqual(['1', '9'])
    expect(await apply(page('d', { fields: { phone: '9' } }))).toMatchObject({ result: 'published' })
    expect((await read(pageId)).phone).toBe('9')
  })

  test("an editor's draft: conflict, preserve, overwrite", async () => {
    const { pageId } = await apply(page('e'))
    await edit(pageId, { about: 'by Ann' }, true)
    const wanted = page('e', { fields: { phone: '5' } })
    expect(await apply(wanted)).toMatchObject({ result: 'conflict', error: { code: 'editor_draft' } })
    expect(await apply(page('e'))).toMatchObject({ result: 'unchanged' })
    expect(await apply(wanted, { editorDraft: 'preserve' })).toMatchObject({ result: 'published' })
    expect(await read(pageId)).toMatchObject({ phone: '5', about: null, _status: 'published' })
    expect(await read(pageId, true)).toMatchObject({ phone: '5', about: 'by Ann', _status: 'draft' })
    expect(await site.lookup([{ integration: 'organization', externalId: 'e' }])).toMatchObject([{ pageId, editorDraft: true }])
    expect(await apply(page('e', { fields: { phone: '6' } }), { editorDraft: 'overwrite' })).toMatchObject({ result: 'published' })
    expect(await read(pageId, true)).toMatchObject({ phone: '6', about: null, _status: 'published' })
  })

  test("taking a page off keeps an editor's draft", async () => {
    const { pageId } = await apply(page('k'))
    await edit(pageId, { about: 'by Ann' }, true)
    expect(await apply(page('k', { state: 'unpublished', parent: null }))).toMatchObject({ result: 'unpublished' })
    expect(await read(pageId)).toMatchObject({ _status: 'draft', about: null })
    expect(await read(pageId, true)).toMatchObject({ about: 'by Ann' })
  })

  test('an editor took the page off: told, and undone if the policy says so', async () => {
    const { pageId } = await apply(page('o'))
    await edit(pageId, { _status: 'draft' }, false)
    const told = await apply(page('o', { fields: { phone: '7' } }))
    expect(told.drift).toEqual(['an editor took the page off'])
    expect((await read(pageId))._status).toBe('draft')
    expect(await apply(page('o'), { drift: 'undo' })).toMatchObject({ result: 'published' })
  })

  test('moved with its parent; a missing parent waits; a circle is refused', async () => {
    expect(await apply(page('child', { parent: under('p') }))).toMatchObject({
      result: 'waiting',
      waitsFor: [{ integration: 'organization', externalId: 'p' }],
    })
    const parent = await apply(page('p'))
    const child = await apply(page('child', { parent: under('p') }))
    expect(child).toMatchObject({ result: 'created', url: '/unit-p/unit-child' })
    expect(await apply(page('p', { parent: under('child') }))).toMatchObject({ result: 'conflict', error: { code: 'parent_cycle' } })
    expect(await apply(page('child'))).toMatchObject({ result: 'moved', urls: ['/unit-p/unit-child', '/unit-child'] })
    await edit(child.pageId, { parent: Number(parent.pageId) }, false)
    expect(await apply(page('child'))).toMatchObject({ result: 'unchanged', drift: ['an editor moved the page'] })
    expect(await apply(page('child'), { drift: 'undo' })).toMatchObject({ result: 'moved' })
  })

  test('a slug taken, a page in the trash, a field that Payload refuses', async () => {
    const { pageId } = await apply(page('s', { slug: 'same' }))
    expect(await apply(page('s2', { slug: 'same' }))).toMatchObject({ result: 'conflict', error: { code: 'slug_taken' } })
    expect(await apply(page('s3', { fields: { phone: 'x'.repeat(30) } }))).toMatchObject({
      result: 'invalid',
      error: { code: 'page_invalid', fields: [{ path: '/fields/phone' }] },
    })
    await edit(pageId, { deletedAt: new Date().toISOString() }, false)
    expect(await apply(page('s', { slug: 'same' }))).toMatchObject({ result: 'conflict', error: { code: 'page_trashed' } })
  })

  test('a set is the same in any order', async () => {
    const areas = [await payload.create({ collection: 'areas', data: {} }), await payload.create({ collection: 'areas', data: {} })]
    const ids = areas.map((area) => String(area.id))
    const { pageId } = await apply(page('m', { sets: { areas: ids } }))
    expect(await apply(page('m', { sets: { areas: ids.toReversed() } }))).toMatchObject({ result: 'unchanged' })
    expect(await revisions(pageId)).toBe(1)
  })

  test('eight writers of one page at once make one page', async () => {
    const results = await Promise.all(Array.from({ length: 8 }, () => apply(page('w'))))
    expect(new Set(results.map(({ pageId }) => pageId)).size).toBe(1)
    expect(results.map(({ result }) => result).toSorted()).toEqual(['created', ...Array(7).fill('unchanged')])
  })

  test('eight writers under one parent lose nothing', async () => {
    const parent = await apply(page('crowd'))
    const names = Array.from({ length: 8 }, (_, index) => `member-${index}`)
    const results = await Promise.all(names.map((name) => apply(page(name, { parent: under('crowd') }))))
    expect(results.map(({ result }) => result)).toEqual(Array(8).fill('created'))
    const parents = await Promise.all(results.map(async ({ pageId }) => (await read(pageId)).parent))
    expect(parents).toEqual(Array(8).fill(Number(parent.pageId)))
  })

  test("an editor's circle of parents ends the walk", async () => {
    const upper = await apply(page('upper'))
    const lower = await apply(page('lower', { parent: under('upper') }))
    await edit(upper.pageId, { parent: Number(lower.pageId) }, false)
    expect(await apply(page('lower', { parent: under('upper'), fields: { phone: '3' } }))).toMatchObject({
      result: 'conflict',
      error: { code: 'parent_cycle' },
    })
    expect(await apply(page('upper'), { drift: 'undo' })).toMatchObject({ result: 'moved' })
  })

  test("a draft by the master goes into an editor's draft, or replaces it", async () => {
    const { pageId } = await apply(page('x'))
    await edit(pageId, { about: 'by Ann' }, true)
    const draft = page('x', { state: 'draft', fields: { phone: '4' } })
    expect(await apply(draft)).toMatchObject({ result: 'conflict', error: { code: 'editor_draft' } })
    expect(await apply(draft, { editorDraft: 'preserve' })).toMatchObject({ result: 'draft_saved' })
    expect(await read(pageId, true)).toMatchObject({ phone: '4', about: 'by Ann' })
    expect(await read(pageId)).toMatchObject({ phone: '1', about: null, _status: 'published' })
    expect(await apply(page('x', { fields: { phone: '4' } }))).toMatchObject({ error: { code: 'editor_draft' } })
    expect(await apply(page('x', { fields: { phone: '4' } }), { editorDraft: 'preserve' })).toMatchObject({ result: 'published' })
    expect(await read(pageId)).toMatchObject({ phone: '4', about: null })
  })

  test("what the site's own code throws for one page is that page's failure; the others go on", async () => {
    const { beforeChange } = payload.collections.organizations.config.hooks
    beforeChange.push(({ data }) => {
      if (data.title === 'Boom') throw new Error('the hook can not do this')
      return data
    })
    try {
      const context = { signal: new AbortController().signal, log: console as never }
      const results = await site.apply(
        [page('h1'), page('h2', { title: 'Boom' }), page('h3')],
        { editorDraft: 'conflict', drift: 'tell' },
        context,
      )
      expect(results).toMatchObject([
        { result: 'created' },
        { result: 'invalid', error: { code: 'page_invalid', message: expect.stringContaining('the hook can not do this') } },
        { result: 'created' },
      ])
    } finally {
      beforeChange.pop()
    }
  })

  test('a request that comes late changes nothing', async () => {
    const { pageId } = await apply(page('v', { version: '2' }))
    expect(await apply(page('v', { version: '1', fields: { phone: '9' } }))).toMatchObject({ result: 'superseded' })
    expect(await apply(page('v', { version: '1', state: 'unpublished', parent: null }))).toMatchObject({ result: 'superseded' })
    expect(await read(pageId)).toMatchObject({ phone: '1', _status: 'published' })
    expect(await apply(page('v', { version: '3', fields: { phone: '3' } }))).toMatchObject({ result: 'published' })
  })

  // Payload's adapter for SQLite has its transactions switched off unless a site asks for them.
  test.runIf(kind === 'postgres')("preserve: if the editor's draft can't be saved again, nothing was made live", async () => {
    const { pageId } = await apply(page('t'))
    await edit(pageId, { about: 'by Ann' }, true)
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
