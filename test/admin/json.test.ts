/** JSON as it was written: the reading and laying out of the UI, without a browser. */
import { describe, expect, test } from 'vitest'
import { linesOf } from '../../admin/json/lines.ts'
import { sampleOf } from '../../admin/json/sample.ts'
import { memberText, tokensOf } from '../../admin/json/scan.ts'
import { fieldsOf } from '../../admin/json/schema.ts'
import { rowsOf } from '../../admin/json/target.ts'

/** Lines as text, indented by two. */
const laidOut = (text: string) => linesOf(text).map(({ depth, parts }) => '  '.repeat(depth) + parts.map((part) => part.text).join(''))

describe('laying out', () => {
  test('objects, arrays, and empty ones', () => {
    expect(laidOut('{"a":[1,{"b":null}],"c":{},"d":[ ],"e":"x,{}:"}')).toEqual([
      '{',
      '  "a":[',
      '    1,',
      '    {',
      '      "b":null',
      '    }',
      '  ],',
      '  "c":{},',
      '  "d":[],',
      '  "e":"x,{}:"',
      '}',
    ])
  })

  test.each([['1.10e3'], ['"x"'], ['[]'], ['true'], ['-0']])('%s alone', (text) => {
    expect(laidOut(text)).toEqual([text])
  })

  test('numbers, escapes and a key that stands twice are kept', () => {
    expect(laidOut('{"n":12345678901234567890.10,"n":1e400,"\\u0041":"\\ud800"}')).toEqual([
      '{',
      '  "n":12345678901234567890.10,',
      '  "n":1e400,',
      '  "\\u0041":"\\ud800"',
      '}',
    ])
  })

  test('each value has its JSON Pointer', () => {
    const pointers = linesOf('[{"a/b":{"~":[true,[]]}},2]').map((line) => line.pointer)
    expect(pointers).toEqual([
      '',
      '/0',
      '/0/a~1b',
      '/0/a~1b/~0',
      '/0/a~1b/~0/0',
      '/0/a~1b/~0/1',
      undefined,
      undefined,
      undefined,
      '/1',
      undefined,
    ])
  })

  test('a string of a megabyte', () => {
    expect(linesOf(`["${'\\"'.repeat(500_000)}"]`)).toHaveLength(3)
  })
})

test('tokens end at what is no JSON', () => {
  expect([...tokensOf('[1, oops')].map((token) => token.text)).toEqual(['[', '1', ','])
})

test('a member is given as it stands', () => {
  const text = '{"id":"1.0","other":{"data":1},"data":{"n":1.0,"s":"a,b}"},"last":[1]}'
  expect(memberText(text, 'data')).toBe('{"n":1.0,"s":"a,b}"}')
  expect(memberText(text, 'last')).toBe('[1]')
  expect(memberText(text, 'nothing')).toBeNull()
})

describe('schemas', () => {
  const schema = {
    type: 'object',
    required: ['id', 'kind'],
    properties: {
      id: { type: 'string', format: 'uri', pattern: '^x' },
      kind: { enum: ['a', 'b'] },
      parent: { anyOf: [{ $ref: '#/$defs/ref' }, { type: 'null' }] },
      rows: { type: 'array', items: { type: 'object', required: ['n'], properties: { n: { type: 'integer', minimum: 1 } } } },
    },
    $defs: { ref: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
  }

  test('as a list of fields', () => {
    expect(fieldsOf(schema).map(({ path, type, isRequired, notes }) => [path, type, isRequired, notes])).toEqual([
      ['id', 'string', true, 'format: uri'],
      ['kind', 'any', true, '"a" | "b"'],
      ['parent', 'object | null', false, ''],
      ['parent.id', 'string', true, ''],
      ['rows', 'object[]', false, ''],
      ['rows[].n', 'integer', true, 'minimum: 1'],
    ])
  })

  test('one that is a tree of itself ends', () => {
    const tree = { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } }
    expect(fieldsOf(tree).length).toBeLessThan(20)
  })

  test('a first draft of an object', () => {
    expect(sampleOf(schema)).toEqual({ id: 'https://example.org/1', kind: 'a' })
  })
})

test('a target as a list', () => {
  const target = {
    kind: 'table',
    table: 'person',
    columns: {
      name: { field: 'name.last' },
      label: { function: true },
      source: { constant: 'hr' },
      at: { now: true },
      team: { ref: 'team', field: 'team_id', missing: 'wait' },
      place: { ref: { table: 'place', key: 'code' }, field: 'place', missing: 'defer' },
    },
    sets: {},
    onDelete: null,
  }
  expect(rowsOf(target)).toEqual([
    { path: 'kind', kind: 'plain', text: 'table' },
    { path: 'table', kind: 'plain', text: 'person' },
    { path: 'columns.name', kind: 'field', text: 'name.last' },
    { path: 'columns.label', kind: 'function', text: '' },
    { path: 'columns.source', kind: 'constant', text: '"hr"' },
    { path: 'columns.at', kind: 'now', text: '' },
    { path: 'columns.team', kind: 'wait', text: 'team_id', to: 'team' },
    { path: 'columns.place', kind: 'defer', text: 'place', to: 'place.code' },
  ])
})
