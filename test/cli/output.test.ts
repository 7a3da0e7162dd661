import { expect, test } from 'vitest'
import { bytes, printable, table } from '../../src/cli/output.ts'

test('text from outside can not steer the terminal', () => {
  expect(printable('\u001b[31mred\u001b[0m\r\nnext\u0007\u202eback')).toBe('red next back')
})

test('numbers stand to the right, text to the left', () => {
  expect(
    table(
      ['outcome', 'objects'],
      [
        ['created', 477],
        ['failed', 1],
      ],
    ),
  ).toEqual(['outcome  objects', 'created      477', 'failed         1'])
})

test('bytes for people', () => {
  expect([0, 999, 1000, 802_888, 3_028_747].map(bytes)).toEqual(['0 B', '999 B', '1.0 kB', '802.9 kB', '3.0 MB'])
})
