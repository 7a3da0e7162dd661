/** JSON values as Sluice holds them. */

// https://tc39.es/proposal-json-parse-with-source, in Node since 21; TypeScript's library doesn't have it yet.
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown }

/** A number as its source wrote it, because a JavaScript number would be another one. */
export class ExactNumber {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }

  toString(): string {
    return this.source
  }

  /** Lets `JSON.stringify` write the source's digits. */
  toJSON(): unknown {
    return rawJSON(this.source)
  }
}

/** A JSON value. Numbers that JavaScript holds exactly are plain. */
export type JsonValue = string | number | boolean | null | ExactNumber | JsonValue[] | { [key: string]: JsonValue }
