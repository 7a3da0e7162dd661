/** How many tests passed, failed and were skipped, and which failed: kept in a file, so that several runs can be added up. */
import { appendFileSync, readFileSync } from 'node:fs'

export interface Counts {
  passed: number
  failed: number
  skipped: number
  /** `file > test: first line of the error`, for those that failed. A run that doesn't say leaves it out. */
  failures?: string[]
}

/** Names the file for the reporter, which runs inside vitest. */
export const countsFileVariable = 'SLUICE_TEST_COUNTS'

/** Adds one run to the file, as a line of JSON. */
export function recordCounts(file: string, counts: Counts): void {
  appendFileSync(file, `${JSON.stringify(counts)}\n`)
}

/** The runs in the file, in their order. */
export function readCounts(file: string): Counts[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Counts)
}

/** The failed tests of all runs, to stand at the end of a log of which only the end may be kept; empty when none failed. */
export function failureLines(runs: readonly Counts[]): string[] {
  return runs.flatMap(({ failures = [] }) => failures)
}

/** The line that any CI can read. */
export function closingLine(runs: readonly Counts[]): string {
  const sum = (name: 'passed' | 'failed' | 'skipped') => runs.reduce((total, run) => total + run[name], 0)
  return `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`
}
