/** Objects as parameters: the `unnest(…)` that every set-wise statement of the table target reads from. */
import type { Parameter } from '../../store/db.ts'

/** Arrays of one length that become the columns of `u`. */
export class Rows {
  readonly parameters: Parameter[] = []
  readonly #types: string[] = []
  readonly #names: string[] = []

  /** Adds a column; gives its SQL, such as `u.c0::integer`. Texts are cast where they are used, so that each is cast once. */
  add(name: string, type: 'text' | 'integer' | 'boolean', values: readonly Parameter[], cast?: string): string {
    this.parameters.push(values)
    this.#types.push(type)
    this.#names.push(name)
    return cast === undefined ? `u.${name}` : `u.${name}::${cast}`
  }

  /** `unnest($1::text[], …) AS u (…)`. */
  get sql(): string {
    return `unnest(${this.#types.map((type, index) => `$${index + 1}::${type}[]`).join(', ')}) AS u (${this.#names.join(', ')})`
  }
}
