/** A worker that stands still for twice its lease and goes on when another has done its work: it changes nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasNative } from '../support/database.ts'
import { Harness } from './harness.ts'
import { moments, standStill } from './zombies.ts'

describe.skipIf(!hasNative)('a worker stopped with SIGSTOP', () => {
  let harness: Harness
  beforeAll(async () => {
    harness = await Harness.start()
  })
  afterAll(() => harness?.close())

  test.each(moments)('$where', { timeout: 120_000 }, async ({ point }) => {
    const { before, after } = await standStill(harness, point, 1)
    expect(after).toEqual(before)
  })
})
