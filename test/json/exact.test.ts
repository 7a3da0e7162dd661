import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExactNumber, type JsonValue, mayNeedExact, parseExact, stringifyExact, toText } from '../../src/json/exact.ts'

const exact = (source: string) => new ExactNumber(source)

describe('parseExact', () => {
  it.each([
    '9007199254740993',
    '-9007199254740993',
    '12345678901234567890',
    '0.1234567890123456789',
    '123456789.123456789',
    '100000000000000000000000',
    '0.0000001',
    '-0',
    '-0.0',
    '-0e5',
    '1e400',
    '-1E+400',
    '1e-400',
    '4.9e-325',
  ])('keeps the digits of %s', (source) => {
    expect(parseExact(source)).toEqual(exact(source))
    expect(parseExact(`{"a":[${source},1],"b":"${source}"}`)).toEqual({ a: [exact(source), 1], b: source })
  })

  it.each([
    ['0', 0],
    ['1.50', 1.5],
    ['-12.0', -12],
    ['1e3', 1000],
    ['1.5E+2', 150],
    ['1e-7', 1e-7],
    ['0.1', 0.1],
    ['9007199254740992', 9007199254740992],
    ['9007199254740991.0', 9007199254740991],
    ['0.30000000000000004', 0.30000000000000004],
    ['0e99999999999999999999', 0],
    ['123456789012345', 123456789012345],
    ['1e21', 1e21],
  ])('makes %s a plain number', (source, value) => {
    expect(parseExact(source)).toBe(value)
  })

  it('leaves strings alone, whatever they look like', () => {
    const value = { a: 'x: 12345678901234567890, -0', b: ['1e400'] }
    expect(parseExact(JSON.stringify(value))).toEqual(value)
  })

  it('makes an unsafe key an own member, and touches no prototype', () => {
    const value = parseExact('{"__proto__":{"polluted":12345678901234567890}}') as { [key: string]: JsonValue }
    expect(Object.hasOwn(value, '__proto__')).toBe(true)
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect('polluted' in {}).toBe(false)
  })

  it('throws where JSON.parse does', () => {
    expect(() => parseExact('[12345678901234567890,]')).toThrow(SyntaxError)
    expect(() => parseExact('{')).toThrow(SyntaxError)
  })
})

const digits = (max: number) => fc.array(fc.constantFrom(...'0123456789'), { minLength: 1, maxLength: max }).map((all) => all.join(''))
/** Any number that JSON allows. */
const numbers = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(digits(40), digits(4)).map((text) => text.replace(/^0+(?=\d)/, '')),
    fc.option(
      fc.oneof(
        digits(40),
        digits(4),
        digits(3).map((text) => `000000${text}`),
      ),
      { nil: null },
    ),
    fc.option(
      fc.tuple(fc.constantFrom('e', 'E'), fc.constantFrom('', '+', '-'), digits(4)).map((parts) => parts.join('')),
      { nil: '' },
    ),
  )
  .map(([sign, whole, fraction, exponent]) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent}`)

/** Equal for equal numbers: an integer of digits, and a power of ten; by BigInt, as another way than the code's own. */
function decimalOf(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const sign = mantissa.startsWith('-') ? '-' : ''
  let digits = BigInt(`${whole}${fraction}`)
  let power = Number(exponent) - fraction.length
  if (digits === 0n) return `${sign}0`
  for (; digits % 10n === 0n; digits /= 10n) power++
  return `${sign}${digits}e${power}`
}

describe('any number', () => {
  it('goes in and out with its value', () => {
    fc.assert(
      fc.property(numbers, (source) => {
        const text = `{"a":[${source}],"b": ${source} ,"c":${source}}`
        const value = parseExact(text) as { a: JsonValue[]; b: JsonValue; c: JsonValue }
        const written = toText(value.b) ?? ''
        expect(decimalOf(written)).toBe(decimalOf(source))
        expect(value.b instanceof ExactNumber ? written : source).toBe(source)
        expect(stringifyExact(value)).toBe(`{"a":[${written}],"b":${written},"c":${written}}`)
        // Only a source that has an exponent may get one.
        expect(/e/i.test(written) && !/e/i.test(source)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  it('is plain where the fast way is taken', () => {
    fc.assert(
      fc.property(numbers, (source) => {
        fc.pre(!mayNeedExact(source))
        expect(parseExact(`[12345678901234567890,${source}]`)).toEqual([exact('12345678901234567890'), JSON.parse(source)])
      }),
      { numRuns: 2000 },
    )
  })
})

describe('writing', () => {
  it('writes exact numbers as numbers, by JSON.stringify too', () => {
    const text = '{"n":12345678901234567890,"list":[1.5,-0,null],"s":"é\\ud800"}'
    expect(stringifyExact(parseExact(text))).toBe(text)
    expect(JSON.stringify({ changes: exact('1e400') })).toBe('{"changes":1e400}')
    expect(`${exact('1e400')}`).toBe('1e400')
  })

  it.each<[JsonValue, string | null]>([
    ['a "b"', 'a "b"'],
    ['', ''],
    [12.5, '12.5'],
    [exact('12345678901234567890'), '12345678901234567890'],
    [true, 'true'],
    [false, 'false'],
    [null, null],
    [[1, exact('-0'), 'x'], '[1,-0,"x"]'],
    [{ a: { b: exact('0.12345678901234567890') } }, '{"a":{"b":0.12345678901234567890}}'],
    [{}, '{}'],
  ])('hands %j to a column as %j', (value, text) => {
    expect(toText(value)).toBe(text)
  })
})
