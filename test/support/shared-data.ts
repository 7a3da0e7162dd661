/** The shared folder of real records: SLUICE_DATA, or `../shared/data` beside the project. Tests skip loudly without it. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const folder = resolve(process.env.SLUICE_DATA ?? '../shared/data')

/** Path of a file or folder of the shared data, or null when this machine has none. Says so once per test file. */
export function sharedData(path: string): string | null {
  const full = resolve(folder, path)
  if (existsSync(full)) return full
  console.warn(`\n!! No shared data at ${path} (set SLUICE_DATA): the tests that need it are SKIPPED.\n`)
  return null
}
