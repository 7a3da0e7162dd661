/** A Payload site as a place for pages, written to through its Local API within the worker. */
import { messageOf, SluiceError } from '../errors.ts'
import type { DesiredPage, KnownPage, PageErrorCode, PagePolicy, PageResult, PageSite } from '../targets/page.ts'
import { holds, sameSet } from './compare.ts'
import { type Access, remembering } from './confirm.ts'
import { hearConnections } from './connections.ts'
import { inLanes } from './lanes.ts'
import { byLevel } from './levels.ts'
import type { Doc, LocalApi } from './local-api.ts'
import type { PayloadOptions } from './options.ts'
import { keyOf, own } from './plugin.ts'
import { type Found, Reads } from './reads.ts'
import { isGone, isOvertaken, refusedByPayload, wasSavedMeanwhile, wasSlugGiven } from './refusal.ts'
import { sharing } from './shared.ts'
import { slugOf } from './slug.ts'
import { hasEditorDraft, write } from './write.ts'

/**
 * A Payload site whose pages refer to their parent and to nothing else of the tree.
 *
 * Each write is a transaction of Payload's own, apart from Sluice's: at least once. A page's key is in the row itself, so a
 * repetition finds the page and changes nothing. With `sharedTransaction` it is part of Sluice's: exactly once.
 */
export function payloadSite(options: PayloadOptions): PageSite {
  let opened: Promise<LocalApi> | undefined
  const open = (): Promise<LocalApi> => {
    // What failed to open is opened anew: its database may have been away.
    opened ??= (options.payload() as Promise<LocalApi>).then(
      (api) => {
        hearConnections(api)
        return api
      },
      (error: unknown) => {
        opened = undefined
        throw unavailable(error)
      },
    )
    return opened
  }
  return {
    name: `Payload (${options.collections.join(', ')})`,
    capabilities: { move: true, batch: 100, sharedTransaction: options.sharedTransaction !== undefined },
    async apply(pages, policy, { native }) {
      const site = await open()
      const { drizzle } = options.sharedTransaction ?? {}
      const access = drizzle === undefined ? remembering(site) : await sharing(site, drizzle, native)
      const { lost } = access
      const batch = new Reads(access.api, options)
      // One page whose key or row can't be read must not fail the others: then each is read by itself.
      const isLoaded = await batch.load(pages).then(
        () => true,
        () => false,
      )
      const { order, circle } = byLevel(pages)
      const sorted = order.map(([, page]) => page)
      const results = isLoaded ? await inLanes(batch, sorted, (page) => uponBatch(access, batch, page, policy)) : []
      const all: PageResult[] = pages.map((page, index) =>
        circle.has(index)
          ? refused('conflict', 'parent_cycle', 'the parents in this batch go round in a circle', batch.byKey(page))
          : done('unchanged', null, null),
      )
      for (const [at, [index, page]] of order.entries()) all[index] = results[at] ?? (await uponItself(access, batch, page, policy))
      const gone = await lost().catch((error: unknown) => {
        throw unavailable(error)
      })
      for (const [index, page] of order) if (gone.has(keyOf(page))) all[index] = await uponItself(access, batch, page, policy)
      const goneAgain = gone.size === 0 ? gone : await lost()
      for (const [index, page] of order) {
        const message = "the site took the page and lost it, twice: code of its own, such as a hook, ends the write's transaction"
        if (goneAgain.has(keyOf(page))) all[index] = refused('invalid', 'page_invalid', message, null)
      }
      return all
    },
    async lookup(keys) {
      const reads = new Reads(await open(), options)
      await reads.loadKeys(keys)
      return keys.map((key): KnownPage | null => {
        const found = reads.byKey(key)
        if (found === null) return null
        const { integration, externalId } = key
        return { integration, externalId, pageId: isTrashed(found) ? null : String(found.live.id), editorDraft: hasEditorDraft(found) }
      })
    },
    ...(options.revalidate === undefined ? {} : { revalidate: options.revalidate }),
  }
}

/** What was read for the whole batch isn't good enough for this: it is to be read now. */
class LookAgain extends Error {}

/** One page upon what was read for the whole batch; null if it has to be looked at by itself. */
async function uponBatch({ part }: Access, batch: Reads, page: DesiredPage, policy: PagePolicy): Promise<PageResult | null> {
  try {
    const result = await part(() => decide(batch, page, policy, true))
    // What stood in the way may be gone.
    return result.result === 'conflict' || result.result === 'waiting' ? null : result
  } catch (error) {
    if (error instanceof LookAgain || isOvertaken(error)) return null
    return refusedWith(batch, page, error)
  }
}

/** How often a page is read, when somebody else is faster each time: as many may want one slug. */
const mostTries = 10
/** When what it refers to is gone: one that is on its way comes with the next message. */
const mostTriesWithoutTarget = 3

/** One page upon the site as it is at this moment. */
async function uponItself({ part }: Access, batch: Reads, page: DesiredPage, policy: PagePolicy): Promise<PageResult> {
  for (let tries = 1; ; tries++) {
    try {
      const now = new Reads(batch.api, batch.options)
      await now.load([page])
      const result = await part(() => decide(now, page, policy, false))
      const found = now.byKey(page)
      if (found !== null) batch.learn(found.collection, found.live)
      return result
    } catch (error) {
      if (isOvertaken(error) && tries < (isGone(error) ? mostTriesWithoutTarget : mostTries)) continue
      if (isGone(error)) return refused('invalid', 'missing_reference', 'the site has not what the page refers to', batch.byKey(page))
      if (wasSavedMeanwhile(error))
        return refused('conflict', 'editor_draft', 'the page is being saved by somebody else again and again', batch.byKey(page))
      if (wasSlugGiven(error))
        return refused('conflict', 'slug_taken', 'another page under the same parent has been given the slug', batch.byKey(page))
      return refusedWith(batch, page, error)
    }
  }
}

async function refusedWith(batch: Reads, page: DesiredPage, error: unknown): Promise<PageResult> {
  return { ...done('invalid', null, null), error: await refusedByPayload(error, page, () => batch.isReadable(page.type)) }
}

/**
 * @param isOld whether what was read may be a while ago
 * @throws LookAgain if that isn't good enough
 */
async function decide(reads: Reads, page: DesiredPage, policy: PagePolicy, isOld: boolean): Promise<PageResult> {
  if (!reads.options.collections.includes(page.type))
    return refused('invalid', 'page_invalid', `"${page.type}" is none of the site's collections`, null)
  const found = reads.byKey(page)
  if (found !== null && found.collection !== page.type)
    return refused('conflict', 'not_ours', `the page is in the collection "${found.collection}"`, found)
  if (found !== null && isLate(page, found)) return done('superseded', found.live, null)
  if (found !== null && isTrashed(found)) {
    const told = [drifted.deleted]
    if (page.state === 'unpublished') return { ...done('unchanged', found.live, null), drift: told }
    // A draft changes nothing that visitors see.
    if (page.state === 'draft' || policy.drift === 'tell') {
      const message = 'an editor put the page in the trash; restore it or delete it for good'
      return { ...refused('conflict', 'page_trashed', message, found), drift: told }
    }
  }
  // A write starts from the newest revision in every language, and only one of them is sent along.
  const isMixed = found !== null && hasEditorDraft(found) && reads.isLocalized(page.type)
  if (isMixed && page.state === 'unpublished' && found.live._status === 'published') {
    const message = "an editor's unpublished draft stands on the page, and its languages can't be told apart: publish or discard it"
    return refused('conflict', 'editor_draft', message, found)
  }
  if (page.state === 'unpublished') return takeOff(reads, page, found, policy)
  const parent = await parentOf(reads, page, found)
  if (typeof parent === 'object' && parent !== null) return parent
  if (found === null) return create(reads, page, parent)
  return change(reads, page, found, parent, isMixed ? { ...policy, editorDraft: 'conflict' } : policy, isOld)
}

/** A worker that was stopped for long sends what is live by now in a newer version. */
function isLate(page: DesiredPage, { live }: Found): boolean {
  const applied = live[own.version]
  return page.state !== 'draft' && typeof applied === 'string' && page.version < applied
}

/** What editors do against the master, in the same words as on Wagtail's side. */
const drifted = {
  deleted: 'an editor deleted the page',
  moved: 'an editor moved the page',
  putBack: 'an editor published the page again',
  takenOff: 'an editor took the page off',
} as const

async function takeOff(reads: Reads, page: DesiredPage, found: Found | null, policy: PagePolicy): Promise<PageResult> {
  if (found === null) return done('unchanged', null, null)
  const { live, collection } = found
  const url = await reads.url(collection, live)
  const isLive = live._status === 'published'
  const drift = isLive && live[own.state] === 'unpublished' ? [drifted.putBack] : null
  // One that an editor took off is the master's to publish again from now on: that has to be remembered, in a revision.
  const stands = isLive ? drift !== null && policy.drift === 'tell' : live[own.state] !== 'published'
  if (stands) return { ...done('unchanged', live, url), drift }
  const off = { _status: 'draft', [own.state]: 'unpublished', [own.version]: page.version }
  reads.learn(collection, await write(reads.api, page, found, off, 'preserve'))
  return {
    ...done('unpublished', live, url, isLive ? [url] : []),
    changes: isLive ? { live: { before: true, after: false } } : null,
    drift,
  }
}

/** The parent's id, or why there is none. */
async function parentOf(reads: Reads, page: DesiredPage, found: Found | null): Promise<string | number | null | PageResult> {
  const { parent } = page
  if (parent === null) return refused('invalid', 'page_invalid', 'a page needs a parent', found)
  if (parent.kind === 'place') {
    const id = reads.options.places[parent.place]
    return id === undefined ? refused('invalid', 'page_invalid', `payloadSite: "places" has no "${parent.place}"`, found) : id
  }
  const above = reads.byKey(parent)
  if (above === null || isTrashed(above))
    return { ...refused('waiting', 'missing_reference', 'the parent has no page yet', found), waitsFor: [parent] }
  // Payload itself would follow a circle for ever.
  const line = found === null ? [] : await reads.line(page.type, above.live.id)
  if (line.some(({ id }) => id === found?.live.id))
    return refused('conflict', 'parent_cycle', 'the parent is the page itself or stands below it', found)
  return above.live.id
}

function ownedFields(reads: Reads, page: DesiredPage): Record<string, unknown> {
  const refs = Object.entries(page.references).map(([name, id]) => [name, id === null ? null : reads.id(id)])
  const sets = Object.entries(page.sets).map(([name, ids]) => [name, [...new Set(ids)].map((id) => reads.id(id))])
  return { title: page.title, ...page.fields, ...Object.fromEntries(refs), ...Object.fromEntries(sets) }
}

/** Drafts have no say in what is live. */
function versionOf(page: DesiredPage): Record<string, string> {
  return page.state === 'draft' ? {} : { [own.version]: page.version }
}

async function create(reads: Reads, page: DesiredPage, parent: string | number | null): Promise<PageResult> {
  const first = page.slug ?? slugOf(page.title)
  const other = reads.withSlug(page.type, parent, first)
  if (other !== null && page.slug !== null) return slugTaken(other, first)
  const slug = other === null ? first : await reads.freeSlug(page.type, parent, first)
  const isDraft = page.state === 'draft'
  const fields = ownedFields(reads, page)
  const data = {
    ...fields,
    slug,
    parent,
    _status: isDraft ? 'draft' : 'published',
    [own.key]: keyOf(page),
    [own.state]: page.state,
    [own.parent]: String(parent ?? ''),
    ...versionOf(page),
  }
  const doc = (await reads.api.create({
    collection: page.type,
    data,
    depth: 0,
    draft: isDraft,
    context: { sluice: page.key, sluiceKey: keyOf(page) },
  })) as Doc
  reads.learn(page.type, doc)
  const url = await reads.url(page.type, doc)
  const changes = Object.fromEntries(Object.entries(fields).map(([name, after]) => [name, { before: null, after }]))
  return { ...done('created', doc, url, isDraft ? [] : [url]), changes }
}

async function change(
  reads: Reads,
  page: DesiredPage,
  found: Found,
  parent: string | number | null,
  policy: PagePolicy,
  isOld: boolean,
): Promise<PageResult> {
  const { live, latest, collection } = found
  const isDraft = page.state === 'draft'
  const wasApplied = live[own.state]
  const isLive = live._status === 'published' && !isTrashed(found)
  const stays = policy.drift === 'tell'
  const takenOff = !isDraft && !isLive && !isTrashed(found) && wasApplied === 'published'
  const movedByEditor = String(live.parent ?? '') !== live[own.parent] && String(parent ?? '') === live[own.parent]
  const told = [
    ...(isTrashed(found) ? [drifted.deleted] : []),
    ...(takenOff ? [drifted.takenOff] : []),
    ...(movedByEditor ? [drifted.moved] : []),
  ]
  const drift = told.length === 0 ? null : told
  // What stays off gets the owned fields in a draft, for the day that an editor publishes it.
  const savesDraft = isDraft || (takenOff && stays)
  const base = savesDraft ? latest : live
  // What is live is not touched by a draft, and its place in the tree is part of that.
  const wantedParent = (movedByEditor && stays) || (isDraft && isLive) ? ((live.parent ?? null) as string | number | null) : parent
  const slug = page.slug ?? (latest.slug as string)
  const wanted = { ...ownedFields(reads, page), slug, parent: wantedParent }
  const differing = Object.entries(wanted).filter(([name, value]) =>
    name in page.sets ? !sameSet(base[name], value as unknown as (string | number)[]) : !holds(base[name], value),
  )
  const goesLive = !savesDraft && !isLive
  // What an editor made live against the master's last word, and the master now wants live too, is the master's again.
  const isAgreed = !isDraft && isLive && wasApplied !== 'published'
  const url = await reads.url(collection, live)
  if (differing.length === 0 && !goesLive && !isAgreed) return { ...done('unchanged', live, url), drift }
  if (hasEditorDraft(found) && policy.editorDraft === 'conflict')
    return { ...refused('conflict', 'editor_draft', "an editor's unpublished draft stands on the page", found), url, drift }
  const isElsewhere = goesLive || differing.some(([name]) => name === 'slug' || name === 'parent')
  // Whether the slug is free there, and no circle closes, is asked for as late as can be.
  if (isElsewhere && isOld) throw new LookAgain()
  const other = isElsewhere ? await reads.otherWithSlug(collection, wantedParent, slug, live.id) : null
  if (other !== null) return { ...slugTaken(other, slug), pageId: String(live.id), url, drift }
  const data = {
    ...wanted,
    ...(isTrashed(found) ? { deletedAt: null } : {}),
    _status: savesDraft ? 'draft' : 'published',
    [own.state]: savesDraft ? wasApplied : page.state,
    [own.parent]: movedByEditor && stays ? live[own.parent] : String(wantedParent ?? ''),
    ...versionOf(page),
  }
  const moves = !savesDraft && (slug !== live.slug || String(wantedParent ?? '') !== String(live.parent ?? ''))
  const addresses = async (): Promise<string[]> => {
    const below = moves ? await reads.below(collection, live.id) : []
    return Promise.all(below.filter((doc) => doc._status === 'published').map((doc) => reads.url(collection, doc)))
  }
  const urls = new Set([...(isLive ? [url] : []), ...(await addresses())])
  const written = await write(reads.api, savesDraft ? { ...page, state: 'draft' } : page, found, data, policy.editorDraft)
  const changes: Record<string, { before: unknown; after: unknown }> = {}
  for (const [name, after] of differing) changes[name] = { before: base[name] ?? null, after }
  if (savesDraft) return { ...done('draft_saved', live, url), changes, drift }
  reads.learn(collection, written)
  if (goesLive) changes.live = { before: false, after: true }
  const after = await reads.url(collection, written)
  for (const each of [after, ...(await addresses())]) urls.add(each)
  const onlyMoved = !goesLive && differing.length === 1 && differing[0]?.[0] === 'parent'
  return { ...done(onlyMoved ? 'moved' : 'published', live, after, [...urls]), changes, drift }
}

function isTrashed({ live }: Found): boolean {
  return live.deletedAt !== null && live.deletedAt !== undefined
}

function slugTaken(other: Doc, slug: string): PageResult {
  return refused('conflict', 'slug_taken', `page ${other.id} under the same parent has the slug "${slug}"`, null)
}

function done(result: PageResult['result'], doc: Doc | null, url: string | null, urls: string[] = []): PageResult {
  return { result, pageId: doc === null ? null : String(doc.id), url, urls, changes: null, drift: null, error: null, waitsFor: null }
}

function refused(result: 'waiting' | 'conflict' | 'invalid', code: PageErrorCode, message: string, found: Found | null): PageResult {
  return { ...done(result, found?.live ?? null, null), error: { code, message } }
}

/** A site that doesn't open is nobody's fault. */
function unavailable(error: unknown): SluiceError {
  return new SluiceError('site_unavailable', `Payload failed: ${messageOf(error)}. The pages come again by themselves.`, {
    retryable: true,
  })
}
