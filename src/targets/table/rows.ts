/** Items as parameters: the `unnest(…)` that every set-wise statement of the table target reads from. */
import type { Parameter } from '../../store/db.ts'
import type { Text } from './text.ts'

/** Columns of `u`, filled from a list of items. */
export class Rows<Item> {
  readonly items: readonly Item[]
  readonly parameters: Parameter[] = []
  readonly #types: string[] = []
  readonly #names: string[] = []

  constructor(items: readonly Item[]) {
    this.items = items
  }

  /** Adds a column of texts; gives its SQL, cast: `u.c0::integer`. */
  text(name: string, cast: string, value: (item: Item) => Text): string {
    this.#add(name, 'text', this.items.map(value))
    return `u.${name}::${cast}`
  }

  /** Adds a column of numbers; gives its SQL. */
  number(name: string, value: (item: Item) => number): string {
    return this.#add(name, 'integer', this.items.map(value))
  }

  /** Adds a column of booleans; gives its SQL. */
  flag(name: string, value: (item: Item) => boolean): string {
    return this.#add(name, 'boolean', this.items.map(value))
  }

  /** `unnest($1::text[], …) AS u (…)`. */
  get sql(): string {
    return `unnest(${this.#types.map((type, index) => `$${index + 1}::${type}[]`).join(', ')}) AS u (${this.#names.join(', ')})`
  }

  #add(name: string, type: string, values: readonly Parameter[]): string {
    this.parameters.push(values)
    this.#types.push(type)
    this.#names.push(name)
    return `u.${name}`
  }
}
