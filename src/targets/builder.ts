/** What `t` is in `target: (t) => …`: every way to say where an integration's objects go. */

import { type HandlerOptions, type HandlerResult, type HandlerResults, handlerTarget } from './handler.ts'
import { invalid, options } from './options.ts'
import { type PageMapping, type PageSite, type ParentHelper, type PlaceHelper, pageTarget } from './page.ts'
import type { Constant, RefHelper, TableMapping, ValueHelper } from './table/mapping.ts'
import { tableTarget } from './table.ts'
import type { TargetSpec, Wanted, WhenMissing } from './target.ts'

/** What a reference takes beside what it points at. */
export interface RefOptions {
  /**
   * While the other object is not there: `wait` (default) keeps this one back, `defer` applies it with the link empty,
   * which is filled in when the other comes.
   */
  missing?: WhenMissing
}

/** Builds targets. `T` is an object as the schema gives it out. */
export interface TargetBuilder<T> {
  /**
   * Objects become rows of a table: the row whose `key` column holds the external ID is inserted, or updated where it
   * differs.
   *
   * @param name `table`, found by the search_path or in `public`, or `schema.table`
   * @throws SluiceError `invalid_config` naming the option that is wrong or unknown
   *
   * @example
   * t.table('employee', { key: 'ms_id', columns: { name: 'name', position_id: t.ref('position', 'position_ms_id') } })
   */
  table<Sets extends Record<string, unknown> = Record<never, never>>(name: string, mapping: TableMapping<T, Sets>): TargetSpec
  /**
   * Objects are given to a function, one by one (`apply`) or a batch at a time (`applyMany`), inside the transaction that
   * records what became of them.
   *
   * @example
   * t.handler({ apply: async (order, { tx }) => { await tx.query('…', [order.id]); return 'updated' } })
   */
  // The results are type parameters, or TypeScript would take the 'updated' of `async () => 'updated'` for any string.
  handler<const One extends HandlerResult, const Many extends HandlerResults>(handler: HandlerOptions<T, One, Many>): TargetSpec
  /**
   * Objects become pages of a site: nodes of its tree, with a URL, drafts and revisions.
   *
   * @param site what `wagtailSite({ … })` or `payloadSite({ … })` gives
   * @throws SluiceError `invalid_config` naming the option that is wrong or unknown
   *
   * @example
   * t.page(site, { type: 'home.OrganizationPage', parent: t.place('organizations'), title: 'title', fields: { phone: 'phone' } })
   */
  page(site: PageSite, mapping: PageMapping<T>): TargetSpec
  /**
   * The page of another object, by the field that holds its external ID.
   *
   * @param options.top where a page stands whose field is null: the top of a tree of the same integration. Default: null is
   *   an error of that object, as a field that isn't there always is.
   */
  parent(integration: string, field: string, options?: { top?: PlaceHelper }): ParentHelper
  /** A place in the site's tree that the site's own settings name. */
  place(name: string): PlaceHelper
  /**
   * The row, page or `ref` that another object's external ID stands for.
   *
   * @param to an integration's name, or a table that nobody feeds with the column that holds the external ID
   * @param field dot path of the external ID; left out inside a set whose rows are external IDs themselves
   */
  ref(to: string | { table: string; key: string }, field?: string, options?: RefOptions): RefHelper
  /** When the row was written. Never compared: it changes only together with something else. */
  now(): ValueHelper
  /** A value that doesn't come from the object. Numbers, booleans and null may stand without it. */
  constant(value: Constant): ValueHelper
}

/** The one builder. It needs no type at run time. */
export function targetBuilder(): TargetBuilder<unknown> {
  return {
    table: (name, mapping) => tableTarget(name, mapping),
    handler: (handler) => handlerTarget(handler),
    page: (site, mapping) => pageTarget(site, mapping),
    parent: (integration, field, given = {}) => makeParent(integration, field, given),
    place: (name) => makePlace(name),
    ref: (to, field, given = {}) => makeRef(to, field, given),
    now: () => ({ helper: 'now' }),
    constant: (value) => ({ helper: 'constant', value }),
  }
}

function makeParent(integration: unknown, field: unknown, given: unknown): ParentHelper {
  if (typeof integration !== 'string' || integration === '' || typeof field !== 'string' || field === '')
    throw invalid('t.parent: give the integration whose page is the parent, and the field that holds its external ID')
  const { top } = options(`t.parent(${JSON.stringify(integration)}, …)`, given, ['top']) as { top?: PlaceHelper }
  if (top !== undefined && top.helper !== 'place') throw invalid('t.parent: "top" must be t.place(\'name\')')
  return { helper: 'parent', integration, field, top }
}

function makePlace(name: unknown): PlaceHelper {
  if (typeof name !== 'string' || name === '') throw invalid("t.place: give the place's name, as the site's settings have it")
  return { helper: 'place', place: name }
}

function makeRef(to: unknown, field: unknown, given: unknown): RefHelper {
  const where = `t.ref(${JSON.stringify(to)}, …)`
  if (field !== undefined && (typeof field !== 'string' || field === ''))
    throw invalid(`${where}: the field must be a dot path, such as "position.id"`)
  const { missing = 'wait' } = options(where, given, ['missing'])
  if (missing !== 'wait' && missing !== 'defer') throw invalid(`${where}: "missing" must be "wait" or "defer"`)
  return { helper: 'ref', wanted: wantedOf(where, to), field, missing }
}

function wantedOf(where: string, to: unknown): Wanted {
  if (typeof to === 'string' && to !== '') return { integration: to }
  if (typeof to === 'string') throw invalid(`${where}: the integration's name is empty`)
  const { table, key } = options(where, to, ['table', 'key'])
  if (typeof table !== 'string' || typeof key !== 'string') throw invalid(`${where}: must be an integration's name or { table, key }`)
  return { table, key }
}
