/** What the adapter keeps on a page: hidden fields, in the same row and revision as the content they speak of. */
import type { WriteContext } from './local-api.ts'

interface Collection {
  slug: string
  fields: unknown[]
  hooks?: { beforeChange?: unknown[] }
}

/** The hidden fields. All are texts. */
export const own = {
  /** Integration and external ID, unique: see {@link keyOf}. */
  key: 'sluiceKey',
  /** The state applied last. */
  state: 'sluiceState',
  /** The parent's id applied last; empty for a page at the top. */
  parent: 'sluiceParent',
  /** Parent and slug, unique: two writers at once can't give one address to two pages. Empty in the trash. */
  place: 'sluicePlace',
  /** Version of the request that wrote what is live; see `DesiredPage.version`. */
  version: 'sluiceVersion',
  /** The message that wrote this very revision; null if a person did. */
  writer: 'sluiceWriter',
} as const

export function keyOf({ integration, externalId }: { integration: string; externalId: string }): string {
  return JSON.stringify([integration, externalId])
}

/** The name of the error with which the plugin refuses to write over a revision that wasn't read. By name: there may be two copies of this file. */
export const changedMeanwhile = 'SluiceChangedMeanwhile'

/** Fields of which no two pages have the same. */
const unique: readonly string[] = [own.key, own.place]

interface HookArguments {
  data: Record<string, unknown>
  context: WriteContext
  originalDoc?: Record<string, unknown>
}

/**
 * A Payload plugin that adds the hidden fields to the collections named. They need `versions: { drafts: true }`, and a
 * migration afterwards. Nobody but the Local API can write the fields, and a duplicated page has none of them.
 *
 * Throws an Error if the config lacks one of the collections.
 */
export function sluicePages(slugs: readonly string[]): <Config extends { collections?: unknown[] }>(config: Config) => Config {
  return (config) => {
    const collections = (config.collections ?? []) as Collection[]
    const missing = slugs.find((slug) => !collections.some((collection) => collection.slug === slug))
    if (missing !== undefined) throw new Error(`sluicePages: the config has no collection "${missing}"`)
    return { ...config, collections: collections.map((each) => (slugs.includes(each.slug) ? extended(each) : each)) }
  }
}

function extended(collection: Collection): Collection {
  const hidden = Object.values(own).map((name) => ({
    name,
    type: 'text',
    admin: { hidden: true },
    access: { create: () => false, update: () => false },
    hooks: { beforeDuplicate: [() => null] },
    ...(unique.includes(name) ? { unique: true, index: true } : {}),
  }))
  // A revision starts as a copy of the one before it: without this an editor's draft would pass as ours.
  const sign = ({ data, context, originalDoc }: HookArguments): Record<string, unknown> => ({
    ...data,
    [own.writer]: writerOf({ ...originalDoc, ...data }, context),
    [own.place]: placeOf({ ...originalDoc, ...data }),
  })
  return {
    ...collection,
    fields: [...collection.fields, ...hidden],
    hooks: { ...collection.hooks, beforeChange: [refuseUnread, ...(collection.hooks?.beforeChange ?? []), sign] },
  }
}

/** What the site's own code saves again within a write, such as the pages below, remains whose it was. */
function writerOf(doc: Record<string, unknown>, { sluice, sluiceKey }: WriteContext): unknown {
  return sluiceKey === undefined || doc[own.key] === sluiceKey ? (sluice ?? null) : (doc[own.writer] ?? null)
}

/** Null for pages that are only the editors': what they do with them is up to them. */
function placeOf({ slug, parent, deletedAt, [own.key]: key }: Record<string, unknown>): string | null {
  return key == null || slug == null || deletedAt != null ? null : JSON.stringify([parent ?? null, slug])
}

/** Within the write Payload has read the newest revision: if an editor has saved since the adapter looked, the adapter has to look again. */
function refuseUnread({ data, context, originalDoc }: HookArguments): Record<string, unknown> {
  const { sluiceRead } = context
  if (sluiceRead === undefined || sluiceRead.id !== originalDoc?.id) return data
  // The site's own hooks may write the page again within the same request.
  delete context.sluiceRead
  if (sluiceRead.updatedAt === originalDoc.updatedAt) return data
  throw Object.assign(new Error('the page was saved meanwhile'), { name: changedMeanwhile })
}
