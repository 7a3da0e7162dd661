/**
 * `npm test`: the checks, then every test; those that talk to PostgreSQL run on the newest and on the oldest supported one.
 * The app for Wagtail is tested where there is a Python. The last line has the sum of all runs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasPgbouncer } from '../test/support/pgbouncer.ts'
import { hasPython } from '../test/support/python.ts'
import { closingLine, countsFileVariable, failureLines, readCounts, recordCounts } from './counts.ts'
import { runSteps, type Step } from './steps.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
const counts = join(folder, 'counts')
writeFileSync(counts, '')

const checks: Step = { name: 'checks', command: process.execPath, arguments: ['scripts/check.ts'] }
const tests: Step[] = [
  { name: 'tests (PGlite and PostgreSQL 18)', command: 'vitest', arguments: ['run'], env: { [countsFileVariable]: counts } },
  {
    name: `store, flow, targets and tasks on PostgreSQL 14${hasPgbouncer ? ', through PgBouncer in transaction mode: by polling alone' : ''}`,
    command: 'vitest',
    arguments: ['run', 'test/store', 'test/flow', 'test/targets', 'test/tasks', '--exclude', 'test/store/pglite.test.ts'],
    env: { [countsFileVariable]: counts, SLUICE_TEST_PG: '14', ...(hasPgbouncer ? { SLUICE_TEST_POOLER: 'on' } : {}) },
  },
]
const python: Step[] = hasPython
  ? [
      {
        name: 'the app for Wagtail (Python)',
        command: 'python3',
        arguments: ['integrations/wagtail/run_tests.py', '--lint'],
        env: { [countsFileVariable]: counts },
      },
    ]
  : []
if (!hasPgbouncer) {
  console.log('\n!! No PgBouncer (apt-get install pgbouncer): the tests through it are SKIPPED.')
  recordCounts(counts, { passed: 0, failed: 0, skipped: 1 })
}
// As one skipped test in the sum: what it has is not known.
if (!hasPython) recordCounts(counts, { passed: 0, failed: 0, skipped: 1 })
try {
  // Many tests wait for something, a browser or a lease: there is room for those of Python beside them.
  const failed = [...(await runSteps([checks])), ...(await runSteps(tests, python))]
  const runs = readCounts(counts)
  if (runs.length < tests.length + python.length) {
    console.log('A run ended without counting its tests.')
    process.exitCode = 1
  }
  // Checks that failed, and runs that ended without a count, are failures too: the line mustn't say 0 when the exit code says 1.
  const uncounted = failed.length > 0 && runs.every((run) => run.failed === 0) ? [{ passed: 0, failed: failed.length, skipped: 0 }] : []
  for (const line of failureLines(runs)) console.log(`✗ ${line}`)
  console.log(`\n${closingLine([...runs, ...uncounted])}`)
} finally {
  rmSync(folder, { recursive: true })
}
