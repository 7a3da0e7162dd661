import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { SluiceError } from '../../src/errors.ts'
import { DatabaseError } from '../../src/store/db.ts'
import { createPglite } from '../../src/store/pglite.ts'
import { withRetry } from '../../src/store/retry.ts'
import { type Blame, classify } from '../../src/store/sqlstate.ts'
import { hasNative } from '../support/database.ts'

const state = (sqlstate: string) => new DatabaseError('x', { sqlstate })

describe('classify', () => {
  test.each<[Blame, string[]]>([
    // Rule 6 of the design: classes 08, 40, 53, 57, 58, XX; 55P03, 25006, 25P03. 25P04 is 25P03's sister since PostgreSQL 17.
    // A login that is refused (28000, 28P01), and a database that isn't there (3D000), are no object's fault either.
    [
      'surroundings',
      [
        '08000',
        '08006',
        '40001',
        '40P01',
        '53100',
        '53300',
        '57014',
        '57P01',
        '58030',
        'XX000',
        'XX001',
        '55P03',
        '25006',
        '25P03',
        '25P04',
        '28000',
        '28P01',
        '3D000',
      ],
    ],
    ['mismatch', ['42703', '42P01', '42501', '42804']],
    ['instance', ['22P02', '22001', '23502', '23503', '23505', '23514', '55000', '25P02', 'P0001', '21000', '0A000']],
  ])('%s', (blame, states) => {
    for (const sqlstate of states) expect([sqlstate, classify(state(sqlstate))]).toEqual([sqlstate, blame])
  })

  test("Sluice's own errors say themselves whether they may pass", () => {
    expect(classify(new SluiceError('target_mismatch', 'x'))).toBe('mismatch')
    expect(classify(new SluiceError('stopped', 'x', { retryable: true }))).toBe('surroundings')
    expect(classify(new SluiceError('anything', 'x', { cause: state('40001') }))).toBe('instance')
  })

  test('what is not the database’s is the object’s, also Node’s errors with a code of five characters', () => {
    expect(classify(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))).toBe('instance')
    expect(classify(new TypeError('x'))).toBe('instance')
    expect(classify('57014')).toBe('instance')
    expect(classify(null)).toBe('instance')
  })

  test.skipIf(!hasNative)('an error that a handler gets from the driver itself, or from an ORM around it, counts the same', async () => {
    const client = new pg.Client({ connectionString: inject('postgresUrl') })
    await client.connect()
    const cancelled = await client.query('SET statement_timeout = 1; SELECT pg_catalog.pg_sleep(5)').catch((error: unknown) => error)
    await client.end()
    expect(classify(cancelled)).toBe('surroundings')
    expect(classify(new Error('Failed query', { cause: cancelled }))).toBe('surroundings')
  })

  test('an error that a handler gets from PGlite itself counts the same', async () => {
    const db = await createPglite()
    const native = await db
      .transaction(async (tx) => (tx.native as { query(sql: string): Promise<unknown> }).query('SELECT nothing'))
      .catch((error: unknown) => error)
    await db.close()
    expect(native).not.toBeInstanceOf(DatabaseError)
    expect(classify(native)).toBe('mismatch')
  })
})

describe('withRetry', () => {
  const failing = (times: number, error: unknown) => {
    let calls = 0
    return {
      work: async () => {
        if (++calls <= times) throw error
        return calls
      },
      calls: () => calls,
    }
  }

  test.each(['40001', '40P01'])('%s is tried again', async (sqlstate) => {
    expect(await withRetry(failing(2, state(sqlstate)).work)).toBe(3)
  })

  test('gives up after eight', async () => {
    const { work, calls } = failing(100, state('40P01'))
    await expect(withRetry(work)).rejects.toMatchObject({ sqlstate: '40P01' })
    expect(calls()).toBe(8)
  })

  test('anything else is thrown at once', async () => {
    const { work, calls } = failing(1, state('23505'))
    await expect(withRetry(work)).rejects.toMatchObject({ sqlstate: '23505' })
    expect(calls()).toBe(1)
  })
})
