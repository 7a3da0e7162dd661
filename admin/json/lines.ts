/** JSON text laid out for reading: a line per member, each with the JSON Pointer of the value that begins on it. */
import { type Token, tokensOf } from './scan.ts'

export interface Line {
  depth: number
  /** Of the value that begins on this line; undefined on a line that only closes one. */
  pointer?: string
  parts: Token[]
}

interface Open {
  isArray: boolean
  /** Of the next element. */
  index: number
  pointer: string
}

/** Lays out a JSON text. Empty objects and arrays stay on their line. */
export function linesOf(text: string): Line[] {
  const lines: Line[] = []
  const stack: Open[] = []
  let line: Line = { depth: 0, pointer: '', parts: [] }
  let pointer = ''
  let isKey = false
  let isFresh = false
  const begin = (next: Line): void => {
    if (line.parts.length > 0) lines.push(line)
    line = next
  }
  for (const part of tokensOf(text)) {
    const open = stack.at(-1)
    const isClosing = part.text === '}' || part.text === ']'
    if (isFresh && !isClosing) {
      begin({ depth: stack.length, parts: [] })
      if (open?.isArray === true) startElement()
      else isKey = true
    }
    isFresh = false
    if (isClosing) {
      const wasEmpty = line.parts.at(-1)?.text === '{' || line.parts.at(-1)?.text === '['
      stack.pop()
      if (!wasEmpty) begin({ depth: stack.length, parts: [] })
      line.parts.push(part)
    } else if (part.kind === 'string' && isKey && open !== undefined) {
      pointer = `${open.pointer}/${escaped(JSON.parse(part.text) as string)}`
      line.pointer = pointer
      line.parts.push(part)
      isKey = false
    } else if (part.text === '{' || part.text === '[') {
      line.parts.push(part)
      stack.push({ isArray: part.text === '[', index: 0, pointer })
      isFresh = true
    } else if (part.text === ',') {
      line.parts.push(part)
      isFresh = true
    } else line.parts.push(part)
  }
  begin({ depth: 0, parts: [] })
  return lines

  function startElement(): void {
    const open = stack.at(-1)
    if (open === undefined) return
    pointer = `${open.pointer}/${open.index++}`
    line.pointer = pointer
  }
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
