import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExactNumber, type JsonValue } from '../../src/json/exact.ts'
import { formatPointer, getPath, getPointer, parsePointer } from '../../src/json/pointer.ts'

describe('JSON Pointers', () => {
  // The examples of RFC 6901, section 5.
  const document: JsonValue = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, 'g|h': 4, 'i\\j': 5, 'k"l': 6, ' ': 7, 'm~n': 8 }

  it.each<[string, (string | number)[], JsonValue]>([
    ['', [], document],
    ['/foo', ['foo'], ['bar', 'baz']],
    ['/foo/0', ['foo', 0], 'bar'],
    ['/', [''], 0],
    ['/a~1b', ['a/b'], 1],
    ['/c%d', ['c%d'], 2],
    ['/i\\j', ['i\\j'], 5],
    ['/k"l', ['k"l'], 6],
    ['/ ', [' '], 7],
    ['/m~0n', ['m~n'], 8],
  ])('%j', (pointer, segments, value) => {
    expect(formatPointer(segments)).toBe(pointer)
    expect(parsePointer(pointer)).toEqual(segments.map(String))
    expect(getPointer(document, pointer)).toEqual(value)
  })

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (segments) => {
        expect(parsePointer(formatPointer(segments))).toEqual(segments)
      }),
    )
    expect(parsePointer('/~01')).toEqual(['~1'])
  })

  it.each(['/nothing', '/foo/2', '/foo/-', '/foo/00', '/foo/length', '/foo/0/0', '/toString', '/__proto__'])(
    'find nothing at %s',
    (pointer) => {
      expect(getPointer(document, pointer)).toBeUndefined()
    },
  )

  it('say what is wrong with them', () => {
    expect(() => parsePointer('foo')).toThrow('"foo" is no JSON Pointer: it must be empty or begin with "/"')
    expect(() => parsePointer('/a~b')).toThrow('"/a~b" is no JSON Pointer: write "~0" for "~" and "~1" for "/"')
  })
})

describe('dot paths', () => {
  const value: JsonValue = { a: { b: [{ c: null }, 'x'] }, n: new ExactNumber('1e400'), '': 1 }

  it.each<[string, JsonValue | undefined]>([
    ['a.b.0.c', null],
    ['a.b.1', 'x'],
    ['a', { b: [{ c: null }, 'x'] }],
    ['', 1],
    ['a.b.2', undefined],
    ['a.b.0.c.d', undefined],
    ['a.b.length', undefined],
    ['a.b.01', undefined],
    ['x.y', undefined],
    ['n.source', undefined],
    ['constructor', undefined],
    ['a.constructor.name', undefined],
    ['a.b.1.length', undefined],
  ])('%j', (path, found) => {
    expect(getPath(value, path)).toEqual(found)
  })

  it('find nothing in what is no object', () => {
    for (const scalar of [null, true, 1, 'text', new ExactNumber('-0')]) expect(getPath(scalar, 'length')).toBeUndefined()
  })
})
