/** Arrays in the binary format arrive as what they are, or are left to the text format. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { elementTypesOf, encodeBinaryArray } from '../../src/store/array-binary.ts'
import type { Parameter } from '../../src/store/db.ts'
import { onPostgres } from '../support/both.ts'

test.each<[sql: string, types: readonly (string | undefined)[]]>([
  ['SELECT $1::text[], $2::integer[]', ['text', 'integer']],
  ['SELECT $2::bigint[], $1', [undefined, 'bigint']],
  ['SELECT $10::boolean[]', [...Array.from({ length: 9 }, () => undefined), 'boolean']],
  ['SELECT $1::text', [undefined]],
  ['SELECT $1::uuid[]', [undefined]],
  ['SELECT x = ANY($1) OR y = ANY($1::text[])', [undefined]],
  ['SELECT y = ANY($1::text[]) OR x = ANY($1)', [undefined]],
  ['SELECT $1::text[], $1::text[]', ['text']],
  ['SELECT 1', []],
])('the types that %s names', (sql, types) => {
  expect([...elementTypesOf(sql)]).toEqual([...types])
})

test.each<[type: Parameters<typeof encodeBinaryArray>[0], items: Parameter[]]>([
  ['integer', [1, 2147483648]],
  ['integer', [1.5]],
  ['integer', ['1']],
  ['bigint', ['9223372036854775808']],
  ['bigint', [2 ** 53]],
  ['bigint', ['1 ']],
  ['bigint', ['']],
  ['boolean', ['t']],
  ['text', [['nested']]],
  ['text', [new Uint8Array([1])]],
])('%s does not take %j: the server has to say so', (type, items) => {
  expect(encodeBinaryArray(type, items)).toBeNull()
})

onPostgres((opened) => {
  const echo = async (type: string, items: readonly Parameter[]): Promise<unknown> => {
    expect(encodeBinaryArray(type as 'text', items)).not.toBeNull()
    const { rows } = await opened.db.query<{ value: unknown }>(`SELECT $1::${type}[] AS value`, [items])
    return rows[0]?.value
  }
  const storable = fc.string({ unit: 'binary', maxLength: 60 }).map((text) => text.replaceAll('\u0000', '').toWellFormed())

  test('any text', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(storable), { maxLength: 30 }), async (items) => {
        expect(await echo('text', items)).toEqual(items)
      }),
      { numRuns: 300 },
    )
  })

  test('any number and flag', { timeout: 60_000 }, async () => {
    const numbers = fc.array(fc.option(fc.integer()), { maxLength: 20 })
    const ids = fc.array(fc.option(fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }).map(String)), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(numbers, ids, fc.array(fc.option(fc.boolean())), async (integers, bigints, flags) => {
        expect(await echo('integer', integers)).toEqual(integers)
        expect(await echo('bigint', bigints)).toEqual(bigints)
        expect(await echo('boolean', flags)).toEqual(flags)
      }),
      { numRuns: 100 },
    )
  })

  test('what has no binary form is refused by the server, as before', async () => {
    await expect(opened.db.query('SELECT $1::integer[]', [['x']])).rejects.toMatchObject({ sqlstate: '22P02' })
    await expect(opened.db.query('SELECT $1::text[]', [['a\u0000b']])).rejects.toMatchObject({ sqlstate: '22021' })
  })
})
