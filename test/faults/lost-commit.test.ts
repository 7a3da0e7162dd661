/** A COMMIT whose answer is lost: done or not done, the sender and the worker can't know; both try again and nothing is done twice. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasNative } from '../support/database.ts'
import { Harness } from './harness.ts'
import { loseCommits } from './lost-commit.ts'

describe.skipIf(!hasNative)('lost answers to COMMIT', () => {
  let harness: Harness
  beforeAll(async () => {
    harness = await Harness.start()
  })
  afterAll(() => harness?.close())

  test('twenty in a row, among messages and workers', { timeout: 120_000 }, async () => {
    expect(await loseCommits(harness, 20, 1)).toBeGreaterThanOrEqual(20)
  })
})
