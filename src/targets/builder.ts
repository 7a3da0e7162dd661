/** What `t` is in `target: (t) => …`: every way to say where an integration's objects go. */
import { type HandlerOptions, type HandlerResult, type HandlerResults, handlerTarget } from './handler.ts'
import { invalid, options } from './options.ts'
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
    ref: (to, field, given = {}) => makeRef(to, field, given),
    now: () => ({ helper: 'now' }),
    constant: (value) => ({ helper: 'constant', value }),
  }
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
