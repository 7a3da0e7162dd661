import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { VersionType } from '../../src/model/integration.ts'
import { canonicalVersion, compareVersions } from '../../src/model/version.ts'

const ofText = (type: VersionType, string: string) => canonicalVersion(type, { string })
const ofNumber = (type: VersionType, number: string) => canonicalVersion(type, { number })
const seconds = (iso: string) => String(Date.parse(iso) / 1000)

describe('integer', () => {
  test.each([
    ['0', '0'],
    ['-0', '0'],
    ['+7', '7'],
    ['007', '7'],
    ['-0012', '-12'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
  ])('%s is %s', (text, canonical) => {
    expect(ofText('integer', text)).toBe(canonical)
    expect(ofNumber('integer', text)).toBe(canonical)
  })

  test.each(['', ' 1', '1 ', '1.0', '1e3', '--1', '+', 'x', '１', '1\n'])('%j is malformed', (text) => {
    expect(ofText('integer', text)).toBeNull()
  })

  test('takes a long text of zeros without slowing down', () => {
    expect(ofText('integer', `${'0'.repeat(200_000)}x`)).toBeNull()
    expect(ofText('integer', `${'0'.repeat(200_000)}5`)).toBe('5')
  })

  test('agrees with BigInt', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        expect(ofText('integer', String(a))).toBe(String(a))
        expect(Math.sign(compareVersions('integer', String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0)
      }),
    )
  })
})

describe('decimal', () => {
  test.each([
    ['1.50', '1.5'],
    ['1.50e1', '15'],
    ['1.5E+3', '1500'],
    ['15e-1', '1.5'],
    ['15e-4', '0.0015'],
    ['-0.0', '0'],
    ['0e1000', '0'],
    ['00.10', '0.1'],
    ['+3', '3'],
    ['9007199254740993.1', '9007199254740993.1'],
    ['1e3', '1000'],
    ['-12.340e2', '-1234'],
    ['100', '100'],
  ])('%s is %s', (text, canonical) => {
    expect(ofText('decimal', text)).toBe(canonical)
    expect(ofNumber('decimal', text)).toBe(canonical)
  })

  test.each(['', '.5', '5.', '1e', '1e1001', '1e-1001', 'NaN', 'Infinity', '1,5', '0x10', '1_000'])('%j is malformed', (text) => {
    expect(ofText('decimal', text)).toBeNull()
  })

  test('an exponent at the bound is written out', () => {
    expect(ofNumber('decimal', '1e1000')).toBe(`1${'0'.repeat(1000)}`)
    expect(ofNumber('decimal', '1e-1000')).toBe(`0.${'0'.repeat(999)}1`)
  })

  test('compares as the number does', () => {
    const number = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 20 }))
    fc.assert(
      fc.property(number, number, ([aDigits, aScale], [bDigits, bScale]) => {
        const a = ofNumber('decimal', `${aDigits}e-${aScale}`)
        const b = ofNumber('decimal', `${bDigits}e-${bScale}`)
        const exactA = aDigits * 10n ** BigInt(20 - aScale)
        const exactB = bDigits * 10n ** BigInt(20 - bScale)
        expect(Math.sign(compareVersions('decimal', a ?? '', b ?? ''))).toBe(exactA < exactB ? -1 : exactA > exactB ? 1 : 0)
      }),
    )
  })

  test('reads what JavaScript writes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(ofNumber('decimal', String(value)))).toBe(value === 0 ? 0 : value)
      }),
    )
  })
})

describe('timestamp', () => {
  test.each([
    ['1970-01-01', '0'],
    ['1970-01-01T00:00', '0'],
    ['2024-02-29T12:30:45Z', seconds('2024-02-29T12:30:45Z')],
    ['2024-02-29 12:30:45', seconds('2024-02-29T12:30:45Z')],
    ['2024-02-29t12:30:45z', seconds('2024-02-29T12:30:45Z')],
    ['2024-02-29T12:30', seconds('2024-02-29T12:30:00Z')],
    ['2024-02-29T12:30+03', seconds('2024-02-29T09:30:00Z')],
    ['2024-02-29T12:30:45+0530', seconds('2024-02-29T07:00:45Z')],
    ['2024-02-29T12:30:45-05:30', seconds('2024-02-29T18:00:45Z')],
    ['2024-02-29T12:30:45.123456789Z', `${seconds('2024-02-29T12:30:45Z')}.123456789`],
    ['2024-02-29T12:30:45,500Z', `${seconds('2024-02-29T12:30:45Z')}.5`],
    ['2024-02-29T12:30:45.000Z', seconds('2024-02-29T12:30:45Z')],
    ['1969-12-31T23:59:58.75Z', '-1.25'],
    ['1969-12-31T23:59:59.000000001Z', '-0.999999999'],
    ['1969-12-31T23:59:59.10Z', '-0.9'],
    ['0000-01-01', '-62167219200'],
    ['0099-12-31', seconds('0099-12-31T00:00:00Z')],
    ['9999-12-31T23:59:59Z', seconds('9999-12-31T23:59:59Z')],
    ['2016-12-31T23:59:60Z', seconds('2017-01-01T00:00:00Z')],
    ['2017-01-01T05:29:60+05:30', seconds('2017-01-01T00:00:00Z')],
  ])('%s is %s', (text, canonical) => {
    expect(ofText('timestamp', text)).toBe(canonical)
  })

  test.each([
    '',
    '2023-02-29',
    '1900-02-29',
    '2024-13-01',
    '2024-00-01',
    '2024-04-31',
    '2024-01-00',
    '2024-1-1',
    '24-01-01',
    '2024-01-01T24:00',
    '2024-01-01T12:60',
    '2024-01-01T12:00:61',
    '2024-01-01T12:00:60Z',
    '2024-01-01T12',
    '2024-01-01T12:00:00.',
    '2024-01-01T12:00+24:00',
    '2024-01-01T12:00+3',
    '2024-01-01Z',
    '2024-01-01  12:00',
    '2024-01-01T12:00:00Z ',
    '20240101T120000Z',
    '01.02.2024',
    'yesterday',
    '1700000000',
  ])('%j is malformed', (text) => {
    expect(ofText('timestamp', text)).toBeNull()
  })

  test('a number is malformed', () => {
    expect(ofNumber('timestamp', '1700000000')).toBeNull()
  })

  test('agrees with Date for every millisecond from year 1 to 9999', () => {
    const date = fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    fc.assert(
      fc.property(date, date, (a, b) => {
        const textA = ofText('timestamp', a.toISOString()) ?? ''
        const textB = ofText('timestamp', b.toISOString()) ?? ''
        expect(Math.round(Number(textA) * 1000)).toBe(a.getTime())
        expect(Math.sign(compareVersions('timestamp', textA, textB))).toBe(Math.sign(a.getTime() - b.getTime()))
      }),
    )
  })

  test('a fraction of nine digits counts', () => {
    const older = ofText('timestamp', '2024-01-01T00:00:00.123456788Z') ?? ''
    const newer = ofText('timestamp', '2024-01-01T00:00:00.123456789Z') ?? ''
    expect(compareVersions('timestamp', older, newer)).toBeLessThan(0)
  })

  test('before 1970 a larger fraction is newer', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), fc.nat(999_999_999), (a, b) => {
        const at = (nanoseconds: number) => ofText('timestamp', `1950-05-05T05:05:05.${String(nanoseconds).padStart(9, '0')}Z`) ?? ''
        expect(Math.sign(compareVersions('timestamp', at(a), at(b)))).toBe(Math.sign(a - b))
      }),
    )
  })
})

describe('text', () => {
  test('is kept as it is', () => {
    expect(ofText('text', ' v1.10 ')).toBe(' v1.10 ')
    expect(ofText('text', '')).toBe('')
  })

  test('a number, NUL and half a surrogate pair are malformed', () => {
    expect(ofNumber('text', '5')).toBeNull()
    expect(ofText('text', 'a\0')).toBeNull()
    expect(ofText('text', '\ud83d')).toBeNull()
  })

  test('compares by code points, where JavaScript compares UTF-16 units', () => {
    expect('～' > '😀').toBe(true)
    expect(compareVersions('text', '～', '😀')).toBeLessThan(0)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        // The order of UTF-8 bytes is that of code points.
        expect(Math.sign(compareVersions('text', a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
    )
  })
})

describe('every type', () => {
  const written: Record<VersionType, fc.Arbitrary<string>> = {
    integer: fc.stringMatching(/^[+-]?\d{1,25}$/),
    decimal: fc.stringMatching(/^[+-]?\d{1,12}(\.\d{1,12})?([eE][+-]?\d{1,2})?$/),
    timestamp: fc
      .tuple(
        fc.date({ min: new Date('0001-01-01'), max: new Date('9998-01-01'), noInvalidDate: true }),
        fc.constantFrom('Z', '+05:30', '-11', '+0000'),
      )
      .map(([date, zone]) => date.toISOString().replace('Z', zone)),
    text: fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
  }

  test.each(Object.keys(written) as VersionType[])('%s: a total order', (type) => {
    const canonical = written[type].map((text) => ofText(type, text) ?? '')
    fc.assert(
      fc.property(canonical, canonical, canonical, (a, b, c) => {
        const compare = (x: string, y: string) => Math.sign(compareVersions(type, x, y))
        expect(compare(a, b)).toBe(-compare(b, a) + 0)
        expect(compare(a, b) === 0).toBe(a === b)
        const [low, middle, high] = [a, b, c].toSorted((x, y) => compareVersions(type, x, y)) as [string, string, string]
        expect(compare(low, middle)).toBeLessThanOrEqual(0)
        expect(compare(middle, high)).toBeLessThanOrEqual(0)
        expect(compare(low, high)).toBeLessThanOrEqual(0)
      }),
    )
  })

  test.each(['integer', 'decimal', 'text'] as const)('%s: the canonical text of a canonical text is itself', (type) => {
    fc.assert(
      fc.property(written[type], (text) => {
        const once = ofText(type, text)
        expect(once).not.toBeNull()
        expect(ofText(type, once ?? '')).toBe(once)
      }),
    )
  })

  test('a text left behind by another type is older than any of this one', () => {
    expect(compareVersions('integer', 'v2', '-5')).toBeLessThan(0)
    expect(compareVersions('timestamp', '0', 'v2')).toBeGreaterThan(0)
    expect(compareVersions('decimal', 'a', 'b')).toBeLessThan(0)
  })
})
