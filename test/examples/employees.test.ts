import { expect, test } from 'vitest'
import { runExample } from './run-example.ts'

test('employees that come first wait, and go on with no manual step', { timeout: 120_000 }, async () => {
  const { code, stdout, stderr } = await runExample('employees/run.ts')
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  expect(lines[0]).toBe('1. The employees come first.')
  expect(lines[1]).toBe('   message 1 (employee): -3 Processed with errors, 0 created, 3 failed')
  expect(lines.slice(2, 5)).toEqual([1, 2, 3].map((id) => expect.stringMatching(new RegExp(`^ {3}employee ${id} waits: .*`))))
  expect(lines.slice(5)).toEqual([
    '2. Then positions, areas and organizations.',
    '   message 2 (position): 3 Processed, 2 created, 0 failed',
    '   message 3 (area): 3 Processed, 2 created, 0 failed',
    '   message 4 (organization): 3 Processed, 2 created, 0 failed',
    '3. The employees go on by themselves.',
    '   message 1 (employee): 3 Processed, 3 created, 0 failed',
    '   Ada is a nurse at City hospital (district North, areas East and West)',
    '   Boris is a doctor at City hospital (district North, areas East and West)',
    '   Chen is a nurse at Village clinic (district South, areas West)',
  ])
})
