/** How errors are logged. */
import { expect, test } from 'vitest'
import { SluiceError } from '../../src/errors.ts'
import { describeError } from '../../src/log.ts'
import { DatabaseError } from '../../src/store/db.ts'

test.each([
  ['a table that is gone', 'relation "event_log" does not exist', '42P01'],
  ['a server that stops', 'terminating connection due to administrator command', '57P01'],
])('%s: once, and without a stack', (_name, message, sqlstate) => {
  expect(describeError(new DatabaseError(message, { sqlstate, hint: 'look' }, new Error(message)))).toEqual({
    type: 'DatabaseError',
    message,
    sqlstate,
    hint: 'look',
  })
})

test('a connection that fails: the driver’s words stand in ours', () => {
  const cause = new Error('connect ECONNREFUSED 127.0.0.1:1')
  const error = new DatabaseError(`no connection to PostgreSQL: ${cause.message}`, { sqlstate: '08006' }, cause)
  expect(describeError(error)).toEqual({ type: 'DatabaseError', message: error.message, sqlstate: '08006' })
})

test('what nobody expected has its stack, and its cause', () => {
  const error = new TypeError('x is not a function', { cause: new SluiceError('sql_failed', 'no', { details: { line: 1 } }) })
  expect(describeError(error)).toMatchObject({
    type: 'TypeError',
    message: 'x is not a function',
    stack: expect.stringContaining('describe.test.ts'),
    cause: { type: 'SluiceError', code: 'sql_failed', message: 'no', details: { line: 1 } },
  })
  expect(describeError(error)).not.toHaveProperty('cause.cause')
})

test('what is no error is logged as it is', () => {
  expect(describeError('gone')).toBe('gone')
})
