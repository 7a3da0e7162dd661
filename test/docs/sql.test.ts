/** The statements in the docs run on a database of this version. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createTestSluice } from '../../src/testing/index.ts'

const statements = ['docs/schema.md', 'docs/operations.md'].flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/^```sql\n(.*?)^```$/gms)].map(([, sql = '']) => ({ file, sql })),
)

test('every statement of the docs runs', async () => {
  await using sluice = await createTestSluice({ integrations: [] })
  expect(statements.length).toBeGreaterThan(5)
  const failed: string[] = []
  for (const { file, sql } of statements) {
    await sluice.db.query(sql.trim().replace(/;$/, '')).catch((error: Error) => failed.push(`${file}: ${error.message}\n${sql}`))
  }
  expect(failed).toEqual([])
})
