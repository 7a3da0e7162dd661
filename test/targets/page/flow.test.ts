/** Objects on their way to pages: what a site is asked for, in which order, and what becomes of its answers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration, type Integration } from '../../../src/config.ts'
import { SluiceError } from '../../../src/errors.ts'
import type { DesiredPage, PageResult, PageSite } from '../../../src/targets/page.ts'
import { onBoth, onPostgres } from '../../support/both.ts'
import { resetCompany } from '../../support/company.ts'
import { createInbox } from '../../support/inbox.ts'

/** A site that takes whatever it is asked for and remembers it: a real one stands in test/conformance. */
class Ledger implements PageSite {
  readonly name = 'a list'
  readonly capabilities = { move: true, batch: 3, sharedTransaction: false }
  readonly asked: DesiredPage[][] = []
  readonly told: string[][] = []
  answer: (page: DesiredPage, id: string) => Partial<PageResult> = () => ({})
  /** External IDs of pages that an editor's draft stands on. */
  readonly drafts = new Set<string>()
  readonly #ids = new Map<string, string>()

  apply(pages: readonly DesiredPage[]): Promise<PageResult[]> {
    this.asked.push([...pages])
    return Promise.resolve(
      pages.map((page) => {
        const key = `${page.integration} ${page.externalId}`
        const isNew = !this.#ids.has(key)
        const id = this.#ids.get(key) ?? String(100 + this.#ids.size)
        this.#ids.set(key, id)
        const url = `https://example.org/${page.slug ?? page.externalId}/`
        return {
          result: isNew ? 'created' : 'published',
          pageId: id,
          url,
          urls: [url],
          changes: { title: { before: null, after: page.title } },
          drift: null,
          error: null,
          waitsFor: null,
          ...this.answer(page, id),
        }
      }),
    )
  }

  lookup(keys: readonly { integration: string; externalId: string }[]): ReturnType<PageSite['lookup']> {
    return Promise.resolve(
      keys.map((key) => {
        const pageId = this.#ids.get(`${key.integration} ${key.externalId}`)
        return pageId === undefined ? null : { ...key, pageId, editorDraft: this.drafts.has(key.externalId) }
      }),
    )
  }

  revalidate = (urls: readonly string[]): Promise<void> => {
    this.told.push([...urls])
    return Promise.resolve()
  }
}

const area = defineIntegration({
  name: 'area',
  schema: z.object({ id: z.string() }),
  key: 'id',
  target: (t) => t.handler({ apply: (object) => ({ outcome: 'created', ref: `area-${object.id}` }) }),
})

function unit(site: PageSite, parent: 'place' | 'unit' = 'place'): Integration {
  return defineIntegration({
    name: 'unit',
    schema: z.object({
      id: z.string(),
      title: z.string(),
      phone: z.string().nullish(),
      rate: z.number().optional(),
      area: z.string().nullish(),
      areas: z.array(z.string()).optional(),
      under: z.string().nullish(),
      gone: z.boolean().optional(),
    }),
    key: 'id',
    deleted: (object) => object.gone === true,
    target: (t) =>
      t.page(site, {
        type: 'site.UnitPage',
        parent: parent === 'place' ? t.place('units') : t.parent('unit', 'under', { top: t.place('units') }),
        title: 'title',
        slug: (object) => object.title.toLowerCase(),
        fields: { phone: 'phone', rate: 'rate' },
        refs: { area: t.ref('area', 'area') },
        sets: { areas: t.ref('area', 'areas') },
      }),
  })
}

onBoth((opened) => {
  let site: Ledger
  beforeEach(async () => {
    await resetCompany(opened.db)
    site = new Ledger()
  })

  test('a page is asked for with what the object carries, references by the ids of their targets', async () => {
    const inbox = createInbox(opened.db, [area, unit(site)])
    await inbox.process('area', [{ id: 'a' }, { id: 'b' }])
    const [outcome] = await inbox.process(
      'unit',
      '[{"id":"u","title":"Unit","phone":null,"rate":12345678901234567890.5,"area":"a","areas":["b","a"]}]',
    )
    expect(site.asked).toEqual([
      [
        {
          integration: 'unit',
          externalId: 'u',
          type: 'site.UnitPage',
          parent: { kind: 'place', place: 'units' },
          title: 'Unit',
          slug: 'unit',
          fields: { phone: null, rate: '12345678901234567890.5' },
          references: { area: 'area-a' },
          sets: { areas: ['area-b', 'area-a'] },
          state: 'published',
          key: '2.0.0',
          version: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        },
      ],
    ])
    expect(outcome).toMatchObject({
      outcome: 'created',
      detail: 'created page 100, https://example.org/unit/',
      changes: { title: { before: null, after: 'Unit' } },
    })
    expect(site.told).toEqual([['https://example.org/unit/']])
  })

  test('each request for a page has a higher version than the one before', async () => {
    const inbox = createInbox(opened.db, [area, unit(site)])
    for (const title of ['One', 'Two', 'Three']) await inbox.process('unit', [{ id: 'u', title }])
    const versions = site.asked.flat().map(({ version }) => version)
    expect(versions).toEqual([...versions].sort())
    expect(new Set(versions).size).toBe(3)
  })

  test('what failed for the draft of an editor goes on when that is gone, however late, and not before', async () => {
    const inbox = createInbox(opened.db, [area, unit(site)])
    await inbox.process('unit', [
      { id: 'u', title: 'Unit' },
      { id: 'w', title: 'Other' },
    ])
    for (const id of ['u', 'w']) site.drafts.add(id)
    site.answer = ({ externalId }) =>
      site.drafts.has(externalId) ? { result: 'conflict', error: { code: 'editor_draft', message: 'A draft by Ann' } } : {}
    const { id } = await inbox.send('unit', [
      { id: 'u', title: 'New' },
      { id: 'w', title: 'Newer' },
    ])
    await inbox.drain()
    // Long ago: nothing is left of its attempts.
    await inbox.rows('UPDATE sluice.failure SET due_at = NULL, attempts = 10')
    const asked = site.asked.length
    await inbox.drain()
    expect(site.asked).toHaveLength(asked)
    expect(await inbox.status(id)).toBe(-3)
    site.drafts.delete('u')
    await inbox.drain()
    expect((await inbox.outcomes(id)).map(({ outcome, error }) => outcome ?? error?.code)).toEqual(['updated', 'editor_draft'])
    site.lookup = () => Promise.reject(new SluiceError('site_unavailable', 'gone', { retryable: true }))
    await inbox.drain()
    expect(await inbox.status(id)).toBe(-3)
    // The editor deleted the page, and the draft with it.
    site.drafts.delete('w')
    site.lookup = (keys) => Promise.resolve(keys.map(() => null))
    await inbox.drain()
    expect((await inbox.outcomes(id)).map(({ outcome }) => outcome)).toEqual(['updated', 'updated'])
  })

  test('what an object lacks is not asked for', async () => {
    const inbox = createInbox(opened.db, [area, unit(site)])
    await inbox.process('unit', [{ id: 'u', title: 'Unit' }])
    expect(site.asked[0]?.[0]).toMatchObject({ fields: {}, references: {}, sets: {} })
  })

  test('a page waits for what it refers to and goes on by itself; parents come before children', async () => {
    const inbox = createInbox(opened.db, [area, unit(site, 'unit')])
    const child = await inbox.send('unit', [
      { id: 'c', title: 'C', under: 'b' },
      { id: 'b', title: 'B', under: 'a', area: 'x' },
    ])
    await inbox.drain()
    expect(site.asked).toEqual([])
    expect((await inbox.outcomes(child.id)).map(({ error }) => error?.code)).toEqual(['missing_reference', 'missing_reference'])
    await inbox.process('area', [{ id: 'x' }])
    expect(site.asked).toEqual([])
    await inbox.process('unit', [{ id: 'a', title: 'A', under: null }])
    await inbox.drain()
    expect(site.asked.flat().map(({ externalId, parent }) => [externalId, parent])).toEqual([
      ['a', { kind: 'place', place: 'units' }],
      ['b', { kind: 'page', integration: 'unit', externalId: 'a' }],
      ['c', { kind: 'page', integration: 'unit', externalId: 'b' }],
    ])
    expect(await inbox.status(child.id)).toBe(3)
  })

  test('a deletion takes its page off, and says nothing of its fields', async () => {
    const inbox = createInbox(opened.db, [area, unit(site)])
    await inbox.process('unit', [{ id: 'u', title: 'Unit' }])
    site.answer = () => ({ result: 'unpublished', changes: { live: { before: true, after: false } } })
    expect(await inbox.process('unit', [{ id: 'u', gone: true, phone: '1', area: 'nowhere' }])).toMatchObject([
      { outcome: 'deleted', detail: 'unpublished page 100, https://example.org/u/' },
    ])
    expect(site.asked[1]?.[0]).toMatchObject({ state: 'unpublished', fields: {}, references: {}, title: '' })
    site.answer = () => ({ result: 'unchanged', pageId: null, url: null, urls: [], changes: null })
    expect(await inbox.process('unit', [{ id: 'never', gone: true }])).toMatchObject([{ outcome: 'ignored' }])
  })

  test('a draft message asks for drafts', async () => {
    const inbox = createInbox(opened.db, [area, unit(site)])
    await inbox.send('unit', [{ id: 'u', title: 'Unit' }], { draft: true })
    await inbox.drain()
    expect(site.asked[0]?.[0]?.state).toBe('draft')
  })

  test('no more pages at once than the site takes', async () => {
    const inbox = createInbox(opened.db, [area, unit(site)])
    const units = Array.from({ length: 7 }, (_, index) => ({ id: `u${index}`, title: `U${index}` }))
    await inbox.process('unit', units)
    expect(site.asked.map((pages) => pages.length)).toEqual([3, 3, 1])
  })

  describe('what a site answers', () => {
    test.each<[answer: Partial<PageResult>, outcome: Record<string, unknown>]>([
      [{ result: 'published' }, { outcome: 'updated', detail: 'published page 100, https://example.org/unit/' }],
      [{ result: 'draft_saved' }, { outcome: 'updated', detail: 'draft saved page 100, https://example.org/unit/' }],
      [{ result: 'moved' }, { outcome: 'updated' }],
      // The clock of the database went back.
      [{ result: 'superseded' }, { outcome: null, error: { code: 'site_is_ahead', class: 'transient' } }],
      [
        { result: 'unchanged', changes: null },
        { outcome: 'unchanged', changes: null },
      ],
      [{ result: 'unchanged', repeats: { result: 'created' } }, { outcome: 'created' }],
      [
        { result: 'unchanged', drift: ['an editor took the page off'] },
        { outcome: 'unchanged', detail: 'unchanged page 100, https://example.org/unit/ (an editor took the page off)' },
      ],
      [
        { result: 'conflict', error: { code: 'editor_draft', message: 'A draft by Ann' } },
        { outcome: null, error: { code: 'editor_draft', class: 'transient', message: 'A draft by Ann' } },
      ],
      [
        { result: 'conflict', error: { code: 'slug_taken', message: 'Taken' } },
        { outcome: null, error: { code: 'slug_taken', class: 'permanent', message: 'Taken' } },
      ],
      [
        {
          result: 'waiting',
          error: { code: 'missing_reference', message: 'No parent' },
          waitsFor: [{ integration: 'unit', externalId: 'p' }],
        },
        { outcome: null, error: { code: 'missing_reference', class: 'transient', message: 'No parent. waits for unit "p"' } },
      ],
      [
        { result: 'invalid', error: { code: 'page_invalid', message: 'No', fields: [{ path: '/fields/phone', message: 'too long' }] } },
        { outcome: null, error: { code: 'page_invalid', class: 'permanent', message: 'No. /fields/phone: too long' } },
      ],
    ])('%j', async (answer, outcome) => {
      const inbox = createInbox(opened.db, [area, unit(site)])
      site.answer = () => answer
      site.drafts.add('u')
      expect(await inbox.process('unit', [{ id: 'u', title: 'Unit' }])).toMatchObject([outcome])
    })

    test('nothing: the chunk comes again, and no object has failed', async () => {
      const inbox = createInbox(opened.db, [area, unit(site)])
      site.answer = () => {
        throw new SluiceError('site_unavailable', 'gone', { retryable: true })
      }
      const { id } = await inbox.send('unit', [{ id: 'u', title: 'Unit' }])
      await inbox.drain()
      expect(await inbox.status(id)).toBe(2)
      expect(await inbox.rows("SELECT state, last_error ->> 'code' AS code FROM sluice.chunk")).toEqual([
        { state: 'ready', code: 'site_unavailable' },
      ])
    })
  })

  test.each<[text: string, error: Record<string, unknown>]>([
    ['{"id":"u","title":" ","under":"a"}', { code: 'missing_title', pointer: '/0/title' }],
    ['{"id":"u","title":"U"}', { code: 'missing_parent', pointer: '/0/under' }],
    ['{"id":"u","title":"U","under":"u"}', { code: 'parent_cycle', pointer: '/0/under' }],
  ])('an object that makes no page fails by itself: %s', async (text, error) => {
    const inbox = createInbox(opened.db, [area, unit(site, 'unit')])
    expect(await inbox.process('unit', `[${text}]`)).toMatchObject([{ error }])
    expect(site.asked).toEqual([])
  })
})

onPostgres((opened) => {
  test('a site may take longer than a transaction may be idle: the worker says meanwhile that it is alive', async () => {
    await resetCompany(opened.db)
    const site = new Ledger()
    // It says so three times in a lease.
    const inbox = createInbox(opened.db, [area, unit(site)], { worker: { lease: 9 } })
    const apply = site.apply.bind(site)
    site.apply = async (pages) => {
      const deadline = Date.now() + 25_000
      for (;;) {
        const [said] = await inbox.rows(
          "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' AND query = 'SELECT'",
        )
        if (said !== undefined) return apply(pages)
        if (Date.now() > deadline) throw new Error('it never said so')
        await sleep(50)
      }
    }
    expect(await inbox.process('unit', [{ id: 'u', title: 'Unit' }])).toMatchObject([{ outcome: 'created' }])
    expect(site.asked).toHaveLength(1)
  })
})
