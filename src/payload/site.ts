/** A Payload site as a place for pages, written to through its Local API within the worker. */
import { messageOf, SluiceError } from '../errors.ts'
import type { DesiredPage, KnownPage, PageErrorCode, PagePolicy, PageResult, PageSite } from '../targets/page.ts'
import { holds, sameSet } from './compare.ts'
import { inLanes } from './lanes.ts'
import type { Doc, LocalApi } from './local-api.ts'
import type { PayloadOptions } from './options.ts'
import { keyOf, own } from './plugin.ts'
import { type Found, Reads } from './reads.ts'
import { isOvertaken, refusedByPayload, wasSavedMeanwhile } from './refusal.ts'
import { slugOf } from './slug.ts'
import { hasEditorDraft, write } from './write.ts'

/**
 * A Payload site whose pages refer to their parent and to nothing else of the tree.
 *
 * Each write is a transaction of Payload's own, apart from Sluice's: at least once. A page's key is in the row itself, so a
 * repetition finds the page and changes nothing.
 */
export function payloadSite(options: PayloadOptions): PageSite {
  let opened: Promise<LocalApi> | undefined
  const open = (): Promise<LocalApi> => {
    // What failed to open is opened anew: its database may have been away.
    opened ??= (options.payload() as Promise<LocalApi>).catch((error: unknown) => {
      opened = undefined
      throw unavailable(error)
    })
    return opened
  }
  return {
    name: `Payload (${options.collections.join(', ')})`,
    capabilities: { move: true, batch: 100 },
    async apply(pages, policy) {
      const batch = new Reads(await open(), options)
      // One page whose key or row can't be read must not fail the others: then each is read by itself.
      const isLoaded = await batch.load(pages).then(
        () => true,
        () => false,
      )
      const results = isLoaded ? await inLanes(batch, pages, (page) => uponBatch(batch, page, policy)) : []
      const all: PageResult[] = []
      for (const [index, page] of pages.entries()) all.push(results[index] ?? (await uponItself(batch, page, policy)))
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
async function uponBatch(batch: Reads, page: DesiredPage, policy: PagePolicy): Promise<PageResult | null> {
  try {
    const result = await decide(batch, page, policy, true)
    // What stood in the way may be gone.
    return result.result === 'conflict' || result.result === 'waiting' ? null : result
  } catch (error) {
    if (error instanceof LookAgain || isOvertaken(error)) return null
    return refusedWith(batch, page, error)
  }
}

/** How often a page is read, when somebody else is faster each time. */
const mostTries = 3

/** One page upon the site as it is at this moment. */
async function uponItself(batch: Reads, page: DesiredPage, policy: PagePolicy): Promise<PageResult> {
  for (let tries = 1; ; tries++) {
    try {
      const now = new Reads(batch.api, batch.options)
      await now.load([page])
      const result = await decide(now, page, policy, false)
      const found = now.byKey(page)
      if (found !== null) batch.learn(found.collection, found.live)
      return result
    } catch (error) {
      if (tries < mostTries && isOvertaken(error)) continue
      if (wasSavedMeanwhile(error))
        return refused('conflict', 'editor_draft', 'the page is being saved by somebody else again and again', batch.byKey(page))
      return refusedWith(batch, page, error)
    }
  }
}

async function refusedWith(batch: Reads, page: DesiredPage, error: unknown): Promise<PageResult> {
  return { ...done('invalid', null, null), error: await refusedByPayload(error, () => batch.isReadable(page.type)) }
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
    if (page.state === 'unpublished') return done('unchanged', found.live, null)
    return refused('conflict', 'page_trashed', 'an editor put the page in the trash; restore it or delete it for good', found)
  }
  if (page.state === 'unpublished') return takeOff(reads, page, found)
  const parent = await parentOf(reads, page, found)
  if (typeof parent === 'object' && parent !== null) return parent
  return found === null ? create(reads, page, parent) : change(reads, page, found, parent, policy, isOld)
}

/** A worker that was stopped for long sends what is live by now in a newer version. */
function isLate(page: DesiredPage, { live }: Found): boolean {
  const applied = live[own.version]
  return page.state !== 'draft' && typeof applied === 'string' && page.version < applied
}

async function takeOff(reads: Reads, page: DesiredPage, found: Found | null): Promise<PageResult> {
  if (found === null) return done('unchanged', null, null)
  const { live, collection } = found
  if (live._status !== 'published') return done('unchanged', live, await reads.url(collection, live))
  const url = await reads.url(collection, live)
  const off = { _status: 'draft', [own.state]: 'unpublished', [own.version]: page.version }
  reads.learn(collection, await write(reads.api, page, found, off, 'preserve'))
  return { ...done('unpublished', live, url, [url]), changes: { live: { before: true, after: false } } }
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
  const slug = page.slug ?? slugOf(page.title)
  const other = reads.withSlug(page.type, parent, slug)
  if (other !== null) return slugTaken(other, slug)
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
  const doc = (await reads.api.create({ collection: page.type, data, depth: 0, draft: isDraft, context: { sluice: page.key } })) as Doc
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
  const wanted = { ...ownedFields(reads, page), slug, parent: wantedParent }
  const differing = Object.entries(wanted).filter(([name, value]) =>
    name in page.sets ? !sameSet(base[name], value as (string | number)[]) : !holds(base[name], value),
  )
  const goesLive = !isDraft && !isLive && !staysOff
  const url = await reads.url(collection, live)
  if (staysOff || (differing.length === 0 && !goesLive)) return { ...done('unchanged', live, url), drift: told }
  if (hasEditorDraft(found) && policy.editorDraft === 'conflict')
    return { ...refused('conflict', 'editor_draft', "an editor's unpublished draft stands on the page", found), url, drift: told }
  const isElsewhere = goesLive || differing.some(([name]) => name === 'slug' || name === 'parent')
  // Whether the slug is free there, and no circle closes, is asked for as late as can be.
  if (isElsewhere && isOld) throw new LookAgain()
  const other = isElsewhere ? await reads.otherWithSlug(collection, wantedParent as string | number | null, slug, live.id) : null
  if (other !== null) return { ...slugTaken(other, slug), pageId: String(live.id), url, drift: told }
  const data = {
    ...wanted,
    _status: isDraft ? 'draft' : 'published',
    [own.state]: isDraft && isLive ? wasApplied : page.state,
    [own.parent]: movedByEditor && stays ? live[own.parent] : String(wantedParent ?? ''),
    ...versionOf(page),
  }
  const written = await write(reads.api, page, found, data, policy.editorDraft)
  if (!isDraft) reads.learn(collection, written)
  const changes: Record<string, { before: unknown; after: unknown }> = {}
  for (const [name, after] of differing) changes[name] = { before: base[name] ?? null, after }
  if (goesLive) changes.live = { before: false, after: true }
  const after = await reads.url(collection, { ...live, slug, parent: wantedParent })
  const onlyMoved = !isDraft && !goesLive && differing.length === 1 && differing[0]?.[0] === 'parent'
  const word = isDraft ? 'draft_saved' : onlyMoved ? 'moved' : 'published'
  const urls = isDraft ? [] : [...new Set(isLive ? [url, after] : [after])]
  return { ...done(word, live, isDraft ? url : after, urls), changes, drift: told }
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
