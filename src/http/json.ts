/** JSON out, with texts that stand in the database embedded as they are: no number in them is parsed and written again. */

/** A JSON text, to be embedded in a larger one. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A JSON text from the database; null stays null. */
export function raw(text: string | null): RawJson | null {
  return text === null ? null : new RawJson(text)
}

/** As `JSON.stringify`, with {@link RawJson} embedded; members that are undefined are left out. */
export function stringify(value: unknown): string {
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value)) return `[${value.map((item) => stringify(item ?? null)).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${stringify(member)}`).join(',')}}`
  }
  return JSON.stringify(value)
}
