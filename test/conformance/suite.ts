/**
 * The contract of `src/targets/page/contract.ts`, run by every adapter upon a real site. What only one of them promises is tested
 * beside it.
 */
import { describe, expect, test } from 'vitest'
import type { DesiredPage, PagePolicy, PageResult } from '../../src/targets/page.ts'
import type { EditedSite, Editor, Seen } from './site.ts'

/** Rises over all tests of a process, so that each request is newer than those before. */
let next = 0

/** Runs the contract. The site is the same for all cases; each has pages of its own. */
export function conforms(at: () => EditedSite): void {
  const page = (externalId: string, more: Partial<DesiredPage> = {}): DesiredPage => ({
    integration: 'organization',
    externalId,
    type: at().type,
    parent: { kind: 'place', place: at().place },
    title: `Unit ${externalId}`,
    slug: null,
    fields: { phone: '1' },
    references: {},
    sets: {},
    state: 'published',
    key: `${++next}.0.0`,
    version: String(next).padStart(9, '0'),
    ...more,
  })
  const under = (externalId: string): DesiredPage['parent'] => ({ kind: 'page', integration: 'organization', externalId })
  const off = (externalId: string): DesiredPage => page(externalId, { state: 'unpublished', parent: null, title: '', fields: {} })
  const phone = (digits: string): Partial<DesiredPage> => ({ fields: { phone: digits } })
  const applyAll = (pages: DesiredPage[], policy: Partial<PagePolicy> = {}): Promise<PageResult[]> =>
    at().site.apply(
      pages,
      { editorDraft: 'conflict', drift: 'tell', ...policy },
      { signal: new AbortController().signal, log: console as never },
    )
  const apply = async (desired: DesiredPage, policy: Partial<PagePolicy> = {}): Promise<PageResult> => {
    const [result] = await applyAll([desired], policy)
    if (result === undefined) throw new Error('no result')
    return result
  }
  /** Creates a page and gives its id. */
  const made = async (desired: DesiredPage): Promise<string> => {
    const { result, pageId } = await apply(desired)
    expect(result).toBe('created')
    return pageId ?? ''
  }
  const look = (pageId: string): Promise<Seen> => at().editor.look(pageId)
  const find = async (externalId: string) => (await at().site.lookup([{ integration: 'organization', externalId }]))[0]

  describe('state', () => {
    test('created, unchanged, published, taken off, published again; each change is one revision, no change is none', async () => {
      const created = await apply(page('a'))
      expect(created).toMatchObject({ result: 'created', url: at().url('unit-a'), urls: [at().url('unit-a')] })
      const id = created.pageId ?? ''
      expect(await apply(page('a'))).toMatchObject({ result: 'unchanged', pageId: id, changes: null, urls: [] })
      expect((await look(id)).revisions).toBe(1)
      expect(await apply(page('a', phone('2')))).toMatchObject({ result: 'published', changes: { phone: { before: '1', after: '2' } } })
      expect(await look(id)).toMatchObject({ live: true, shown: { title: 'Unit a', phone: '2', text: '' }, revisions: 2 })
      expect(await apply(off('a'))).toMatchObject({ result: 'unpublished', pageId: id, urls: [at().url('unit-a')] })
      const taken = await look(id)
      expect(taken).toMatchObject({ live: false, newest: { title: 'Unit a', phone: '2' } })
      expect(await apply(off('a'))).toMatchObject({ result: 'unchanged', drift: null })
      expect((await look(id)).revisions).toBe(taken.revisions)
      expect(await apply(page('a', phone('2')))).toMatchObject({
        result: 'published',
        drift: null,
        changes: { live: { before: false, after: true } },
      })
      expect(await look(id)).toMatchObject({ live: true, shown: { phone: '2' } })
    })

    test('taking off what never was there does nothing', async () => {
      expect(await apply(off('never'))).toMatchObject({ result: 'unchanged', pageId: null, error: null })
      expect(await find('never')).toBeNull()
    })

    test('a draft never touches what is live, and the same draft adds no revision', async () => {
      const id = await made(page('d'))
      const draft = (): DesiredPage => page('d', { state: 'draft', ...phone('9') })
      expect(await apply(draft())).toMatchObject({ result: 'draft_saved', urls: [] })
      expect(await apply(draft())).toMatchObject({ result: 'unchanged' })
      expect(await look(id)).toMatchObject({ live: true, shown: { phone: '1' }, newest: { phone: '9' }, revisions: 2 })
      expect(await apply(page('d', phone('9')))).toMatchObject({ result: 'published' })
      expect(await look(id)).toMatchObject({ live: true, shown: { phone: '9' }, newest: { phone: '9' } })
    })

    test('a page can begin as a draft', async () => {
      const draft = (): DesiredPage => page('begun', { state: 'draft' })
      const created = await apply(draft())
      expect(created).toMatchObject({ result: 'created', urls: [] })
      expect(await apply(draft())).toMatchObject({ result: 'unchanged' })
      expect(await look(created.pageId ?? '')).toMatchObject({ live: false, newest: { phone: '1' }, revisions: 1 })
      expect(await apply(page('begun'))).toMatchObject({ result: 'published', drift: null })
      expect(await look(created.pageId ?? '')).toMatchObject({ live: true, shown: { phone: '1' } })
    })

    test('taking a page off leaves those below it', async () => {
      await made(page('above'))
      const id = await made(page('below', { parent: under('above') }))
      expect(await apply(off('above'))).toMatchObject({ result: 'unpublished' })
      expect(await look(id)).toMatchObject({ live: true })
    })

    test('a set is the same in any order, and replaces what was there', async () => {
      const [first, second] = at().areas
      const id = await made(page('set', { sets: { areas: [first, second] } }))
      expect(await apply(page('set', { sets: { areas: [second, first, second] } }))).toMatchObject({ result: 'unchanged' })
      expect(await look(id)).toMatchObject({ areas: [first, second].toSorted(), revisions: 1 })
      expect(await apply(page('set', { sets: { areas: [second] } }))).toMatchObject({ result: 'published' })
      expect(await look(id)).toMatchObject({ areas: [second], revisions: 2 })
    })

    test('what comes late changes nothing', async () => {
      const [older, oldest] = [page('late', phone('9')), off('late')]
      const id = await made(page('late'))
      for (const late of [older, oldest]) expect(await apply(late)).toMatchObject({ result: 'superseded', pageId: id })
      expect(await look(id)).toMatchObject({ live: true, shown: { phone: '1' }, revisions: 1 })
    })

    test('what the site refuses is said with its place, and harms no other page', async () => {
      const results = await applyAll([page('fine 1'), page('long', phone('x'.repeat(60))), page('fine 2')])
      expect(results).toMatchObject([
        { result: 'created' },
        { result: 'invalid', error: { code: 'page_invalid', fields: [{ path: '/fields/phone' }] } },
        { result: 'created' },
      ])
      expect(await apply(page('unknown', { sets: { areas: ['987654'] } }))).toMatchObject({
        result: 'invalid',
        pageId: null,
        error: { code: 'missing_reference' },
      })
    })
  })

  describe("an editor's draft", () => {
    const kept = { phone: '5', text: 'by Ann' }
    const cases: [PagePolicy['editorDraft'], DesiredPage['state'], PageResult['result'], Partial<Seen['shown']>, Partial<Seen['shown']>][] =
      [
        // policy, state, result, what visitors see afterwards, what the newest revision says
        ['conflict', 'published', 'conflict', { phone: '1', text: '' }, { phone: '1', text: 'by Ann' }],
        ['preserve', 'published', 'published', { phone: '5', text: '' }, kept],
        ['overwrite', 'published', 'published', { phone: '5', text: '' }, { phone: '5', text: '' }],
        ['conflict', 'draft', 'conflict', { phone: '1', text: '' }, { phone: '1', text: 'by Ann' }],
        ['preserve', 'draft', 'draft_saved', { phone: '1', text: '' }, kept],
        ['overwrite', 'draft', 'draft_saved', { phone: '1', text: '' }, { phone: '5', text: '' }],
      ]
    test.each(cases)('%s, %s: %s', async (editorDraft, state, result, shown, newest) => {
      const name = `${editorDraft} ${state}`
      const id = await made(page(name))
      await at().editor.write(id, 'by Ann')
      expect(await find(name)).toMatchObject({ pageId: id, editorDraft: true })
      const wanted = (): DesiredPage => page(name, { state, ...phone('5') })
      const got = await apply(wanted(), { editorDraft })
      expect(got).toMatchObject({ result, pageId: id, error: result === 'conflict' ? { code: 'editor_draft' } : null })
      const seen = await look(id)
      expect(seen).toMatchObject({ live: true, shown, newest })
      expect(await find(name)).toMatchObject({ editorDraft: editorDraft !== 'overwrite' })
      expect(await apply(wanted(), { editorDraft })).toMatchObject({ result: result === 'conflict' ? 'conflict' : 'unchanged' })
      expect(await look(id)).toEqual(seen)
    })

    test.each(['conflict', 'preserve', 'overwrite'] as const)('%s: taking the page off keeps it', async (editorDraft) => {
      const id = await made(page(`off ${editorDraft}`))
      await at().editor.write(id, 'by Ann')
      expect(await apply(off(`off ${editorDraft}`), { editorDraft })).toMatchObject({ result: 'unpublished' })
      expect(await look(id)).toMatchObject({ live: false, newest: { text: 'by Ann' } })
    })

    test('is in nobody’s way while nothing changes, and no more once it is published', async () => {
      const id = await made(page('way'))
      await at().editor.write(id, 'by Ann')
      expect(await apply(page('way'))).toMatchObject({ result: 'unchanged' })
      await at().editor.publish(id)
      expect(await find('way')).toMatchObject({ editorDraft: false })
      expect(await apply(page('way', phone('2')))).toMatchObject({ result: 'published', drift: null })
      expect(await look(id)).toMatchObject({ shown: { phone: '2', text: 'by Ann' } })
    })
  })

  describe('drift', () => {
    /** What an editor does to the page `name` that stands there, and what the master wants of it. */
    const cases: {
      did: string
      before: (name: string) => Promise<unknown>
      editor: (editor: Editor, id: string) => Promise<void>
      wanted: (name: string) => DesiredPage
      told: PageResult['result']
      undone: PageResult['result'][]
      /** Whether the page is live after it was told, and after it was undone. */
      live: [boolean | null, boolean]
    }[] = [
      {
        did: 'an editor took the page off',
        before: async () => undefined,
        editor: (editor, id) => editor.takeOff(id),
        wanted: (name) => page(name),
        told: 'unchanged',
        undone: ['published'],
        live: [false, true],
      },
      {
        did: 'an editor moved the page',
        before: async () => undefined,
        editor: async (editor, id) => editor.move(id, await made(page(`elsewhere ${id}`))),
        wanted: (name) => page(name),
        told: 'unchanged',
        undone: ['moved'],
        live: [true, true],
      },
      {
        did: 'an editor published the page again',
        before: (name) => apply(off(name)),
        editor: (editor, id) => editor.publish(id),
        wanted: off,
        told: 'unchanged',
        undone: ['unpublished'],
        live: [true, false],
      },
      {
        did: 'an editor deleted the page',
        before: async () => undefined,
        editor: (editor, id) => editor.remove(id),
        wanted: (name) => page(name),
        told: 'conflict',
        // A page that lies in a trash can be had back; one that is gone is made anew.
        undone: ['published', 'created'],
        live: [null, true],
      },
    ]
    test.each(cases)('$did: told, left as it is, and undone if the policy says so', async ({ did, before, editor, wanted, ...then }) => {
      const name = did.replaceAll(' ', '-')
      const id = await made(page(name))
      await before(name)
      await editor(at().editor, id)
      for (let twice = 0; twice < 2; twice++) expect(await apply(wanted(name))).toMatchObject({ result: then.told, drift: [did] })
      if (then.live[0] !== null) expect(await look(id)).toMatchObject({ live: then.live[0] })
      const undone = await apply(wanted(name), { drift: 'undo' })
      expect(then.undone).toContain(undone.result)
      expect(undone.drift).toEqual([did])
      expect(await look(undone.pageId ?? '')).toMatchObject({ live: then.live[1] })
      expect(await apply(wanted(name))).toMatchObject({ result: 'unchanged', drift: null })
    })

    test('a page that an editor took off keeps what the master says in a draft, once', async () => {
      const id = await made(page('quiet'))
      await at().editor.takeOff(id)
      const told = ['an editor took the page off']
      expect(await apply(page('quiet', phone('7')))).toMatchObject({ result: 'draft_saved', drift: told, urls: [] })
      const seen = await look(id)
      expect(seen).toMatchObject({ live: false, newest: { phone: '7' } })
      expect(await apply(page('quiet', phone('7')))).toMatchObject({ result: 'unchanged', drift: told })
      expect(await look(id)).toEqual(seen)
      await at().editor.publish(id)
      expect(await apply(page('quiet', phone('7')))).toMatchObject({ result: 'unchanged', drift: null })
      expect(await look(id)).toMatchObject({ live: true, shown: { phone: '7' } })
    })

    test('deleted by the master after an editor took it off, it is published when the object comes back', async () => {
      const id = await made(page('back'))
      await at().editor.takeOff(id)
      await apply(off('back'))
      expect(await look(id)).toMatchObject({ live: false })
      expect(await apply(page('back'))).toMatchObject({ result: 'published', drift: null })
      expect(await look(id)).toMatchObject({ live: true })
    })

    test('published again by an editor and then by the master, it is the master’s to take off', async () => {
      const id = await made(page('agreed'))
      await apply(off('agreed'))
      await at().editor.publish(id)
      expect(['unchanged', 'published']).toContain((await apply(page('agreed'))).result)
      expect(await apply(off('agreed'))).toMatchObject({ result: 'unpublished', drift: null })
    })

    test('a page in an editor’s trash has no id for others, and is in nobody’s way when the object goes', async () => {
      const id = await made(page('trash'))
      await at().editor.remove(id)
      expect(await find('trash')).toMatchObject({ pageId: null })
      expect(await apply(page('trash'))).toMatchObject({ result: 'conflict', error: { code: 'page_trashed' } })
      expect(await apply(off('trash'))).toMatchObject({ result: 'unchanged' })
    })
  })

  describe('the tree', () => {
    test('a batch comes in any order: parents are made before their children', async () => {
      const batch = (): DesiredPage[] => [
        page('t3', { parent: under('t2') }),
        page('t2', { parent: under('t1') }),
        page('t4', { parent: under('t3') }),
        page('t1'),
      ]
      const results = await applyAll(batch())
      expect(results.map(({ result }) => result)).toEqual(Array(4).fill('created'))
      expect(results.map(({ url }) => url)).toEqual([
        at().url('unit-t1', 'unit-t2', 'unit-t3'),
        at().url('unit-t1', 'unit-t2'),
        at().url('unit-t1', 'unit-t2', 'unit-t3', 'unit-t4'),
        at().url('unit-t1'),
      ])
      expect((await applyAll(batch())).map(({ result }) => result)).toEqual(Array(4).fill('unchanged'))
    })

    test('a missing parent is waited for', async () => {
      const child = (): DesiredPage => page('child', { parent: under('p') })
      expect(await apply(child())).toMatchObject({
        result: 'waiting',
        error: { code: 'missing_reference' },
        waitsFor: [{ integration: 'organization', externalId: 'p' }],
      })
      await made(page('p'))
      expect(await apply(child())).toMatchObject({ result: 'created', url: at().url('unit-p', 'unit-child') })
    })

    test('a circle is refused: below itself, and within a batch', async () => {
      await made(page('c1'))
      await made(page('c2', { parent: under('c1') }))
      expect(await apply(page('c1', { parent: under('c2') }))).toMatchObject({ result: 'conflict', error: { code: 'parent_cycle' } })
      const circle = await applyAll([
        page('r1', { parent: under('r2') }),
        page('r2', { parent: under('r3') }),
        page('r3', { parent: under('r1') }),
        page('r4'),
      ])
      expect(circle.map(({ error }) => error?.code ?? null)).toEqual(['parent_cycle', 'parent_cycle', 'parent_cycle', null])
    })

    test('moved: the addresses of the page and of all below it are told, old and new', async () => {
      for (const name of ['m1', 'm2']) await made(page(name))
      await made(page('m3', { parent: under('m1') }))
      const leaf = await made(page('m4', { parent: under('m3') }))
      const moved = await apply(page('m3', { parent: under('m2') }))
      expect(moved).toMatchObject({ result: 'moved', url: at().url('unit-m2', 'unit-m3') })
      expect(moved.urls.toSorted()).toEqual(
        [
          at().url('unit-m1', 'unit-m3'),
          at().url('unit-m1', 'unit-m3', 'unit-m4'),
          at().url('unit-m2', 'unit-m3'),
          at().url('unit-m2', 'unit-m3', 'unit-m4'),
        ].toSorted(),
      )
      expect(await look(leaf)).toMatchObject({ live: true, revisions: 1 })
      expect(await apply(page('m3', { parent: under('m2') }))).toMatchObject({ result: 'unchanged' })
    })

    test('a draft moves nothing that is live', async () => {
      await made(page('n1'))
      const id = await made(page('n2'))
      const { parent } = await look(id)
      await apply(page('n2', { parent: under('n1'), state: 'draft' }))
      expect(await look(id)).toMatchObject({ live: true, parent })
    })

    test('a slug that is asked for and taken is a conflict; one made of the title is made another', async () => {
      await made(page('s1', { slug: 'same' }))
      expect(await apply(page('s2', { slug: 'same' }))).toMatchObject({ result: 'conflict', error: { code: 'slug_taken' } })
      await made(page('s3', { title: 'Kiosk' }))
      expect(await apply(page('s4', { title: 'Kiosk' }))).toMatchObject({ result: 'created', url: at().url('kiosk-2') })
      expect(await apply(page('s4', { title: 'Kiosk' }))).toMatchObject({ result: 'unchanged', url: at().url('kiosk-2') })
      expect(await apply(page('s5', { title: 'Kiosk' }))).toMatchObject({ result: 'created', url: at().url('kiosk-3') })
      // Kept, whatever the title becomes.
      expect(await apply(page('s3', { title: 'Shop' }))).toMatchObject({ result: 'published', url: at().url('kiosk') })
    })

    test('eight writers of one page make one page, once', async () => {
      const results = await Promise.all(Array.from({ length: 8 }, () => apply(page('w'))))
      // Those that are overtaken by a newer one are told so.
      expect(new Set(results.map(({ pageId }) => pageId)).size).toBe(1)
      expect(results.filter(({ result }) => result === 'created')).toHaveLength(1)
      for (const { result } of results) expect(['created', 'unchanged', 'superseded']).toContain(result)
      expect((await look(results[0]?.pageId ?? '')).revisions).toBe(1)
    })

    test('eight writers under one parent lose nothing, also where their titles are the same', async () => {
      const parent = await made(page('crowd'))
      const names = Array.from({ length: 8 }, (_, index) => `member-${index}`)
      const same = (name: string): Partial<DesiredPage> => ({ parent: under('crowd'), title: name < 'member-4' ? 'Same' : name })
      const results = await Promise.all(names.map((name) => apply(page(name, same(name)))))
      expect(results.map(({ result }) => result)).toEqual(Array(8).fill('created'))
      expect(new Set(results.map(({ url }) => url)).size).toBe(8)
      const seen = await Promise.all(results.map(({ pageId }) => look(pageId ?? '')))
      expect(seen.map((each) => each.parent)).toEqual(Array(8).fill(parent))
    })

    test('eight writers who ask for one slug: one has it, the others are told', async () => {
      await made(page('race'))
      const one = (index: number): DesiredPage => page(`race-${index}`, { parent: under('race'), slug: 'one' })
      const results = await Promise.all(Array.from({ length: 8 }, (_, index) => apply(one(index))))
      const words = results.map(({ result, error }) => error?.code ?? result)
      expect(words.toSorted()).toEqual(['created', ...Array(7).fill('slug_taken')])
    })
  })
}
