import { describe, expect, it } from 'vitest'
import { SluiceError } from '../../src/errors.ts'
import { MessageScanner, type ScanLimits, scanMessage } from '../../src/json/scan.ts'
import { bytes, limits, outcome, texts } from './support.ts'

/** The refusal of a message, as `code @offset line:column pointer`, and its text. */
function refusalOf(message: string | Uint8Array, format: 'json' | 'ndjson' = 'json', own: Partial<ScanLimits> = {}) {
  const result = outcome([typeof message === 'string' ? bytes(message) : message], format, { ...limits, ...own })
  if (!(result instanceof SluiceError)) throw new Error(`accepted: ${JSON.stringify(result)}`)
  const { offset, line, column, pointer } = result.details
  return { where: `${result.code} @${offset} ${line}:${column} ${JSON.stringify(pointer)}`, text: result.message, details: result.details }
}

describe('shapes and spans', () => {
  it('gives a span per element of an array, without whitespace around it', () => {
    const message = ' [ {"a":1} ,\n[1,[2]] , "x", -1.5e3,true,null ] '
    const { shape, spans } = scanMessage(bytes(message), 'json', limits)
    expect(shape).toBe('array')
    expect(texts(message, spans)).toEqual(['{"a":1}', '[1,[2]]', '"x"', '-1.5e3', 'true', 'null'])
    expect(spans.map((span) => span.kind)).toEqual(['object', 'array', 'string', 'number', 'boolean', 'null'])
  })

  it.each([
    ['{"a":[1,{"b":2}]}', 'object'],
    ['"x"', 'string'],
    ['0', 'number'],
    ['12.5', 'number'],
    ['false', 'boolean'],
    ['null', 'null'],
  ])('takes %s as one element', (message, kind) => {
    const { shape, spans } = scanMessage(bytes(`\r\n\t ${message} \n`), 'json', limits)
    expect(shape).toBe('single')
    expect(spans).toEqual([{ start: 4, end: 4 + message.length, kind }])
  })

  it('takes an empty array as a list of none', () => {
    expect(scanMessage(bytes('[ \n ]'), 'json', limits)).toEqual({ shape: 'array', spans: [] })
  })

  it('counts offsets in bytes', () => {
    expect(scanMessage(bytes('["Жук","😀",1]'), 'json', limits).spans).toEqual([
      { start: 1, end: 9, kind: 'string' },
      { start: 10, end: 16, kind: 'string' },
      { start: 17, end: 18, kind: 'number' },
    ])
  })

  it('takes a value per line of NDJSON, with LF or CRLF, and skips blank lines', () => {
    const message = '\n{"a":1}\r\n  \r\n[1,2]\n7\n\n"x" '
    const { shape, spans } = scanMessage(bytes(message), 'ndjson', limits)
    expect(shape).toBe('ndjson')
    expect(texts(message, spans)).toEqual(['{"a":1}', '[1,2]', '7', '"x"'])
    expect(spans.map((span) => span.kind)).toEqual(['object', 'array', 'number', 'string'])
  })

  it('takes an NDJSON message without a line as one without elements', () => {
    expect(scanMessage(bytes(''), 'ndjson', limits)).toEqual({ shape: 'ndjson', spans: [] })
    expect(scanMessage(bytes('\n \n'), 'ndjson', limits).spans).toEqual([])
  })

  it('gives spans as soon as elements have ended, each once, and a summary at the end', () => {
    const scanner = new MessageScanner('json', limits)
    scanner.push(bytes('[{"a":'))
    expect(scanner.takeSpans()).toEqual([])
    scanner.push(bytes('1},2'))
    expect(scanner.takeSpans()).toEqual([{ start: 1, end: 8, kind: 'object' }])
    scanner.push(bytes(']'))
    expect(scanner.takeSpans()).toEqual([{ start: 9, end: 10, kind: 'number' }])
    expect(scanner.end()).toEqual({ shape: 'array', objects: 2, bytes: 11 })
    expect(scanner.takeSpans()).toEqual([])
  })

  it('throws its first refusal again', () => {
    const scanner = new MessageScanner('json', limits)
    expect(() => scanner.push(bytes('[1}'))).toThrow("Unexpected '}' at line 1, column 3: expected ',' or ']'")
    expect(() => scanner.push(bytes(']'))).toThrow("Unexpected '}' at line 1, column 3")
    expect(() => scanner.end()).toThrow("Unexpected '}' at line 1, column 3")
  })
})

describe('syntax errors', () => {
  it.each([
    ['', '@0 1:1 ""', 'Unexpected end of the message at line 1, column 1: expected a JSON value'],
    [' \n ', '@3 2:2 ""', 'Unexpected end of the message at line 2, column 2: expected a JSON value'],
    ['{\n "a": 1,\n "b": }', '@17 3:7 "/0/b"', "Unexpected '}' at line 3, column 7: expected a value after ':'"],
    ['[{"a":[1,}]', '@9 1:10 "/0/a/1"', "Unexpected '}' at line 1, column 10: expected a value after ','"],
    ['[1,]', '@3 1:4 "/1"', "Unexpected ']' at line 1, column 4: expected a value after ','"],
    ['[,1]', '@1 1:2 ""', "Unexpected ',' at line 1, column 2: expected a value or ']'"],
    ['[1 2]', '@3 1:4 ""', "Unexpected '2' at line 1, column 4: expected ',' or ']'"],
    ['[1,{"x":{"y":2]', '@14 1:15 "/1/x"', "Unexpected ']' at line 1, column 15: expected ',' or '}'"],
    ["{'a':1}", '@1 1:2 "/0"', "Unexpected \"'\" at line 1, column 2: expected a key in double quotes or '}'"],
    ['{"a":1,}', '@7 1:8 "/0"', "Unexpected '}' at line 1, column 8: expected a key in double quotes after ','"],
    ['{"a" 1}', '@5 1:6 "/0/a"', "Unexpected '1' at line 1, column 6: expected ':' after a key"],
    ['[1]]', '@3 1:4 ""', "Unexpected ']' at line 1, column 4: expected nothing more (several values need an array, or NDJSON)"],
    ['{}\n{}', '@3 2:1 ""', "Unexpected '{' at line 2, column 1: expected nothing more (several values need an array, or NDJSON)"],
    ['[1', '@2 1:3 ""', "Unexpected end of the message at line 1, column 3: expected ',' or ']'"],
    [
      '{"a":"b',
      '@7 1:8 "/0/a"',
      "Unexpected end of the message at line 1, column 8: expected the closing '\"' of the string that begins at column 6",
    ],
    ['[nul]', '@4 1:5 "/0"', "Unexpected ']' at line 1, column 5: expected null"],
    ['tru', '@3 1:4 "/0"', 'Unexpected end of the message at line 1, column 4: expected true'],
    ['[NaN]', '@1 1:2 ""', "Unexpected 'N' at line 1, column 2: expected a value or ']'"],
    ['[-]', '@2 1:3 "/0"', "Unexpected ']' at line 1, column 3: expected a digit"],
    ['[1.]', '@3 1:4 "/0"', "Unexpected ']' at line 1, column 4: expected a digit"],
    ['[1e]', '@3 1:4 "/0"', "Unexpected ']' at line 1, column 4: expected a digit, '+' or '-'"],
    ['[1e+]', '@4 1:5 "/0"', "Unexpected ']' at line 1, column 5: expected a digit"],
    ['[01]', '@2 1:3 ""', "Unexpected '1' at line 1, column 3: expected ',' or ']'"],
    ['1.', '@2 1:3 "/0"', 'Unexpected end of the message at line 1, column 3: expected a digit'],
    ['["\\x"]', '@3 1:4 "/0"', "Unexpected 'x' in a string at line 1, column 4: expected one of \" \\ / b f n r t u after a backslash"],
    ['["\\u12g4"]', '@6 1:7 "/0"', "Unexpected 'g' in a string at line 1, column 7: expected four hexadecimal digits after \\u"],
    [
      '["a\tb"]',
      '@3 1:4 "/0"',
      'Unexpected tab in a string at line 1, column 4: expected it escaped, as every control character of a string',
    ],
    ['\u00a0[]', '@0 1:1 ""', 'Unexpected byte 0xC2 at line 1, column 1: expected a JSON value'],
    [
      '[1]\u0000',
      '@3 1:4 ""',
      'Unexpected byte 0x00 at line 1, column 4: expected nothing more (several values need an array, or NDJSON) (a message has to be in UTF-8)',
    ],
  ])('%j', (message, where, text) => {
    expect(refusalOf(message)).toMatchObject({ where: `json_syntax ${where}`, text })
  })

  it('refuses a byte order mark by its name', () => {
    expect(refusalOf('\ufeff[]')).toMatchObject({
      where: 'json_syntax @0 1:1 ""',
      text: 'Unexpected byte order mark (0xEF 0xBB 0xBF) at line 1, column 1: send the JSON without it',
    })
    expect(refusalOf(Uint8Array.of(0xef, 0xbf, 0xbf)).text).toBe('Unexpected byte 0xEF at line 1, column 1: expected a JSON value')
  })

  it.each([
    [
      '{"a":1}\n{"a":\n2}',
      '@13 2:6 "/1/a"',
      "Unexpected end of line at line 2, column 6: expected a value after ':' (NDJSON has a whole value on each line)",
    ],
    ['1\n2 3', '@4 2:3 ""', "Unexpected '3' at line 2, column 3: expected the end of the line, as each holds one value"],
    ['1\n\n{"a":1', '@9 3:7 "/1"', "Unexpected end of the message at line 3, column 7: expected ',' or '}'"],
    [
      '"a\nb"',
      '@2 1:3 "/0"',
      'Unexpected end of line in a string at line 1, column 3: expected it escaped, as every control character of a string',
    ],
    [
      '[1,\n2]',
      '@3 1:4 "/0/1"',
      "Unexpected end of line at line 1, column 4: expected a value after ',' (NDJSON has a whole value on each line)",
    ],
  ])('NDJSON %j', (message, where, text) => {
    expect(refusalOf(message, 'ndjson')).toMatchObject({ where: `json_syntax ${where}`, text })
  })
})

describe('UTF-8', () => {
  /** The refusal of a string that holds these bytes. */
  const stringOf = (...inside: number[]) => Uint8Array.of(0x22, ...inside, 0x22)

  it.each([
    [
      'the largest of each length',
      [0x7f, 0xc2, 0x80, 0xdf, 0xbf, 0xe0, 0xa0, 0x80, 0xef, 0xbf, 0xbf, 0xf0, 0x90, 0x80, 0x80, 0xf4, 0x8f, 0xbf, 0xbf],
    ],
    ['around the surrogates', [0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80]],
  ])('accepts %s', (_name, inside) => {
    expect(scanMessage(stringOf(...inside), 'json', limits).spans).toEqual([{ start: 0, end: inside.length + 2, kind: 'string' }])
  })

  it.each([
    ['a continuation alone', [0x80], 1, 'Unexpected byte 0x80 in a string at line 1, column 2: no character of UTF-8 begins with it'],
    ['two bytes, overlong', [0xc1, 0xbf], 1, 'Unexpected byte 0xC1 in a string at line 1, column 2: no character of UTF-8 begins with it'],
    [
      'three bytes, overlong',
      [0xe0, 0x9f, 0xbf],
      2,
      'Unexpected byte 0x9F in a string at line 1, column 3: expected 0xA0 to 0xBF in the UTF-8 character that 0xE0 begins',
    ],
    [
      'four bytes, overlong',
      [0xf0, 0x8f, 0xbf, 0xbf],
      2,
      'Unexpected byte 0x8F in a string at line 1, column 3: expected 0x90 to 0xBF in the UTF-8 character that 0xF0 begins',
    ],
    [
      'a surrogate',
      [0xed, 0xa0, 0x80],
      2,
      'Unexpected byte 0xA0 in a string at line 1, column 3: expected 0x80 to 0x9F in the UTF-8 character that 0xED begins',
    ],
    [
      'beyond U+10FFFF',
      [0xf4, 0x90, 0x80, 0x80],
      2,
      'Unexpected byte 0x90 in a string at line 1, column 3: expected 0x80 to 0x8F in the UTF-8 character that 0xF4 begins',
    ],
    [
      'five bytes',
      [0xf8, 0x88, 0x80, 0x80, 0x80],
      1,
      'Unexpected byte 0xF8 in a string at line 1, column 2: no character of UTF-8 begins with it',
    ],
    [
      'a character cut by the quote',
      [0xe2, 0x82],
      3,
      "Unexpected '\"' in a string at line 1, column 4: expected 0x80 to 0xBF in the UTF-8 character that 0xE2 begins",
    ],
  ])('refuses %s', (_name, inside, offset, text) => {
    const refusal = refusalOf(stringOf(...inside))
    expect(refusal.where).toBe(`invalid_utf8 @${offset} 1:${offset + 1} "/0"`)
    expect(refusal.text).toBe(text)
  })

  it('refuses a message that ends inside a character', () => {
    expect(refusalOf(Uint8Array.of(0x22, 0xf0, 0x9f, 0x98))).toMatchObject({
      where: 'invalid_utf8 @4 1:5 "/0"',
      text: 'Unexpected end of the message at line 1, column 5: expected 0x80 to 0xBF in the UTF-8 character that 0xF0 begins',
    })
  })

  it('tells bytes that are no UTF-8 from other mistakes between tokens', () => {
    expect(refusalOf(Uint8Array.of(0x5b, 0xff)).where).toBe('invalid_utf8 @1 1:2 ""')
    expect(refusalOf(bytes('[é]')).where).toBe('json_syntax @1 1:2 ""')
    expect(refusalOf(Buffer.from('{"a":1}', 'utf16le')).text).toBe(
      "Unexpected byte 0x00 at line 1, column 2: expected a key in double quotes or '}' (a message has to be in UTF-8)",
    )
  })
})

describe('limits', () => {
  it('counts depth with the message array as one', () => {
    expect(scanMessage(bytes('[{"a":[]}]'), 'json', { ...limits, maxDepth: 3 }).spans).toHaveLength(1)
    expect(refusalOf('[{"a":[{}]}]', 'json', { maxDepth: 3 })).toMatchObject({
      where: 'too_deep @7 1:8 "/0/a/0"',
      text: 'Nested deeper than 3 levels at line 1, column 8: send flatter objects',
      details: { limit: 3 },
    })
    expect(refusalOf('{"a":[]}\n[[]]\n[[[]]]', 'ndjson', { maxDepth: 2 }).where).toBe('too_deep @16 3:3 "/2/0/0"')
  })

  it('refuses the first object too many', () => {
    const own = { maxObjects: 2 }
    expect(scanMessage(bytes('[1,2]'), 'json', { ...limits, ...own }).spans).toHaveLength(2)
    expect(refusalOf('[1,\n2,{"a":1}]', 'json', own)).toMatchObject({
      where: 'too_many_objects @6 2:3 "/2"',
      text: 'More than 2 objects at line 2, column 3: send them in several messages',
      details: { limit: 2 },
    })
    expect(refusalOf('1\n2\n\n3', 'ndjson', own).where).toBe('too_many_objects @5 4:1 "/2"')
  })

  it('measures keys in decoded bytes', () => {
    const own = { maxKeyLength: 4 }
    for (const key of ['abcd', 'жж', '\\u0061\\u0062cd', '\\ud83d\\ude00', '\\n\\t\\\\\\/']) {
      expect(scanMessage(bytes(`{"${key}":1}`), 'json', { ...limits, ...own }).spans).toHaveLength(1)
    }
    for (const key of ['abcde', 'жжx', '\\u0061\\u0062cde', '\\ud83d\\ude00x', 'aaaa\\n']) {
      expect(refusalOf(`[{"x":{"${key}":1}}]`, 'json', own)).toMatchObject({
        where: 'key_too_long @7 1:8 "/0/x"',
        text: 'Key longer than 4 bytes at line 1, column 8: send a shorter one',
        details: { limit: 4 },
      })
    }
  })

  it('measures numbers in bytes', () => {
    const own = { maxNumberLength: 5 }
    expect(scanMessage(bytes('[-1e-5,12345]'), 'json', { ...limits, ...own }).spans).toHaveLength(2)
    for (const number of ['123456', '-1e+55', '0.0000']) {
      expect(refusalOf(`{"n":${number}}`, 'json', own)).toMatchObject({
        where: 'number_too_long @5 1:6 "/0/n"',
        text: 'Number longer than 5 bytes at line 1, column 6: send it as a string',
        details: { limit: 5 },
      })
    }
    expect(refusalOf('123456', 'json', own).where).toBe('number_too_long @0 1:1 "/0"')
  })
})

describe('keys', () => {
  it.each([
    ['{"name":1,"name":2}', '@10 1:11 "/0/name"', 'name'],
    ['[0,{"a":{"b":[{"c":1,"d":{"c":2},"c":3}]}}]', '@33 1:34 "/1/a/b/0/c"', 'c'],
    ['{"a":1,"\\u0061":2}', '@7 1:8 "/0/a"', 'a'],
    ['{"\\u0061\\/":1,"a/":2}', '@14 1:15 "/0/a~1"', 'a/'],
    ['{"😀":1,"\\uD83D\\uDE00":2}', '@10 1:11 "/0/😀"', '😀'],
    ['{"\\ud800":1,"\\udc00":2,"\\uD800":3}', '@23 1:24 "/0/\\ud800"', '\ud800'],
    ['{"":1,"":2}', '@6 1:7 "/0/"', ''],
    ['{"ж":1,"\\u0436":2}', '@8 1:9 "/0/ж"', 'ж'],
  ])('refuses a key that comes twice: %s', (message, where, key) => {
    expect(refusalOf(message)).toMatchObject({
      where: `duplicate_key ${where}`,
      details: { key },
    })
  })

  it('says which key came twice', () => {
    expect(refusalOf('{"a b":1,\n"a b":2}').text).toBe('Duplicate key "a b" at line 2, column 1: an object may have it once')
    const long = 'x'.repeat(100)
    expect(refusalOf(`{"${long}":1,"${long}":2}`).text).toBe(
      `Duplicate key "${'x'.repeat(60)}…" at line 1, column 107: an object may have it once`,
    )
  })

  it('lets the same key stand in different objects', () => {
    const message = '[{"a":{"a":{"a":1},"b":{"a":2}},"b":[{"a":1},{"a":2}]},{"a":1}]'
    expect(scanMessage(bytes(message), 'json', limits).spans).toHaveLength(2)
  })

  it.each(['{"a":"a","b":"a","a":[]}', '[{"a":1,"b":{"a":1,"b":2},"a":3}]'])(
    'compares keys only, around nested objects too: %s',
    (message) => {
      expect(refusalOf(message).details.key).toBe('a')
    },
  )

  it.each(['__proto__', 'constructor', 'prototype', '\\u005f_proto__', 'proto\\u0074ype'])('refuses %s at every depth', (key) => {
    const name = JSON.parse(`"${key}"`) as string
    expect(refusalOf(`[1,{"a":[{"${key}":1}]}]`)).toMatchObject({
      where: `unsafe_key @10 1:11 "/1/a/0/${name}"`,
      text: `Unsafe key "${name}" at line 1, column 11: send that field under another name`,
      details: { key: name },
    })
  })

  it('takes words like the unsafe ones, and these as values', () => {
    expect(scanMessage(bytes('{"proto":"__proto__","Constructor":"constructor","_proto__":1}'), 'json', limits).spans).toHaveLength(1)
  })

  it.each([25, 600, 5000])('finds a duplicate among %i keys', (count) => {
    const keys = Array.from({ length: count }, (_, index) => `key ${index}`)
    const inside = (names: string[]) => names.map((name) => `"${name}":0`).join(',')
    expect(scanMessage(bytes(`[{${inside(keys)}},{${inside(keys)}}]`), 'json', limits).spans).toHaveLength(2)
    for (const key of [keys[0], keys[count >> 1], keys[count - 1]]) {
      expect(refusalOf(`[{${inside(keys)}},{${inside([...keys, key as string])}}]`).details).toMatchObject({ key, pointer: `/1/${key}` })
    }
  })

  it('finds a duplicate behind an object that has many keys of its own', () => {
    const many = Array.from({ length: 700 }, (_, index) => `"k${index}":0`).join(',')
    expect(refusalOf(`{"a":{${many}},"b":{${many}},"a":1}`).details).toMatchObject({ key: 'a', pointer: '/0/a' })
    expect(refusalOf(`{"${'l'.repeat(200)}":{"a":{${many}}},"${'l'.repeat(200)}":1}`).details.key).toBe('l'.repeat(200))
  })
})
