/** Every crash point with every fault, once, on native PostgreSQL. `npm run test:chaos` takes others, by chance. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { hasNative } from '../support/database.ts'
import { crashAt } from './crash-points.ts'
import { faults, Harness } from './harness.ts'
import { stageNames } from './points.ts'

describe.skipIf(!hasNative)('a fault at every commit', () => {
  let harness: Harness
  beforeAll(async () => {
    harness = await Harness.start()
  })
  afterAll(() => harness?.close())

  const cases = stageNames.flatMap((stage) =>
    (['before', 'after'] as const).flatMap((when) => faults.map((fault) => ({ stage, when, fault }))),
  )
  test.each(cases)('$fault $when the commit of: $stage', { timeout: 120_000 }, ({ stage, when, fault }) =>
    crashAt(harness, { stage, when }, fault, 1),
  )
})
