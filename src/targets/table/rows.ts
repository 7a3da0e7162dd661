/** Typed rows out of text parameters: the `FROM` that every set-wise statement of the table target stands on. */
import type { Parameter } from '../../store/db.ts'
import type { Column } from './catalogue.ts'
import type { Text } from './plan.ts'

/** A column of the rows: its alias, what its texts are cast to, and the texts. */
export interface RowColumn {
  alias: string
  cast: string
  texts: readonly Text[]
}

/**
 * `(SELECT u.c0::integer AS c0, … FROM unnest($1::text[], …) AS u (c0, …))` with its parameters.
 *
 * @param from number of the first parameter, from 1
 */
export function typedRows(columns: readonly RowColumn[], from = 1): { sql: string; parameters: Parameter[] } {
  const arrays = columns.map((_, index) => `$${from + index}::text[]`).join(', ')
  const aliases = columns.map((column) => column.alias).join(', ')
  const casts = columns.map((column) => `u.${column.alias}::${column.cast} AS ${column.alias}`).join(', ')
  return { sql: `(SELECT ${casts} FROM unnest(${arrays}) AS u (${aliases}))`, parameters: columns.map((column) => column.texts) }
}

/** `a IS DISTINCT FROM b`, through a type that has equality. */
export function differs(column: Column, a: string, b: string): string {
  return `${a}${column.compareAs} IS DISTINCT FROM ${b}${column.compareAs}`
}
