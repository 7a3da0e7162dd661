/** What `t` is in `target: (t) => …`: the ways to declare a target, typed by the integration's schema. */
import { type HandlerOptions, handlerTarget } from './handler.ts'
import type { ColumnHelper, RefHelper, TableMapping } from './table/mapping.ts'
import { tableTarget } from './table.ts'
import type { TargetSpec, WhenMissing } from './target.ts'

/** Declares targets for objects of type `T`. */
export interface TargetBuilder<T> {
  /** Rows of a table: `schema.table`, or a plain name. */
  table(name: string, mapping: TableMapping<T>): TargetSpec
  /** Your own code. */
  handler(options: HandlerOptions<T>): TargetSpec
  /**
   * A reference to another integration's object, or to a row of a table that nobody feeds.
   *
   * @param field dot path of the external ID; may be left out in a set whose rows are the external IDs themselves
   * @param options.missing `wait` (default): the object fails as `missing_reference` and goes on by itself when the other has
   *   come. `defer`: it is applied with the link empty, which is filled in when the other comes
   */
  ref(wanted: string | { table: string; key: string }, field?: string, options?: { missing?: WhenMissing }): RefHelper
  /** The time of the change: written with another change, never compared. */
  now(): ColumnHelper
  /** A constant; a bare string would be a field. */
  constant(value: string | number | boolean | null): ColumnHelper
}

/** The builder. It has no state: the same one serves every integration. */
export function targetBuilder(): TargetBuilder<unknown> {
  return {
    table: (name, mapping) => tableTarget(name, mapping as TableMapping<never>),
    handler: (options) => handlerTarget(options as HandlerOptions<never>),
    ref: (wanted, field, options) => ({
      helper: 'ref',
      wanted: typeof wanted === 'string' ? { integration: wanted } : wanted,
      field,
      missing: options?.missing ?? 'wait',
    }),
    now: () => ({ helper: 'now' }),
    constant: (value) => ({ helper: 'constant', value }),
  }
}
