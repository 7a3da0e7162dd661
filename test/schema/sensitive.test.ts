/** What is sensitive, and what is left of a text. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { mask, maskLeaves, type SensitiveFields, sensitiveFields } from '../../src/schema/sensitive.ts'
import { createValidator } from '../../src/schema/validator.ts'

const fieldsOf = (declared: readonly string[], schema: Record<string, unknown> | null = null): SensitiveFields => {
  const fields = sensitiveFields(declared, schema)
  if (fields === null) throw new Error('none')
  return fields
}

describe('what is sensitive', () => {
  test('nothing, unless it is said', () => {
    expect(sensitiveFields([], null)).toBeNull()
    expect(sensitiveFields([], { type: 'object', properties: { a: { type: 'string', sensitive: false } } })).toBeNull()
  })

  test('a field, one inside another, one of each element, any one', () => {
    const fields = fieldsOf(['salary', 'passport.number', 'phones.number', 'codes.*'])
    const text =
      '{"salary":1.50,"name":"A","passport":{"number":"n","year":2001},"phones":[{"number":"1","kind":"home"}],"codes":{"a":1,"b":[2]},"n":12345678901234567890}'
    expect(fields.maskObject(text)).toBe(
      `{"salary":"${mask}","name":"A","passport":{"number":"${mask}","year":2001},"phones":[{"number":"${mask}","kind":"home"}],"codes":{"a":"${mask}","b":["${mask}"]},"n":12345678901234567890}`,
    )
    expect(
      ['salary', 'passport.number', 'passport.number.x', 'codes.z', 'name', 'passport', 'salaryx'].map((path) => fields.covers(path)),
    ).toEqual([true, true, true, true, false, false, false])
  })

  test('what a JSON Schema marks, wherever it says so', () => {
    const schema = {
      $defs: {
        secret: { type: 'string', sensitive: true },
        node: { properties: { pin: { sensitive: true }, next: { $ref: '#/$defs/node' } } },
      },
      properties: {
        a: { $ref: '#/$defs/secret' },
        b: { type: 'array', items: { properties: { c: { sensitive: true } } } },
        d: { anyOf: [{ type: 'null' }, { sensitive: true }] },
        e: { properties: { open: {} }, additionalProperties: { sensitive: true } },
        node: { $ref: '#/$defs/node' },
      },
      allOf: [{ properties: { f: { sensitive: true } } }],
    }
    const fields = fieldsOf([], schema)
    expect(['a', 'd', 'e.any', 'f', 'node.pin', 'node.next.pin'].filter((path) => !fields.covers(path))).toEqual([])
    expect(['b', 'e', 'e.open', 'node', 'x'].filter((path) => fields.covers(path))).toEqual([])
    expect(fields.maskObject('{"b":[{"c":1,"d":2}],"node":{"next":{"next":{"pin":[1]}}}}')).toBe(
      `{"b":[{"c":"${mask}","d":2}],"node":{"next":{"next":{"pin":["${mask}"]}}}}`,
    )
  })

  test('what a reference that can’t be followed describes may be sensitive', () => {
    const fields = fieldsOf([], { properties: { a: { $ref: '#anchor' }, b: { $anchor: 'anchor', sensitive: true }, c: {} } })
    expect(['a', 'b', 'c'].map((path) => fields.covers(path))).toEqual([true, true, false])
  })

  test('what Zod says in its meta', () => {
    const schema = z.object({
      id: z.string(),
      salary: z.number().meta({ sensitive: true }),
      home: z.object({ street: z.string().meta({ sensitive: true }) }).optional(),
    })
    const fields = fieldsOf([], createValidator(schema, 'x').jsonSchema)
    expect(['salary', 'home.street'].filter((path) => !fields.covers(path))).toEqual([])
    expect(fields.covers('id')).toBe(false)
  })
})

describe('texts', () => {
  test('a value goes wherever it stands, a short one only where it stands alone', () => {
    const fields = fieldsOf(['secret'])
    const masked = (text: string, secret: unknown): string => fields.maskerOf(JSON.stringify({ secret }))(text)
    expect(masked('Key (x)=(Abc-1) exists: Abc-1.', 'Abc-1')).toBe(`Key (x)=(${mask}) exists: ${mask}.`)
    expect(masked('at line 12: value 1 is bad, (1)', 1)).toBe(`at line 12: value ${mask} is bad, (${mask})`)
    expect(masked('say "a\\"b"', 'a"b')).toBe(`say "${mask}"`)
    expect(masked('true is not null', true)).toBe('true is not null')
    expect(masked('nothing', ' ')).toBe('nothing')
    expect(masked('abcdef', ['abc', { x: 'abcdef' }])).toBe(mask)
  })

  test('no text of three characters or more is left', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 3 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(secret.trim() !== '' && !mask.includes(secret) && !`${before}${mask}${after}`.includes(secret))
        expect(fieldsOf(['a.b']).maskerOf(JSON.stringify({ a: { b: secret } }))(`${before}${secret}${after}`)).not.toContain(secret)
      }),
    )
  })

  test('leaves are masked, what is empty is told', () => {
    expect(maskLeaves('{"salary":{"before":null,"after":12.50},"set":{"added":[{"x":true}],"removed":[]}}')).toBe(
      `{"salary":{"before":null,"after":"${mask}"},"set":{"added":[{"x":"${mask}"}],"removed":[]}}`,
    )
  })
})
