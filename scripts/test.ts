/** `npm test`: the checks, then every test; those that talk to PostgreSQL run on the newest and on the oldest supported one. */
import { runSteps } from './steps.ts'

const node = process.execPath

runSteps([
  { name: 'checks', command: node, arguments: ['scripts/check.ts'] },
  { name: 'tests (PGlite and PostgreSQL 18)', command: 'vitest', arguments: ['run'] },
  {
    name: 'store, flow and targets on PostgreSQL 14',
    command: 'vitest',
    arguments: ['run', 'test/store', 'test/flow', 'test/targets', 'test/tasks'],
    env: { SLUICE_TEST_PG: '14' },
  },
])
