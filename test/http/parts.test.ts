/** The small parts: paths, headers, languages, cursors, JSON out. */
import { describe, expect, test } from 'vitest'
import { routes } from '../../src/http/contract/routes.ts'
import { cursorPart, decodeCursor, encodeCursor } from '../../src/http/cursor.ts'
import { idempotencyKeyOf, prefersNdjson, rangeOf, waitOf } from '../../src/http/headers.ts'
import { RawJson, stringify } from '../../src/http/json.ts'
import { languageFor } from '../../src/http/language.ts'
import { PathFinder, relativeReference } from '../../src/http/path.ts'

const withHeader = (name: string, value: string): Request => new Request('http://x/', { headers: { [name]: value } })

describe('paths', () => {
  const finder = new PathFinder(Object.values(routes))

  test.each([
    ['/api/messages', '/api/messages'],
    ['/integration/api/messages', '/api/messages'],
    ['/a/b/livez', '/livez'],
    // All of the path goes before a rest of it: this is an object of the integration "api".
    ['/api/objects/api/messages', '/api/objects/api/messages'],
    ['/api/objects/organization/https%3A%2F%2Fror.org%2F1', '/api/objects/organization/https%3A%2F%2Fror.org%2F1'],
  ])('%s is %s', (path, expected) => {
    expect(finder.find(path)?.path).toBe(expected)
  })

  test.each(['/', '/api', '/api/messages/', '/api/message', '/apiXopenapi.json', '/api/openapiXjson'])('%s is nothing', (path) => {
    expect(finder.find(path)).toBeNull()
  })

  test.each([
    ['/api/integrations/organization/messages', '/api/messages/12', '../../messages/12'],
    ['/api/tasks/split/runs', '/api/task-runs/3', '../../task-runs/3'],
    ['/api/integrations', '/api/integrations/a/messages', 'integrations/a/messages'],
    ['/livez', '/api/messages', 'api/messages'],
    ['/a/b', '/a/c:d', './c:d'],
  ])('from %s to %s', (from, to, expected) => {
    expect(relativeReference(from, to)).toBe(expected)
    for (const base of ['', '/integration', '/a/b']) {
      expect(new URL(relativeReference(from, to), `http://x${base}${from}`).pathname).toBe(`${base}${to}`)
    }
  })
})

describe('headers', () => {
  test.each([
    ['wait=10', 10],
    ['respond-async, wait=5', 5],
    ['wait="7"; foo', 7],
    ['Wait=3', 3],
    ['wait=0', 0],
    ['wait=600', 60],
    ['wait=-1', null],
    ['wait=soon', null],
    ['respond-async', null],
  ])('Prefer: %s', (value, seconds) => {
    expect(waitOf(withHeader('Prefer', value))).toBe(seconds)
  })

  test.each([
    ['bytes=0-9', { first: 0, last: 9 }],
    ['bytes=90-', { first: 90, last: 99 }],
    ['bytes=90-1000', { first: 90, last: 99 }],
    ['bytes=-10', { first: 90, last: 99 }],
    ['bytes=-1000', { first: 0, last: 99 }],
    ['bytes=100-', null],
    ['bytes=5-4', null],
    ['bytes=-0', null],
    ['bytes=-', null],
    ['bytes=0-1,3-4', null],
    ['lines=0-1', null],
  ])('Range: %s of 100 bytes', (value, range) => {
    expect(rangeOf(withHeader('Range', value), 100)).toEqual(range)
  })

  test.each([
    ['abc-1', 'abc-1'],
    ['"abc-1"', 'abc-1'],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ['k'.repeat(255), 'k'.repeat(255)],
  ])('Idempotency-Key: %s', (value, key) => {
    expect(idempotencyKeyOf(withHeader('Idempotency-Key', value))).toBe(key)
  })

  test.each(['', '""', 'a b', '"a b"', 'k'.repeat(256), 'ключ'.replace(/./g, '\u00e9')])('no Idempotency-Key: %s', (value) => {
    expect(() => idempotencyKeyOf(withHeader('Idempotency-Key', value))).toThrow(expect.objectContaining({ code: 'bad_idempotency_key' }))
  })

  test.each([
    ['application/x-ndjson', true],
    ['application/ndjson, application/json;q=0.5', true],
    ['application/json, application/x-ndjson', false],
    ['*/*', false],
  ])('Accept: %s', (value, expected) => {
    expect(prefersNdjson(withHeader('Accept', value))).toBe(expected)
  })

  test.each([
    [null, 'en'],
    ['ru', 'ru'],
    ['ru-RU,ru;q=0.9,en;q=0.8', 'ru'],
    ['en-GB,ru;q=0.9', 'en'],
    ['de, ru;q=0.3, en;q=0.2', 'ru'],
    ['fr', 'en'],
    ['ru;q=0', 'en'],
    ['*', 'en'],
  ])('Accept-Language: %s', (value, language) => {
    expect(languageFor(value)).toBe(language)
  })
})

describe('cursors', () => {
  test('what was written is read', () => {
    expect(decodeCursor(encodeCursor(['12', '3']), [cursorPart.id, cursorPart.ordinal])).toEqual(['12', '3'])
    expect(decodeCursor(undefined, [cursorPart.id])).toBeNull()
  })

  test.each([
    '',
    'x',
    'bm8',
    encodeCursor(['12']),
    encodeCursor(['12', '1', '1']),
    encodeCursor(['12', "1' OR true"]),
    encodeCursor(['9'.repeat(30), '1']),
  ])('what was not is refused: %s', (cursor) => {
    expect(() => decodeCursor(cursor, [cursorPart.id, cursorPart.ordinal])).toThrow(expect.objectContaining({ code: 'invalid_cursor' }))
  })
})

test('JSON texts are embedded as they are', () => {
  const text = '{"n":12345678901234567890.10,"s":"\\u0041"}'
  expect(stringify({ a: new RawJson(text), b: [new RawJson('1.0'), undefined, null], c: undefined, 'd"': 'е\n' })).toBe(
    `{"a":${text},"b":[1.0,null,null],"d\\"":"е\\n"}`,
  )
})
