/** What a command says: results on stdout, everything else on stderr; with `--json` stdout carries JSON only. */
import { stripVTControlCharacters } from 'node:util'
import { messageOf } from '../errors.ts'
import { DatabaseError } from '../store/db.ts'
import { isSluiceError } from './exit.ts'

export class Output {
  readonly json: boolean
  readonly #verbose: boolean

  constructor(options: { json: boolean; verbose: boolean }) {
    this.json = options.json
    this.#verbose = options.verbose
  }

  /** A command's result: `value` as one line of JSON with `--json`, else the lines that `text` gives. */
  result(value: unknown, text: () => readonly string[]): void {
    const lines = this.json ? [JSON.stringify(value)] : text()
    if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
  }

  /** Something that happens on the way, for people. */
  note(line: string): void {
    process.stderr.write(`${line}\n`)
  }

  /** The end of a command that failed: one line, and the stack with `--verbose`. */
  failure(error: unknown): void {
    this.note(`sluice: ${printable(explained(error))}`)
    if (this.#verbose && error instanceof Error) this.note(withCauses(error))
    if (!this.json) return
    const code = isSluiceError(error) ? error.code : 'unexpected'
    const details = isSluiceError(error) ? error.details : {}
    process.stdout.write(`${JSON.stringify({ error: { code, message: explained(error), details } })}\n`)
  }
}

/** The text of an error; of a database that can't be reached also what to do. */
export function explained(error: unknown): string {
  const text = messageOf(error)
  const advice = error instanceof DatabaseError ? adviceFor(error.sqlstate) : null
  return advice === null ? text : `${text}. ${advice}`
}

function adviceFor(sqlstate: string): string | null {
  if (sqlstate.startsWith('28')) return 'PostgreSQL refused the login: check user and password in DATABASE_URL (or database.url).'
  if (sqlstate === '3D000') return 'Create that database, or name another one in DATABASE_URL (or database.url).'
  if (sqlstate.startsWith('08')) return 'Is PostgreSQL running, and is its address in DATABASE_URL (or database.url) right?'
  return null
}

function withCauses(error: Error): string {
  const stack = error.stack ?? error.message
  return error.cause instanceof Error ? `${stack}\ncaused by ${withCauses(error.cause)}` : stack
}

/** Text from outside, made safe for a terminal: no control characters, no line breaks. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ')
}

/** Lines of a table: columns as wide as their widest cell, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = rows.map((row) => row.map((cell) => printable(String(cell))))
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[], source?: readonly (string | number)[]): string =>
    row
      .map((cell, column) => (typeof source?.[column] === 'number' ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(head), ...cells.map((row, index) => line(row, rows[index]))]
}

/** A number of bytes for people: `1.4 MB`. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`
  const units = ['kB', 'MB', 'GB']
  let value = count
  let unit = 'B'
  for (const next of units) {
    if (value < 1000) break
    value /= 1000
    unit = next
  }
  return `${value.toFixed(1)} ${unit}`
}
