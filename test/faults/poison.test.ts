/** Design rule 7: one object of a thousand takes its worker down, each time; the others are processed. */
import { describe, expect, test } from 'vitest'
import { createTestDatabase, hasNative } from '../support/database.ts'
import { poison, poisons, wanted } from './poison.ts'

describe.skipIf(!hasNative)('one object of a thousand', () => {
  test.concurrent.each(poisons)('%s: at most three crashes, then it is quarantined and named', { timeout: 240_000 }, async (does) => {
    const database = await createTestDatabase('postgres')
    const { ends, ...became } = await poison(database, does)
    expect(ends).toBeGreaterThan(0)
    expect(ends).toBeLessThanOrEqual(3)
    expect(became).toEqual(wanted)
    await database.close()
  })
})
