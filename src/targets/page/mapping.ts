/** What a user writes to map objects to pages, and the same in one plain form. */
import { invalid, options } from '../options.ts'
import type { RefHelper } from '../table/mapping.ts'
import type { ReferenceDeclaration, Wanted } from '../target.ts'
import type { PagePolicy, PageSite } from './contract.ts'

/** Made by `t.parent` and `t.place`. */
export type ParentHelper =
  | { readonly helper: 'parent'; readonly integration: string; readonly field: string; readonly top: PlaceHelper | undefined }
  | PlaceHelper

/** Made by `t.place`. */
export interface PlaceHelper {
  readonly helper: 'place'
  readonly place: string
}

/** A field by its dot path, taken from the source text; or a function of the schema's output. Undefined: not carried. */
export type PageSource<T> = string | ((object: T) => unknown)

/** What `t.page` takes beside the site. */
export interface PageMapping<T> {
  /** The site's type of page. */
  type: string
  /** `t.parent('region', 'region_ms_id')` or `t.place('organizations')`. Never guessed. */
  parent: ParentHelper
  title: PageSource<T>
  /** Default: made of the title when the page is created, and kept. */
  slug?: PageSource<T>
  /** The fields that the integration owns. All others keep what editors wrote. */
  fields?: Record<string, PageSource<T>>
  /**
   * Fields that refer to one other thing: `t.ref('district', 'district_ms_id')` to another integration's object, which is
   * waited for; or a field's path, whose value is the id that the site itself knows it by.
   */
  refs?: Record<string, RefHelper | string>
  /** Fields that refer to many, in the same way: the path leads to an array. */
  sets?: Record<string, RefHelper | string>
  /** See {@link PagePolicy}. Default: `conflict`. */
  editorDraft?: PagePolicy['editorDraft']
  /** See {@link PagePolicy}. Default: `tell`. */
  drift?: PagePolicy['drift']
}

/** A source in its plain form. */
export type PlainSource = { kind: 'field'; path: string } | { kind: 'call'; call: (object: unknown) => unknown }

export interface PlainRef {
  name: string
  /** Null: what stands at the path is the site's own id. */
  wanted: Wanted | null
  path: string
}

/** A mapping in its plain form. */
export interface ParsedPageMapping {
  site: PageSite
  type: string
  parent: { kind: 'page'; integration: string; path: string; top: string | null } | { kind: 'place'; place: string }
  title: PlainSource
  slug: PlainSource | null
  fields: { name: string; source: PlainSource }[]
  refs: PlainRef[]
  sets: PlainRef[]
  policy: PagePolicy
}

/** The field under which a page's parent stands among its references. */
export const parentField = 'parent'

const known = ['type', 'parent', 'title', 'slug', 'fields', 'refs', 'sets', 'editorDraft', 'drift'] as const

/** Checks a mapping and brings it into its plain form. Throws SluiceError `invalid_config` naming the place. */
export function parsePageMapping(site: unknown, given: unknown): ParsedPageMapping {
  if (!isSite(site)) throw invalid('page: the first argument of t.page must be a site, such as wagtailSite({ … })')
  const where = `page ${JSON.stringify((given as { type?: unknown } | null)?.type)}`
  const { type, parent, title, slug, fields, refs, sets, editorDraft = 'conflict', drift = 'tell' } = options(where, given, known)
  if (typeof type !== 'string' || type === '') throw invalid(`${where}: "type" must name a type of page of the site`)
  if (title === undefined) throw invalid(`${where}: "title" must be given`)
  const plan: ParsedPageMapping = {
    site,
    type,
    parent: parseParent(where, parent),
    title: parseSource(`${where}, title`, title),
    slug: slug === undefined ? null : parseSource(`${where}, slug`, slug),
    fields: members(where, 'fields', fields).map(([name, source]) => ({ name, source: parseSource(`${where}, "${name}"`, source) })),
    refs: members(where, 'refs', refs).map(([name, ref]) => parseRef(`${where}, "${name}"`, name, ref)),
    sets: members(where, 'sets', sets).map(([name, ref]) => parseRef(`${where}, "${name}"`, name, ref)),
    policy: {
      editorDraft: oneOf(where, 'editorDraft', editorDraft, ['conflict', 'preserve', 'overwrite']),
      drift: oneOf(where, 'drift', drift, ['tell', 'undo']),
    },
  }
  const names = [...plan.fields, ...plan.refs, ...plan.sets].map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(`${where}: "${twice}" stands in more than one of "fields", "refs" and "sets"`)
  return plan
}

function isSite(value: unknown): value is PageSite {
  return typeof value === 'object' && value !== null && 'capabilities' in value && 'apply' in value && typeof value.apply === 'function'
}

function parseParent(where: string, parent: unknown): ParsedPageMapping['parent'] {
  const given = parent as ParentHelper | undefined
  if (given?.helper === 'place') return { kind: 'place', place: given.place }
  if (given?.helper === 'parent') return { kind: 'page', integration: given.integration, path: given.field, top: given.top?.place ?? null }
  throw invalid(`${where}: "parent" must be t.parent('integration', 'field') or t.place('name')`)
}

function parseSource(where: string, source: unknown): PlainSource {
  if (typeof source === 'string' && source !== '') return { kind: 'field', path: source }
  if (typeof source === 'function') return { kind: 'call', call: source as (object: unknown) => unknown }
  throw invalid(`${where}: must be a field's path or a function`)
}

function parseRef(where: string, name: string, ref: unknown): PlainRef {
  if (typeof ref === 'string' && ref !== '') return { name, wanted: null, path: ref }
  const given = ref as RefHelper | undefined
  if (given?.helper !== 'ref' || given.field === undefined)
    throw invalid(`${where}: must be t.ref('integration', 'field'), the field holding the external ID; or a field's path`)
  if (given.missing === 'defer')
    throw invalid(`${where}: a reference of a page waits; a link filled in later would be a revision of its own. Leave "missing" out.`)
  return { name, wanted: given.wanted, path: given.field }
}

function members(where: string, name: string, value: unknown): [string, unknown][] {
  if (value === undefined) return []
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${where}: "${name}" must be an object of fields`)
  return Object.entries(value)
}

function oneOf<Word extends string>(where: string, name: string, value: unknown, words: readonly Word[]): Word {
  const found = words.find((word) => word === value)
  if (found === undefined) throw invalid(`${where}: "${name}" must be one of ${words.map((word) => `"${word}"`).join(', ')}`)
  return found
}

/** The references that a mapping declares. */
export function pageReferences({ parent, refs, sets }: ParsedPageMapping): ReferenceDeclaration[] {
  const own: ReferenceDeclaration[] =
    parent.kind === 'page' ? [{ field: parentField, wanted: { integration: parent.integration }, missing: 'wait' }] : []
  const declared = [...refs, ...sets].flatMap(({ name, wanted }): ReferenceDeclaration[] =>
    wanted === null ? [] : [{ field: name, wanted, missing: 'wait' }],
  )
  return [...own, ...declared]
}

/** Stands for all that is no reference. */
const wholePage = '*'

/**
 * The fields of a page that versions are kept for. Every object carries all of them, since what is live is one revision: an
 * older object that comes late has nothing left to supply.
 */
export function pageFields({ refs, sets }: ParsedPageMapping): string[] {
  return [wholePage, parentField, ...[...refs, ...sets].map(({ name }) => name)]
}

/** Whether a function needs the schema's output. */
export function pageNeedsOutput({ title, slug, fields }: ParsedPageMapping): boolean {
  return [title, ...(slug === null ? [] : [slug]), ...fields.map(({ source }) => source)].some(({ kind }) => kind === 'call')
}

/** A mapping as plain data, for people. A function is only said to be one. */
export function describePage(plan: ParsedPageMapping): Record<string, unknown> {
  const source = (given: PlainSource): unknown => (given.kind === 'field' ? { field: given.path } : { function: true })
  const ref = ({ wanted, path }: PlainRef): unknown =>
    wanted === null ? { field: path } : { ref: 'integration' in wanted ? wanted.integration : wanted, field: path }
  return {
    site: plan.site.name,
    type: plan.type,
    parent: plan.parent,
    title: source(plan.title),
    slug: plan.slug === null ? null : source(plan.slug),
    fields: Object.fromEntries(plan.fields.map((field) => [field.name, source(field.source)])),
    refs: Object.fromEntries(plan.refs.map((each) => [each.name, ref(each)])),
    sets: Object.fromEntries(plan.sets.map((each) => [each.name, ref(each)])),
    ...plan.policy,
  }
}
