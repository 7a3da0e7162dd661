/** Pages of a site with @payloadcms/plugin-nested-docs, which saves all that is below a page anew whenever that is saved. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { payloadSite, sluicePages } from '../../src/payload/index.ts'
import type { DesiredPage, PageResult, PageSite } from '../../src/targets/page.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { closeSite, type Doc, hasPayload, payloadDatabases, type RealPayload, withSearchPath } from '../support/payload.ts'
import { example } from '../support/payload-open.ts'

const collection = 'sections'
type Nested = Doc & { breadcrumbs: { url: string; label: string }[] }

describe.skipIf(!hasPayload).each(payloadDatabases)('a Payload site with nested docs on %s', (kind) => {
  let folder: string
  let database: TestDatabase | undefined
  let payload: RealPayload
  let site: PageSite
  let next = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-payload-'))
    // By variable: none is there when the types of the root are checked.
    const [library, adapter, plugin] = ['payload', `@payloadcms/db-${kind}`, '@payloadcms/plugin-nested-docs'].map(
      (name) => new URL(`node_modules/${name}/dist/index.js`, example).href,
    )
    const { buildConfig, getPayload } = await import(String(library))
    const { sqliteAdapter, postgresAdapter } = await import(String(adapter))
    const { nestedDocsPlugin } = await import(String(plugin))
    database = kind === 'postgres' ? await createTestDatabase('postgres') : undefined
    const url = database === undefined ? `file:${join(folder, 'site.db')}` : withSearchPath(database.url)
    const nested = nestedDocsPlugin({
      collections: [collection],
      generateURL: (docs: { slug: string }[]) => docs.map(({ slug }) => `/${slug}`).join(''),
      generateLabel: (_: unknown, { title }: { title: string }) => title,
    })
    const config = buildConfig({
      secret: 'a test only',
      telemetry: false,
      // Its tables are made of the config: nothing that is there can be lost.
      db:
        kind === 'postgres'
          ? postgresAdapter({ pool: { connectionString: url }, push: true })
          : sqliteAdapter({ client: { url }, push: true }),
      collections: [
        {
          slug: collection,
          versions: { drafts: true },
          fields: [
            { name: 'title', type: 'text', required: true },
            { name: 'slug', type: 'text', required: true },
            { name: 'phone', type: 'text' },
            { name: 'about', type: 'textarea' },
          ],
        },
        {
          slug: 'branches',
          versions: { drafts: true },
          fields: [
            { name: 'title', type: 'text' },
            { name: 'slug', type: 'text' },
            { name: 'parent', type: 'relationship', relationTo: 'branches' },
          ],
        },
      ],
      plugins: [nested, sluicePages([collection, 'branches'])],
    })
    payload = (await getPayload({ config, disableOnInit: true, key: url })) as RealPayload
    site = payloadSite({
      payload: () => Promise.resolve(payload),
      collections: [collection, 'branches'],
      places: { top: null },
      tree: 'nested-docs',
    })
  }, 120_000)
  afterAll(async () => {
    if (payload !== undefined) await closeSite(payload)
    await database?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const page = (externalId: string, parent: string | null, more: Partial<DesiredPage> = {}): DesiredPage => ({
    integration: 'section',
    externalId,
    type: collection,
    parent: parent === null ? { kind: 'place', place: 'top' } : { kind: 'page', integration: 'section', externalId: parent },
    title: externalId.toUpperCase(),
    slug: externalId,
    fields: { phone: '1' },
    references: {},
    sets: {},
    state: 'published',
    key: `${++next}.0.0`,
    version: String(next).padStart(9, '0'),
    ...more,
  })
  const apply = (...pages: DesiredPage[]): Promise<PageResult[]> =>
    site.apply(pages, { editorDraft: 'conflict', drift: 'tell' }, { signal: new AbortController().signal, log: console as never })
  const read = async (id: string | null | undefined, draft = false): Promise<Nested> =>
    (await payload.findByID({ collection, id: Number(id), draft, depth: 0 })) as Nested
  const revisions = async (): Promise<number> => (await payload.countVersions({ collection })).totalDocs
  const three = (name: string): DesiredPage[] => [page(`${name}1`, null), page(`${name}2`, `${name}1`), page(`${name}3`, `${name}2`)]

  test('addresses come from the breadcrumbs, and applying twice saves nothing', async () => {
    expect((await apply(...three('a'))).map(({ result, url }) => [result, url])).toEqual([
      ['created', '/a1'],
      ['created', '/a1/a2'],
      ['created', '/a1/a2/a3'],
    ])
    const before = await revisions()
    expect((await apply(...three('a'))).map(({ result }) => result)).toEqual(Array(3).fill('unchanged'))
    expect(await revisions()).toBe(before)
  })

  test('a page that goes elsewhere takes all below with it: their breadcrumbs are right, and their addresses are told', async () => {
    const [, , leaf] = await apply(...three('b'))
    await apply(page('bb', null))
    const [moved] = await apply(page('b2', 'bb'))
    expect(moved).toMatchObject({ result: 'moved', url: '/bb/b2' })
    expect(moved?.urls.toSorted()).toEqual(['/b1/b2', '/b1/b2/b3', '/bb/b2', '/bb/b2/b3'])
    expect((await read(leaf?.pageId)).breadcrumbs.map(({ url }) => url)).toEqual(['/bb', '/bb/b2', '/bb/b2/b3'])
    const before = await revisions()
    expect((await apply(page('b2', 'bb'), page('b3', 'b2'))).map(({ result }) => result)).toEqual(['unchanged', 'unchanged'])
    expect(await revisions()).toBe(before)
  })

  test("a page keeps its collection: one of the same object's in another is not ours", async () => {
    const [made] = await apply(page('d1', null))
    const elsewhere = page('d1', null, { type: 'branches', fields: {} })
    expect(await apply(elsewhere)).toMatchObject([{ result: 'conflict', pageId: made?.pageId, error: { code: 'not_ours' } }])
    expect((await payload.find({ collection: 'branches' })).docs).toEqual([])
  })

  test("the draft of an editor below remains the editor's when the page above is saved", async () => {
    const [, child] = await apply(...three('c'))
    await payload.update({ collection, id: Number(child?.pageId), data: { about: 'by Ann' }, draft: true })
    expect(await apply(page('c1', null, { fields: { phone: '2' } }))).toMatchObject([{ result: 'published' }])
    expect(await read(child?.pageId)).toMatchObject({ _status: 'published', about: null })
    expect(await read(child?.pageId, true)).toMatchObject({ _status: 'draft', about: 'by Ann' })
    expect(await site.lookup([{ integration: 'section', externalId: 'c2' }])).toMatchObject([{ editorDraft: true }])
    expect(await apply(page('c2', 'c1', { fields: { phone: '2' } }))).toMatchObject([{ error: { code: 'editor_draft' } }])
  })
})
