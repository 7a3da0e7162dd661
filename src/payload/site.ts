/** A Payload site as a place for pages, written to through its Local API within the worker. */
import { messageOf, SluiceError } from '../errors.ts'
import type { DesiredPage, KnownPage, PageErrorCode, PagePolicy, PageResult, PageSite } from '../targets/page.ts'
import { holds, sameSet } from './compare.ts'
import type { Doc, InTransaction, LocalApi } from './local-api.ts'
import { keyOf, own } from './plugin.ts'

export interface PayloadOptions {
  /** The site's Payload, such as `() => getPayload({ config })`. Called at the first use. */
  payload: () => Promise<unknown>
  /** The collections whose pages are written; each has been given to `sluicePages`, and has `title`, `slug` and `parent`. */
  collections: readonly string[]
  /** By the name of a place, the id of the page to stand under; null for the top. */
  places: Record<string, string | number | null>
  /** The address of a page by its path, such as `/organizations/waterworks`. Default: the path itself. */
  url?: (path: string) => string
  /** Told after the commit which URLs changed. */
  revalidate?: (urls: readonly string[]) => Promise<void>
}

/** A page as it is: what visitors see, and the newest revision. */
interface Found {
  collection: string
  live: Doc
  latest: Doc
}

/**
 * A Payload site whose pages refer to their parent and to nothing else of the tree.
 *
 * Each write is a transaction of Payload's own, apart from Sluice's: at least once. A page's key is in the row itself, so a
 * repetition finds the page and changes nothing.
 */
export function payloadSite(options: PayloadOptions): PageSite {
  let opened: Promise<LocalApi> | undefined
  const open = (): Promise<LocalApi> => {
    opened ??= options.payload() as Promise<LocalApi>
    return opened
  }
  return {
    name: `Payload (${options.collections.join(', ')})`,
    capabilities: { move: true, batch: 50 },
    async apply(pages, policy) {
      const results: PageResult[] = []
      for (const page of pages) results.push(await orAgain(() => open().then((api) => applyPage(new Pages(api, options), page, policy))))
      return results
    },
    async lookup(keys) {
      const pages = new Pages(await open(), options)
      const known: (KnownPage | null)[] = []
      for (const { integration, externalId } of keys) {
        const found = await pages.byKey(integration, externalId)
        const pageId = found === null || isTrashed(found) ? null : String(found.live.id)
        known.push(found === null ? null : { integration, externalId, pageId, editorDraft: hasEditorDraft(found) })
      }
      return known
    },
    ...(options.revalidate === undefined ? {} : { revalidate: options.revalidate }),
  }
}

/** Reads of a site. */
class Pages {
  readonly api: LocalApi
  readonly options: PayloadOptions

  constructor(api: LocalApi, options: PayloadOptions) {
    this.api = api
    this.options = options
  }

  async byKey(integration: string, externalId: string): Promise<Found | null> {
    for (const collection of this.options.collections) {
      const live = await this.first(collection, { [own.key]: { equals: keyOf(integration, externalId) } }, false)
      if (live !== null) return { collection, live, latest: (await this.byId(collection, live.id, true)) ?? live }
    }
    return null
  }

  byId(collection: string, id: unknown, draft = false): Promise<Doc | null> {
    return this.first(collection, { id: { equals: id } }, draft)
  }

  /** Trashed pages included: their rows still hold their unique key. */
  async first(collection: string, where: Record<string, unknown>, draft: boolean, trash = true): Promise<Doc | null> {
    const { docs } = await this.api.find({ collection, where, depth: 0, limit: 1, pagination: false, trash, draft })
    return (docs[0] as Doc | undefined) ?? null
  }

  id(text: string): string | number {
    return this.api.db.defaultIDType === 'number' && /^\d+$/.test(text) ? Number(text) : text
  }

  /** A page and all above it, from the page up. Ends at a circle, which an editor's hand can make. */
  async line(collection: string, from: unknown): Promise<Doc[]> {
    const docs: Doc[] = []
    for (let id = from; id !== null && id !== undefined && !docs.some((doc) => doc.id === id); ) {
      const doc = await this.byId(collection, id)
      if (doc === null) break
      docs.push(doc)
      id = doc.parent
    }
    return docs
  }

  async url(collection: string, doc: Doc): Promise<string> {
    const line = [doc, ...(await this.line(collection, doc.parent))]
    const path = `/${line
      .map(({ slug }) => String(slug))
      .reverse()
      .join('/')}`
    return this.options.url?.(path) ?? path
  }
}

/** As Payload says of a key that isn't unique. */
const madeMeanwhile: PageResult = {
  ...done('invalid', null, null),
  error: { code: 'page_invalid', message: 'another writer made the page', fields: [{ path: `/fields/${own.key}`, message: 'not unique' }] },
}

/** Two writers that create one page at once: the key is unique, and the second finds the page that the first has made. */
async function orAgain(attempt: () => Promise<PageResult>): Promise<PageResult> {
  const result = await attempt()
  const isTaken = result.error?.fields?.some(({ path }) => path === `/fields/${own.key}`) === true
  return isTaken ? attempt() : result
}

async function applyPage(pages: Pages, page: DesiredPage, policy: PagePolicy): Promise<PageResult> {
  if (!pages.options.collections.includes(page.type))
    return refused('invalid', 'page_invalid', `"${page.type}" is none of the site's collections`, null)
  try {
    const found = await pages.byKey(page.integration, page.externalId)
    if (found !== null && found.collection !== page.type)
      return refused('conflict', 'not_ours', `the page is in the collection "${found.collection}"`, found)
    if (found !== null && isLate(page, found)) return done('superseded', found.live, null)
    if (found !== null && isTrashed(found)) {
      if (page.state === 'unpublished') return done('unchanged', found.live, null)
      return refused('conflict', 'page_trashed', 'an editor put the page in the trash; restore it or delete it for good', found)
    }
    if (page.state === 'unpublished') return await takeOff(pages, page, found)
    const parent = await parentOf(pages, page, found)
    if (typeof parent === 'object' && parent !== null) return parent
    return found === null ? await create(pages, page, parent) : await change(pages, page, found, parent, policy)
  } catch (error) {
    return refusedByPayload(pages, page, error)
  }
}

/** A worker that was stopped for long sends what is live by now in a newer version. */
function isLate(page: DesiredPage, { live }: Found): boolean {
  const applied = live[own.version]
  return page.state !== 'draft' && typeof applied === 'string' && page.version < applied
}

async function takeOff(pages: Pages, page: DesiredPage, found: Found | null): Promise<PageResult> {
  if (found === null) return done('unchanged', null, null)
  const { live, collection } = found
  if (live._status !== 'published') return done('unchanged', live, await pages.url(collection, live))
  const url = await pages.url(collection, live)
  await write(pages, page, found, { _status: 'draft', [own.state]: 'unpublished', [own.version]: page.version }, 'preserve')
  return { ...done('unpublished', live, url, [url]), changes: { live: { before: true, after: false } } }
}

/** The parent's id, or why there is none. */
async function parentOf(pages: Pages, page: DesiredPage, found: Found | null): Promise<string | number | null | PageResult> {
  const { parent } = page
  if (parent === null) return refused('invalid', 'page_invalid', 'a page needs a parent', found)
  if (parent.kind === 'place') {
    const id = pages.options.places[parent.place]
    return id === undefined ? refused('invalid', 'page_invalid', `payloadSite: "places" has no "${parent.place}"`, found) : id
  }
  const above = await pages.byKey(parent.integration, parent.externalId)
  if (above === null || isTrashed(above))
    return { ...refused('waiting', 'missing_reference', 'the parent has no page yet', found), waitsFor: [parent] }
  // Payload itself would follow a circle for ever.
  const line = found === null ? [] : await pages.line(page.type, above.live.id)
  if (line.some(({ id }) => id === found?.live.id))
    return refused('conflict', 'parent_cycle', 'the parent is the page itself or stands below it', found)
  return above.live.id
}

function ownedFields(pages: Pages, page: DesiredPage): Record<string, unknown> {
  const refs = Object.entries(page.references).map(([name, id]) => [name, id === null ? null : pages.id(id)])
  const sets = Object.entries(page.sets).map(([name, ids]) => [name, [...new Set(ids)].map((id) => pages.id(id))])
  return { title: page.title, ...page.fields, ...Object.fromEntries(refs), ...Object.fromEntries(sets) }
}

/** Drafts have no say in what is live. */
function versionOf(page: DesiredPage): Record<string, string> {
  return page.state === 'draft' ? {} : { [own.version]: page.version }
}

async function create(pages: Pages, page: DesiredPage, parent: string | number | null): Promise<PageResult> {
  const slug = page.slug ?? slugOf(page.title)
  const other = await withSlug(pages, page.type, slug, parent, null)
  if (other !== null) return other[own.key] === keyOf(page.integration, page.externalId) ? madeMeanwhile : slugTaken(other, slug)
  const isDraft = page.state === 'draft'
  const fields = ownedFields(pages, page)
  const data = {
    ...fields,
    slug,
    parent,
    _status: isDraft ? 'draft' : 'published',
    [own.key]: keyOf(page.integration, page.externalId),
    [own.state]: page.state,
    [own.parent]: String(parent ?? ''),
    ...versionOf(page),
  }
  const doc = (await pages.api.create({ collection: page.type, data, depth: 0, draft: isDraft, context: { sluice: page.key } })) as Doc
  const url = await pages.url(page.type, doc)
  const changes = Object.fromEntries(Object.entries(fields).map(([name, after]) => [name, { before: null, after }]))
  return { ...done('created', doc, url, isDraft ? [] : [url]), changes }
}

async function change(
  pages: Pages,
  page: DesiredPage,
  found: Found,
  parent: string | number | null,
  policy: PagePolicy,
): Promise<PageResult> {
  const { live, latest, collection } = found
  const isDraft = page.state === 'draft'
  const base = isDraft ? latest : live
  const drift: string[] = []
  const wasApplied = live[own.state]
  const isLive = live._status === 'published'
  if (!isDraft && !isLive && wasApplied === 'published') drift.push('an editor took the page off')
  const movedByEditor = String(live.parent ?? '') !== live[own.parent] && String(parent ?? '') === live[own.parent]
  if (movedByEditor) drift.push('an editor moved the page')
  const told = drift.length === 0 ? null : drift
  const stays = policy.drift === 'tell'
  const staysOff = stays && drift.includes('an editor took the page off')
  // What is live is not touched by a draft, and its place in the tree is part of that.
  const wantedParent = (movedByEditor && stays) || (isDraft && isLive) ? (live.parent ?? null) : parent
  const slug = page.slug ?? (latest.slug as string)
  const wanted = { ...ownedFields(pages, page), slug, parent: wantedParent }
  const differing = Object.entries(wanted).filter(([name, value]) =>
    name in page.sets ? !sameSet(base[name], value as (string | number)[]) : !holds(base[name], value),
  )
  const goesLive = !isDraft && !isLive && !staysOff
  const url = await pages.url(collection, live)
  if (staysOff || (differing.length === 0 && !goesLive)) return { ...done('unchanged', live, url), drift: told }
  if (hasEditorDraft(found) && policy.editorDraft === 'conflict')
    return { ...refused('conflict', 'editor_draft', "an editor's unpublished draft stands on the page", found), url, drift: told }
  const other = await withSlug(pages, collection, slug, wantedParent as string | number | null, live.id)
  if (other !== null) return { ...slugTaken(other, slug), pageId: String(live.id), url, drift: told }
  const data = {
    ...wanted,
    _status: isDraft ? 'draft' : 'published',
    [own.state]: isDraft && isLive ? wasApplied : page.state,
    [own.parent]: movedByEditor && stays ? live[own.parent] : String(wantedParent ?? ''),
    ...versionOf(page),
  }
  await write(pages, page, found, data, policy.editorDraft)
  const changes: Record<string, { before: unknown; after: unknown }> = {}
  for (const [name, after] of differing) changes[name] = { before: base[name] ?? null, after }
  if (goesLive) changes.live = { before: false, after: true }
  const after = await pages.url(collection, { ...live, slug, parent: wantedParent })
  const onlyMoved = !isDraft && !goesLive && differing.length === 1 && differing[0]?.[0] === 'parent'
  const word = isDraft ? 'draft_saved' : onlyMoved ? 'moved' : 'published'
  const urls = isDraft ? [] : [...new Set(isLive ? [url, after] : [after])]
  return { ...done(word, live, isDraft ? url : after, urls), changes, drift: told }
}

/**
 * Writes over a page. Payload starts from the newest revision, so a plain update would make an editor's draft live: with one
 * on the page all that is live is sent along, and with `preserve` the draft is saved anew with the owned fields in it.
 */
async function write(
  { api }: Pages,
  page: DesiredPage,
  found: Found,
  data: Record<string, unknown>,
  editorDraft: PagePolicy['editorDraft'],
): Promise<void> {
  const { collection, live, latest } = found
  const isDraft = page.state === 'draft'
  const hasDraft = hasEditorDraft(found)
  // A draft with an editor's text in it remains the editor's: signed as ours, the next message would make it live.
  const context = { sluice: hasDraft && isDraft && editorDraft === 'preserve' ? '' : page.key }
  const base = !hasDraft || (isDraft && editorDraft === 'preserve') ? {} : content(live, latest)
  const update = { collection, id: live.id, data: { ...base, ...data }, depth: 0 as const, draft: isDraft, context }
  if (!hasDraft || isDraft || editorDraft !== 'preserve') {
    await api.update(update)
    return
  }
  const kept = { ...content(latest, live), ...data, _status: 'draft' }
  await inTransaction(api, async (part) => {
    await api.update({ ...update, ...part() })
    await api.update({ collection, id: live.id, data: kept, depth: 0, draft: true, context: { sluice: '' }, ...part() })
  })
}

/**
 * Several writes as one, where the site's database has transactions. An operation that fails rolls the whole transaction back by
 * itself, and whatever still named it would be committed alone: so nothing follows a failure, and the transaction has to be there when
 * it is committed.
 *
 * @param work is given what makes an operation part of the transaction, anew for each: Payload changes it
 */
async function inTransaction({ db }: LocalApi, work: (part: () => { req?: InTransaction }) => Promise<void>): Promise<void> {
  const id = await db.beginTransaction()
  if (id === null) return work(() => ({}))
  try {
    await work(() => ({ req: { transactionID: id } }))
    if (db.sessions !== undefined && !(id in db.sessions)) throw new Error("the site's own code ended the transaction of the write")
  } catch (error) {
    await db.rollbackTransaction(id)
    throw error
  }
  await db.commitTransaction(id)
}

/** All that a revision says, with null for what only the other one has. */
function content(doc: Doc, other: Doc): Record<string, unknown> {
  const { id: _id, createdAt: _created, updatedAt: _updated, deletedAt: _deleted, ...rest } = doc
  const absent = Object.keys(other).filter((name) => !(name in doc) && name !== 'deletedAt')
  return { ...Object.fromEntries(absent.map((name) => [name, null])), ...rest }
}

function hasEditorDraft({ live, latest }: Found): boolean {
  if (latest._status !== 'draft' || latest[own.writer]) return false
  // An editor who takes a page off leaves a draft like what is there: drift, and nobody's text.
  return live._status === 'published' || live.updatedAt !== latest.updatedAt
}

function isTrashed({ live }: Found): boolean {
  return live.deletedAt !== null && live.deletedAt !== undefined
}

/** Another page under the same parent that has the slug. */
async function withSlug(
  pages: Pages,
  collection: string,
  slug: string,
  parent: string | number | null,
  self: string | number | null,
): Promise<Doc | null> {
  const under = parent === null ? { exists: false } : { equals: parent }
  const others = self === null ? [] : [{ id: { not_equals: self } }]
  return pages.first(collection, { and: [{ slug: { equals: slug } }, { parent: under }, ...others] }, false, false)
}

function slugTaken(other: Doc, slug: string): PageResult {
  return refused('conflict', 'slug_taken', `page ${other.id} under the same parent has the slug "${slug}"`, null)
}

function slugOf(title: string): string {
  const plain = title.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return plain.replaceAll(/[^\p{L}\p{N}]+/gu, '-').replaceAll(/^-|-$/g, '') || 'page'
}

function done(result: PageResult['result'], doc: Doc | null, url: string | null, urls: string[] = []): PageResult {
  return { result, pageId: doc === null ? null : String(doc.id), url, urls, changes: null, drift: null, error: null, waitsFor: null }
}

function refused(result: 'waiting' | 'conflict' | 'invalid', code: PageErrorCode, message: string, found: Found | null): PageResult {
  return { ...done(result, found?.live ?? null, null), error: { code, message } }
}

/**
 * Whose fault an error is. Payload's own checks, and the site's own code (a hook that throws), are about this page: the others go on.
 * What the database says of itself, and whatever fails while the site can't even be read, is the site's: the batch comes again.
 */
async function refusedByPayload(pages: Pages, page: DesiredPage, error: unknown): Promise<PageResult> {
  const { name, data, status } = error as { name?: string; data?: { errors?: { path: string; message: string }[] }; status?: number }
  const isRefusal = name === 'ValidationError' || (typeof status === 'number' && status < 500)
  if (!isRefusal) {
    const isReadable = pages.first(page.type, { id: { exists: true } }, false).then(
      () => true,
      () => false,
    )
    if (isOfDatabase(error) || !(await isReadable)) {
      throw new SluiceError('site_unavailable', `Payload failed: ${messageOf(error)}. The pages come again by themselves.`, {
        retryable: true,
      })
    }
  }
  const fields = (data?.errors ?? []).map(({ path, message }) => ({ path: `/fields/${path.replaceAll('.', '/')}`, message }))
  return { ...done('invalid', null, null), error: { code: 'page_invalid', message: messageOf(error), fields } }
}

/** SQLSTATEs of the surroundings, SQLite's of a busy or broken file, and a network's. */
const databaseCodes =
  /^(?:(?:08|40|53|55|57|58|XX)[0-9A-Z]{3}|SQLITE_(?:BUSY|LOCKED|FULL|IOERR|CANTOPEN|READONLY|CORRUPT|NOTADB)\w*|E(?:CONN|PIPE|NOTFOUND|TIMEDOUT)\w*)$/

/** Whether an error, or what caused it, has a code of the database's surroundings. */
function isOfDatabase(error: unknown): boolean {
  for (let at = error; typeof at === 'object' && at !== null; at = (at as { cause?: unknown }).cause) {
    const { code } = at as { code?: unknown }
    if (typeof code === 'string' && databaseCodes.test(code)) return true
  }
  return false
}
