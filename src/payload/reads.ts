/** What is read of a site: for a whole batch in a few queries, or anew for one page. */
import type { DesiredPage } from '../targets/page.ts'
import type { Doc, LocalApi } from './local-api.ts'
import type { PayloadOptions } from './options.ts'
import { keyOf, own } from './plugin.ts'
import { slugOf } from './slug.ts'

/** A page as it is: what visitors see, and the newest revision. */
export interface Found {
  collection: string
  live: Doc
  latest: Doc
}

type Id = string | number

/**
 * A site as it was at the time of {@link load}, kept up with what this writer itself does. What others do meanwhile has to be found out
 * by the write: keys are unique, and the plugin refuses to write over a revision that wasn't read.
 */
export class Reads {
  readonly api: LocalApi
  readonly options: PayloadOptions
  readonly #found = new Map<string, Found>()
  /** Live rows, by collection and id. */
  readonly #rows = new Map<string, Doc>()
  /** Pages by collection, parent and slug. */
  readonly #siblings = new Map<string, Doc>()

  constructor(api: LocalApi, options: PayloadOptions) {
    this.api = api
    this.options = options
  }

  /** Reads the pages, their parents and all above them, and who has the slugs of those that aren't there yet. */
  async load(pages: readonly DesiredPage[]): Promise<void> {
    const parents = pages.flatMap(({ parent }) => (parent?.kind === 'page' ? [parent] : []))
    await this.loadKeys([...pages, ...parents])
    for (const collection of this.options.collections) {
      const mine = pages.filter(({ type }) => type === collection)
      const places = mine.map((page) => this.#placeOf(page))
      await this.#loadAbove(collection, places)
      await this.#loadSlugs(
        collection,
        mine.filter((page) => this.byKey(page) === null),
      )
    }
  }

  /** Reads pages by their keys. */
  async loadKeys(keys: readonly { integration: string; externalId: string }[]): Promise<void> {
    const texts = [...new Set(keys.map(keyOf))]
    if (texts.length === 0) return
    for (const collection of this.options.collections) {
      const rows = await this.#find(collection, { [own.key]: { in: texts } }, { draft: false, trash: true })
      if (rows.length === 0) continue
      const drafts = await this.#find(collection, { id: { in: rows.map(({ id }) => id) } }, { draft: true, trash: true })
      const latest = new Map(drafts.map((doc) => [doc.id, doc]))
      for (const live of rows) this.#keep({ collection, live, latest: latest.get(live.id) ?? live })
    }
  }

  byKey(key: { integration: string; externalId: string }): Found | null {
    return this.#found.get(keyOf(key)) ?? null
  }

  /** The page that has the slug under this parent, as far as it was loaded for a page to be created. */
  withSlug(collection: string, parent: Id | null, slug: string): Doc | null {
    return this.#siblings.get(nameOf(collection, parent, slug)) ?? null
  }

  /** Asks now for a page under the same parent that has the slug, other than the page itself. */
  async otherWithSlug(collection: string, parent: Id | null, slug: string, self: Id): Promise<Doc | null> {
    const where = { and: [{ slug: { equals: slug } }, underAny([parent]), { id: { not_equals: self } }] }
    return (await this.#find(collection, where, { draft: false, trash: false }, 1))[0] ?? null
  }

  /** The slug with a number that no page under this parent has. */
  async freeSlug(collection: string, parent: Id | null, slug: string): Promise<string> {
    const where = { and: [{ slug: { contains: slug } }, underAny([parent])] }
    const taken = new Set((await this.#find(collection, where, { draft: false, trash: false })).map((doc) => doc.slug))
    for (let number = 2; ; number++) if (!taken.has(`${slug}-${number}`)) return `${slug}-${number}`
  }

  /** All pages below, level by level, each once. */
  async below(collection: string, id: Id): Promise<Doc[]> {
    const docs: Doc[] = []
    const seen = new Set<Id>([id])
    for (let ids = [id]; ids.length > 0; ) {
      const level = await this.#find(collection, underAny(ids), { draft: false, trash: false })
      const fresh = level.filter((doc) => !seen.has(doc.id))
      for (const doc of fresh) seen.add(doc.id)
      docs.push(...fresh)
      ids = fresh.map((doc) => doc.id)
    }
    return docs
  }

  /** What was just written is live. */
  learn(collection: string, live: Doc): void {
    this.#keep({ collection, live, latest: live })
    this.#siblings.set(nameOf(collection, (live.parent ?? null) as Id | null, String(live.slug)), live)
  }

  /** Whether the site can be read at all. */
  isReadable(collection: string): Promise<boolean> {
    return this.#find(collection, { id: { exists: true } }, { draft: false, trash: true }, 1).then(
      () => true,
      () => false,
    )
  }

  /** Whether pages have texts for each language. */
  isLocalized(collection: string): boolean {
    return Boolean(this.api.config.localization) && hasLocalized(this.api.collections[collection]?.config)
  }

  id(text: string): Id {
    return this.api.db.defaultIDType === 'number' && /^\d+$/.test(text) ? Number(text) : text
  }

  /** A page and all above it, from the page up. Ends at a circle, which an editor's hand can make. */
  async line(collection: string, from: unknown): Promise<Doc[]> {
    const docs: Doc[] = []
    for (let id = from; id !== null && id !== undefined && !docs.some((doc) => doc.id === id); ) {
      const name = nameOf(collection, id)
      if (!this.#rows.has(name)) await this.#loadRows(collection, [id])
      const doc = this.#rows.get(name)
      if (doc === undefined) break
      docs.push(doc)
      id = doc.parent
    }
    return docs
  }

  async url(collection: string, doc: Doc): Promise<string> {
    const crumb = this.options.tree === 'nested-docs' ? (doc.breadcrumbs as { url?: string | null }[] | undefined)?.at(-1)?.url : null
    if (crumb != null) return this.options.url?.(crumb) ?? crumb
    const line = [doc, ...(await this.line(collection, doc.parent))]
    const path = `/${line
      .map(({ slug }) => String(slug))
      .reverse()
      .join('/')}`
    return this.options.url?.(path) ?? path
  }

  /** The id of the parent that a page is to have; undefined if that isn't known. */
  #placeOf({ parent }: DesiredPage): Id | null | undefined {
    if (parent === null) return undefined
    return parent.kind === 'place' ? this.options.places[parent.place] : this.byKey(parent)?.live.id
  }

  #keep(found: Found): void {
    this.#found.set(String(found.live[own.key]), found)
    this.#rows.set(nameOf(found.collection, found.live.id), found.live)
  }

  /** Level by level, each row once: a circle ends it. */
  async #loadAbove(collection: string, parents: readonly (Id | null | undefined)[]): Promise<void> {
    const known = [...this.#found.values()].filter((found) => found.collection === collection).map(({ live }) => live.parent)
    const asked = new Set<unknown>()
    for (let ids: unknown[] = [...parents, ...known]; ids.length > 0; ) {
      const missing = [...new Set(ids)].filter((id) => id != null && !asked.has(id) && !this.#rows.has(nameOf(collection, id)))
      for (const id of missing) asked.add(id)
      ids = (await this.#loadRows(collection, missing)).map(({ parent }) => parent)
    }
  }

  async #loadRows(collection: string, ids: readonly unknown[]): Promise<Doc[]> {
    if (ids.length === 0) return []
    const rows = await this.#find(collection, { id: { in: ids } }, { draft: false, trash: true })
    for (const row of rows) this.#rows.set(nameOf(collection, row.id), row)
    return rows
  }

  async #loadSlugs(collection: string, pages: readonly DesiredPage[]): Promise<void> {
    const places = new Set<Id | null>()
    const slugs = new Set<string>()
    for (const page of pages) {
      const place = page.state === 'unpublished' ? undefined : this.#placeOf(page)
      if (place === undefined) continue
      places.add(place)
      slugs.add(page.slug ?? slugOf(page.title))
    }
    if (slugs.size === 0) return
    const where = { and: [{ slug: { in: [...slugs] } }, underAny([...places])] }
    for (const doc of await this.#find(collection, where, { draft: false, trash: false }))
      this.#siblings.set(nameOf(collection, (doc.parent ?? null) as Id | null, String(doc.slug)), doc)
  }

  /** With `trash` those in the trash, too: their rows still hold their unique key. */
  async #find(
    collection: string,
    where: Record<string, unknown>,
    { draft, trash }: { draft: boolean; trash: boolean },
    limit = 0,
  ): Promise<Doc[]> {
    const { docs } = await this.api.find({ collection, where, depth: 0, limit, pagination: false, trash, draft })
    return docs as Doc[]
  }
}

function underAny(parents: readonly (Id | null)[]): Record<string, unknown> {
  const ids = parents.filter((id) => id !== null)
  const ways = [
    ...(ids.length === 0 ? [] : [{ parent: { in: ids } }]),
    ...(ids.length === parents.length ? [] : [{ parent: { exists: false } }]),
  ]
  return ways.length === 1 && ways[0] !== undefined ? ways[0] : { or: ways }
}

/** Whether a field is localized, however deep in groups and blocks. */
function hasLocalized(given: unknown): boolean {
  const { localized, flattenedFields, blocks } = (given ?? {}) as { localized?: boolean; flattenedFields?: unknown[]; blocks?: unknown[] }
  return localized === true || [...(flattenedFields ?? []), ...(blocks ?? [])].some(hasLocalized)
}

function nameOf(...parts: unknown[]): string {
  return JSON.stringify(parts)
}
