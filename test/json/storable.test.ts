import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExactNumber, type JsonValue } from '../../src/json/exact.ts'
import { findUnstorable, mayBeUnstorable, unstorableReason } from '../../src/json/storable.ts'

describe('findUnstorable', () => {
  it.each<[JsonValue, string, 'nul' | 'lone_surrogate']>([
    ['\u0000', '', 'nul'],
    ['x\ud800', '', 'lone_surrogate'],
    ['\udc00\ud800', '', 'lone_surrogate'],
    [{ a: 'fine 😀', b: [1, { 'c/d': 'bad\u0000' }] }, '/b/1/c~1d', 'nul'],
    [{ a: { 'k\udfff': 1 } }, '/a/k\udfff', 'lone_surrogate'],
    [{ '\u0000': '\ud800' }, '/\u0000', 'nul'],
    [['ok', '\ud800', '\u0000'], '/1', 'lone_surrogate'],
  ])('finds the first of %j', (value, pointer, reason) => {
    expect(findUnstorable(value)).toEqual({ pointer, reason })
  })

  it.each<[JsonValue]>([[null], [true], [1], ['😀'], [new ExactNumber('1e400')], [{ a: ['\u0001', { b: '\uffff' }] }]])(
    'lets %j pass',
    (value) => {
      expect(findUnstorable(value)).toBeNull()
    },
  )
})

describe('mayBeUnstorable', () => {
  it.each(['"\\u0000"', '"\\ud800"', '"\\uDbFf"', '"\\udc00"', '"\\uDFFF"', '"\\ud83d\\ude00"'])('suspects %s', (text) => {
    expect(mayBeUnstorable(text)).toBe(true)
  })

  it.each(['"\\u0001"', '"\\ud7ff"', '"\\ue000"', '"u0000"', '"😀"', '{"a":"\\n"}'])('clears %s', (text) => {
    expect(mayBeUnstorable(text)).toBe(false)
  })

  it('never clears what has something unstorable in it', () => {
    const strings = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\u0000', 'a\ud800', '\udc00'))
    fc.assert(
      fc.property(fc.array(fc.dictionary(strings, strings)), (value) => {
        if (findUnstorable(value as JsonValue) !== null)
          expect(mayBeUnstorable(JSON.stringify(value).replaceAll('\u0000', '\\u0000'))).toBe(true)
      }),
    )
  })

  it('tells why a text is unstorable', () => {
    expect(unstorableReason('a\u0000\ud800')).toBe('nul')
    expect(unstorableReason('\ud800')).toBe('lone_surrogate')
    expect(unstorableReason('😀')).toBeNull()
  })
})
