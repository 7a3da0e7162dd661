/**
 * The contract between the page target and a site: a CMS whose content is a tree of pages with URLs, drafts and revisions.
 *
 * Sluice says what a page should be; the site's adapter compares that with the page as it is, does what is missing, and says
 * what it did. Applying the same twice changes nothing and adds no revision.
 */
import type { JsonValue } from '../../json/exact.ts'
import type { Logger } from '../target.ts'

/** Where a page stands: under the page of another object, or in a place that the site's own settings name. */
export type DesiredParent = { kind: 'page'; integration: string; externalId: string } | { kind: 'place'; place: string }

/**
 * What a page is to be.
 *
 * - `published`: the owned fields are live, with a revision.
 * - `draft`: they stand in a draft; what is live is not touched.
 * - `unpublished`: the page is off; its data and revisions stay, and so do the pages below it.
 */
export type DesiredState = 'published' | 'draft' | 'unpublished'

export interface DesiredPage {
  integration: string
  externalId: string
  /** As the site names its types of pages: a Payload collection, a Wagtail `app.Model`. */
  type: string
  /** Null only with `unpublished`, where the object doesn't carry it: nothing but the state is looked at then. */
  parent: DesiredParent | null
  /** May be empty with `unpublished`. */
  title: string
  /** Null: made of the title when the page is created, and kept from then on. */
  slug: string | null
  /** The fields that the integration owns and this object carries. A field that is absent stays as it is. */
  fields: Record<string, JsonValue>
  /** By field, the id of what it refers to, as the other integration's target gave it. */
  references: Record<string, string | null>
  /** By field, the ids of all that it refers to. Order and repetition mean nothing. */
  sets: Record<string, string[]>
  state: DesiredState
  /** The same for every attempt at one instance: `<message>.<ordinal>.<generation>`. It stands in the page's history. */
  key: string
  /**
   * Rises with every request for the same object, draft and live apart: texts in the order of their code points. A site that keeps the
   * highest refuses what a worker that was stopped for long sends late (`superseded`).
   */
  version: string
}

export interface PagePolicy {
  /**
   * When an editor's unpublished draft stands on a page that is to be written: `conflict` (default) leaves all as it is,
   * `preserve` makes the owned fields live and keeps the draft with them in it, `overwrite` writes over it.
   */
  editorDraft: 'conflict' | 'preserve' | 'overwrite'
  /** What an editor did against the master, such as taking a page off: `tell` (default) says so and leaves it, `undo` undoes it. */
  drift: 'tell' | 'undo'
}

/** What a site did with a page, in its own word. */
export type PageWord =
  | 'created'
  | 'published'
  | 'draft_saved'
  | 'unpublished'
  | 'moved'
  | 'unchanged'
  | 'superseded'
  | 'waiting'
  | 'conflict'
  | 'invalid'

/** Why a page was not applied. */
export const pageErrorCodes = [
  'editor_draft',
  'slug_taken',
  'parent_cycle',
  'page_trashed',
  'not_ours',
  'page_invalid',
  'missing_reference',
] as const
export type PageErrorCode = (typeof pageErrorCodes)[number]

/** What became of one page. */
export interface PageResult {
  result: PageWord
  /** The site's id of the page; null if there is none. */
  pageId: string | null
  url: string | null
  /** URLs whose content changed, old and new. */
  urls: string[]
  changes: Record<string, { before: unknown; after: unknown }> | null
  /** What editors did against the master, in words. */
  drift: string[] | null
  /** With `waiting`, `conflict` and `invalid`. A path is a JSON Pointer into the desired page. */
  error: { code: PageErrorCode; message: string; fields?: { path: string; message: string }[] } | null
  /** With `waiting`: the objects without which the page can't be applied. */
  waitsFor: { integration: string; externalId: string }[] | null
  /** With `unchanged`: what the same `key` did before, when its answer may have been lost. */
  repeats?: { result: PageWord; urls?: string[] } | null
}

/** A page as a site knows it. */
export interface KnownPage {
  integration: string
  externalId: string
  /** Null: an editor deleted the page. */
  pageId: string | null
  /** Whether an editor's draft stands on it. */
  editorDraft: boolean
}

/** What a site's `apply` works with. */
export interface SiteContext {
  signal: AbortSignal
  log: Logger
  /** The driver's own client of Sluice's transaction, for a site that shares it. */
  native?: unknown
}

/** A site, ready to be written to. */
export interface PageSite {
  /** For people: where it is. */
  readonly name: string
  readonly capabilities: {
    /** Whether a page can be moved to another parent. */
    move: boolean
    /** Most pages that `apply` takes at once. */
    batch: number
    /** Whether pages are written in the very transaction that records their results: exactly once, not at least once. */
    sharedTransaction: boolean
  }
  /**
   * Brings pages to what they are to be, each by itself, and gives a result for each, in order. Parents come before their
   * children.
   *
   * @throws SluiceError with `retryable` when the site can't be reached: the whole batch comes again
   */
  apply(pages: readonly DesiredPage[], policy: PagePolicy, context: SiteContext): Promise<PageResult[]>
  /** What the site knows of objects; null for one that never had a page. Throws as `apply` does. */
  lookup(keys: readonly { integration: string; externalId: string }[]): Promise<(KnownPage | null)[]>
  /**
   * Told after Sluice's commit which URLs changed, old and new: for caches outside the site. What it throws is logged; it is
   * not told again.
   */
  revalidate?(urls: readonly string[]): Promise<void>
}
