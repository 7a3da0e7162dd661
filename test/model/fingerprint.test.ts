import { describe, expect, test } from 'vitest'
import { fingerprintOf } from '../../src/model/fingerprint.ts'

describe('the same failure of different objects', () => {
  test.each([
    ['null value in column "name" of row 17', 'null value in column "title" of row 4'],
    ['Key (ms_id)=(abc) already exists.', 'Key (ms_id)=(x y z) already exists.'],
    ['Failing row contains (1, null, a).', 'Failing row contains (2, b, null).'],
    ["doesn't know 'a'", "doesn't know 'it is'"],
    ['Waits for position "p-1" (position_id).', 'Waits for position "" (position_id).'],
    ['no answer from https://a.example/x?y=1 in 30 s', 'no answer from http://b.example in 5 s'],
    ['job 0b1f8c4e-52d7-4a39-9c65-0f5f0e1b2a3c is lost', 'job 11111111-2222-3333-4444-aaaaaaaaaaaa is lost'],
    ['price -12.50 is below 3e5', 'price 7 is below 1,000.00'],
    ['seen 2024-02-29T12:30:45.123Z', 'seen 2023-01-01'],
    ['article A12-B is unknown', 'article X9 is unknown'],
    ['не найдена «Школа № 5»', 'не найдена «Лицей»'],
    ['two  spaces\nand a line', 'two spaces and a line'],
  ])('%j and %j', (a, b) => {
    expect(fingerprintOf('code', a)).toBe(fingerprintOf('code', b))
  })
})

describe('different failures', () => {
  test.each([
    ['must be string', 'must be integer'],
    ["doesn't fit", "don't fit"],
    ['value "1" is too long', 'value 1 is too long'],
    ['value too long for type', 'value too short for type'],
  ])('%j and %j', (a, b) => {
    expect(fingerprintOf('code', a)).not.toBe(fingerprintOf('code', b))
  })

  test('differ by code', () => {
    expect(fingerprintOf('a', 'text')).not.toBe(fingerprintOf('b', 'text'))
  })
})

test('is 16 hex digits and stays the same between releases', () => {
  expect(fingerprintOf('not_null_violation', 'null value in column "name"')).toBe('49319be7a28cf909')
})

test.each(["'", '"', 'a', '(', ' contains (', 'a-', '1-', '1.', 'http://'])('a long text of %j takes no long time', (unit) => {
  expect(fingerprintOf('code', unit.repeat(50_000))).toMatch(/^[0-9a-f]{16}$/)
})
