import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ExactNumber,
  type JsonValue,
  mayDropZeros,
  parseBoth,
  parseDigits,
  parseExact,
  parsePlain,
  stringifyExact,
  toText,
  withoutZeros,
} from '../../src/json/exact.ts'
import { choices, chooser, values, write } from './arbitraries.ts'

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

describe('digits', () => {
  const texts = ['1.50', '-0.10', '2.0', '{"a":[1.00,"1.0",{"b":0.0}]}', '[ 1.5000000000000000000000000 ]', '{"\\u0061":1.0}']
  it.each(texts)('of %s are kept to the last zero', (text) => {
    expect(mayDropZeros(text, parseExact(text))).toBe(true)
    expect(JSON.stringify(parseDigits(text))).toBe(text.replaceAll(' ', '').replace('\\u0061', 'a'))
  })

  it.each(['1.5', '10', '1e10', '1.50e1', '"1.50"', '["2024-01-01T00:00:00.000Z"]', '{"1.0":1}'])('of %s have no zeros to lose', (text) => {
    expect(mayDropZeros(text, parseExact(text))).toBe(false)
  })

  it('any JSON keeps its values', () => {
    fc.assert(
      fc.property(numbers, (source) => {
        const digits = parseDigits(source)
        expect(decimalOf(toText(digits) ?? '')).toBe(decimalOf(source))
        if (!mayDropZeros(source, parseExact(source))) expect(digits).toEqual(parseExact(source))
        expect(decimalOf(withoutZeros(toText(digits) ?? ''))).toBe(decimalOf(source))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('keys with escapes', () => {
  // https://github.com/nodejs/node/issues/63785: what JSON.parse has read before changes what it reads next.
  it.each([
    ['\\\\', '\\n', '\n'],
    ['\\\\', '\\u0436', 'ж'],
    ['\\\\u0', '\\u0438\\u043c\\u044f', 'имя'],
    ['\\\\n', '\\n1', '\n1'],
    ['\\\\', '\\ud800', '\ud800'],
  ])('are what they are, whatever came before: %s, then %s', (before, key, decoded) => {
    for (const [index, shape] of [`{"${key}1":1,"KEY":2}`, `{"${key}2":{"x":[],"KEY":12345678901234567890}}`].entries()) {
      JSON.parse(shape.replace('KEY', before))
      const inside = (value: JsonValue) => (index === 0 ? value : (value as { [key: string]: JsonValue })[`${decoded}2`]) as object
      const text = shape.replace('KEY', key)
      expect(Object.keys(inside(parseExact(text)))[1]).toBe(decoded)
      expect(Object.keys(inside(parsePlain(text)))[1]).toBe(decoded)
    }
  })

  it('change nothing else', () => {
    const text = ' { "\\u0061" : [ 1 , -0 , 1e400 , true , false , null , "\\n" , [ ] , { } ] , "b":{"c\\"":9007199254740993}, "d":"\\\\"} '
    expect(parseExact(text)).toEqual({
      a: [1, exact('-0'), exact('1e400'), true, false, null, '\n', [], {}],
      b: { 'c"': exact('9007199254740993') },
      d: '\\',
    })
    expect(parsePlain(text)).toEqual({
      a: [1, -0, Number.POSITIVE_INFINITY, true, false, null, '\n', [], {}],
      b: { 'c"': 9007199254740992 },
      d: '\\',
    })
    expect(() => parseExact('{"\\u0061":1,}')).toThrow(SyntaxError)
    const unsafe = parseExact('{"\\u005f_proto__":{"polluted":1}}') as object
    expect([Object.keys(unsafe), Object.getPrototypeOf(unsafe) === Object.prototype]).toEqual([['__proto__'], true])
  })

  it('come back from any value, however it is written', () => {
    fc.assert(
      fc.property(values, choices, (value, stream) => {
        const text = write(value, chooser(stream), true)
        expect(parsePlain(text)).toEqual(value)
      }),
      { numRuns: 500 },
    )
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
        const { exact: alone, plain } = parseBoth(source)
        fc.pre(alone === plain)
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
