/** A handler can't make an object wait for a reference: nothing would ever release it. */
import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineIntegration, failed } from '../../src/index.ts'
import { createTestSluice } from '../../src/testing/index.ts'

test('a failure of class missing_reference is refused as a result', async () => {
  let calls = 0
  const thing = defineIntegration({
    name: 'thing',
    schema: z.object({ id: z.string() }),
    key: 'id',
    target: (t) =>
      t.handler({
        apply: () => {
          calls++
          return failed('no_parent', 'its parent is missing', { class: 'missing_reference' })
        },
      }),
  })
  await using sluice = await createTestSluice({ integrations: [thing] })
  const { id } = await sluice.send('thing', { id: 'a' })
  await sluice.drain()
  expect(calls).toBe(1)
  expect(await sluice.outcomes(id)).toMatchObject([{ outcome: null, error: { code: 'invalid_result', class: 'permanent' } }])
})
