/** examples/payload does what it says. */
import { expect, test } from 'vitest'
import { runExample } from '../examples/run-example.ts'
import { hasPayload } from '../support/payload.ts'

test.skipIf(!hasPayload)('the example of Payload does what it says', { timeout: 240_000 }, async () => {
  const { code, stdout } = await runExample('payload/run.ts')
  expect(code).toBe(0)
  const lines = stdout.split('\n')
  const table = lines.slice(lines.findIndex((line) => line.startsWith('what was sent')) + 1, -3)
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
  expect(stdout).toContain('Payload says: 300 pages, 300 live\n')
})
