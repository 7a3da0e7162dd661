/** examples/wagtail does what it says. */
import { expect, test } from 'vitest'
import { runExample } from '../examples/run-example.ts'
import { hasPython } from '../support/python.ts'

/** Installing Wagtail into the example's venv may be part of it. */
const firstTime = 300_000

test.skipIf(!hasPython)('the example of Wagtail does what it says', { timeout: firstTime }, async () => {
  const { code, stdout, stderr } = await runExample('wagtail/run.ts')
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const table = stdout.split('\n').slice(3, 11)
  expect(table.map((line) => line.replace(/ +[\d.]+$/, '').replaceAll(/ {2,}/g, ' | '))).toEqual([
    '300 organizations, children first | 3 | 300 created',
    'the same again | 3 | 300 unchanged',
    '30 with another phone | 3 | 30 updated',
    '10 with another title, as drafts | 3 | 10 updated',
    '12 deleted | 3 | 12 deleted',
    'the 12 are back | 3 | 12 updated',
    '5 under another organization | 3 | 5 updated',
    '20 employees of organizations | 3 | 20 created',
  ])
  expect(stdout).toContain('Wagtail says: 300 pages, 300 live, 10 with a draft;\nproblems of the tree: [], pages that search misses: []')
})
