/** Pages with a text for each language: the owned fields are written in the site's default one. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { payloadSite, sluicePages } from '../../src/payload/index.ts'
import type { DesiredPage, PagePolicy, PageResult, PageSite } from '../../src/targets/page.ts'
import { type Doc, hasPayload, type RealPayload } from '../support/payload.ts'
import { example } from '../support/payload-open.ts'

const collection = 'shops'

describe.skipIf(!hasPayload)('a Payload site in two languages', () => {
  let folder: string
  let payload: RealPayload
  let site: PageSite
  let next = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-payload-'))
    // By variable: neither is there when the types of the root are checked.
    const library = new URL('node_modules/payload/dist/index.js', example).href
    const adapter = new URL('node_modules/@payloadcms/db-sqlite/dist/index.js', example).href
    const { buildConfig, getPayload } = await import(library)
    const { sqliteAdapter } = await import(adapter)
    const url = `file:${join(folder, 'site.db')}`
    const config = buildConfig({
      secret: 'a test only',
      telemetry: false,
      // Its tables are made of the config: nothing that is there can be lost.
      db: sqliteAdapter({ client: { url }, push: true }),
      localization: { locales: ['en', 'de'], defaultLocale: 'en', fallback: true },
      collections: [
        {
          slug: collection,
          versions: { drafts: true },
          fields: [
            { name: 'title', type: 'text', required: true, localized: true },
            { name: 'slug', type: 'text', required: true },
            { name: 'parent', type: 'relationship', relationTo: collection },
            { name: 'phone', type: 'text' },
            { name: 'about', type: 'textarea', localized: true },
          ],
        },
      ],
      plugins: [sluicePages([collection])],
    })
    payload = (await getPayload({ config, disableOnInit: true, key: url })) as RealPayload
    site = payloadSite({ payload: () => Promise.resolve(payload), collections: [collection], places: { top: null } })
  }, 120_000)
  afterAll(async () => {
    await payload?.db.destroy()
    await rm(folder, { recursive: true, force: true })
  })

  const page = (externalId: string, more: Partial<DesiredPage> = {}): DesiredPage => ({
    integration: 'shop',
    externalId,
    type: collection,
    parent: { kind: 'place', place: 'top' },
    title: `Shop ${externalId}`,
    slug: null,
    fields: { phone: '1' },
    references: {},
    sets: {},
    state: 'published',
    key: `${++next}.0.0`,
    version: String(next).padStart(9, '0'),
    ...more,
  })
  const apply = async (desired: DesiredPage, policy: Partial<PagePolicy> = {}): Promise<PageResult | undefined> => {
    const context = { signal: new AbortController().signal, log: console as never }
    return (await site.apply([desired], { editorDraft: 'preserve', drift: 'tell', ...policy }, context))[0]
  }
  const read = (id: string | null | undefined, locale: string): Promise<Doc> =>
    payload.findByID({ collection, id: Number(id), depth: 0, locale, fallbackLocale: false })
  const write = (id: string | null | undefined, data: object, draft: boolean): Promise<unknown> =>
    payload.update({ collection, id: Number(id), data, draft, locale: 'de' })

  test('other languages stay as editors wrote them, and are never compared', async () => {
    const made = await apply(page('a'))
    await write(made?.pageId, { title: 'Laden a', about: 'von Anna', _status: 'published' }, false)
    expect(await apply(page('a'))).toMatchObject({ result: 'unchanged' })
    expect(await apply(page('a', { title: 'Store a', fields: { phone: '2' } }))).toMatchObject({ result: 'published' })
    expect(await read(made?.pageId, 'en')).toMatchObject({ title: 'Store a', phone: '2' })
    expect(await read(made?.pageId, 'de')).toMatchObject({ title: 'Laden a', about: 'von Anna', phone: '2' })
    expect(await apply(page('a', { title: 'Store a', fields: { phone: '2' } }))).toMatchObject({ result: 'unchanged' })
  })

  test("an editor's draft in another language is never made live: with one, every policy is conflict", async () => {
    const made = await apply(page('b'))
    await write(made?.pageId, { about: 'halber Satz' }, true)
    for (const editorDraft of ['preserve', 'overwrite'] as const) {
      const got = await apply(page('b', { fields: { phone: '2' } }), { editorDraft })
      expect(got).toMatchObject({ result: 'conflict', error: { code: 'editor_draft' } })
    }
    expect(await apply(page('b', { state: 'unpublished', parent: null }))).toMatchObject({ error: { code: 'editor_draft' } })
    const live = await read(made?.pageId, 'de')
    expect([live._status, live.about ?? null]).toEqual(['published', null])
    await write(made?.pageId, { title: 'Laden b', about: 'ganzer Satz', _status: 'published' }, false)
    expect(await apply(page('b', { fields: { phone: '2' } }))).toMatchObject({ result: 'published' })
    expect(await read(made?.pageId, 'de')).toMatchObject({ about: 'ganzer Satz', phone: '2' })
  })

  test("what that is for: Payload makes a draft live in all languages, though one's own text is sent along", async () => {
    const made = await apply(page('c'))
    await write(made?.pageId, { about: 'halber Satz' }, true)
    const data = { title: 'Shop c', about: null, _status: 'published' }
    await payload.update({ collection, id: Number(made?.pageId), data, locale: 'en' })
    expect(await read(made?.pageId, 'de')).toMatchObject({ about: 'halber Satz', _status: 'published' })
  })
})
