/**
 * JSON text as tokens. What the senders wrote is shown as they wrote it: numbers keep every digit, keys their order and
 * escapes, and a key that stands twice is shown twice. `JSON.parse` would lose all of that.
 */

export type TokenKind = 'string' | 'number' | 'word' | 'punctuation'

export interface Token {
  kind: TokenKind
  text: string
}

const token = /\s*("[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:])/sy

/** The tokens of a JSON text. Ends early at what is none: the server keeps no object that isn't JSON. */
export function* tokensOf(text: string): Generator<Token> {
  for (let at = 0; ; ) {
    token.lastIndex = at
    const match = token.exec(text)
    if (match === null) return
    at = token.lastIndex
    const found = match[1] ?? ''
    yield { kind: kindOf(found), text: found }
  }
}

function kindOf(text: string): TokenKind {
  const first = text[0] ?? ''
  if (first === '"') return 'string'
  if ('{}[],:'.includes(first)) return 'punctuation'
  return first === 't' || first === 'f' || first === 'n' ? 'word' : 'number'
}

/** Text of a member of an object's JSON text, as it stands there; null when it has none. */
export function memberText(text: string, name: string): string | null {
  let depth = 0
  let key: string | null = null
  let isWanted = false
  let value = ''
  let last = ''
  for (const { kind, text: part } of tokensOf(text)) {
    if (depth === 1 && !isWanted && kind === 'string' && (last === '{' || last === ',')) key = JSON.parse(part) as string
    else if (depth === 1 && !isWanted && part === ':') isWanted = key === name
    else if (isWanted) {
      if (depth === 1 && (part === ',' || part === '}')) return value
      value += part
    }
    if (part === '{' || part === '[') depth++
    if (part === '}' || part === ']') depth--
    last = part
  }
  return null
}
