import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Arrival,
  advance,
  compareArrivals,
  type Decision,
  decide,
  decodeFields,
  encodeFields,
  type ObjectVersions,
} from '../../src/model/fields.ts'
import type { VersionType } from '../../src/model/integration.ts'

const fields = ['a', 'b', 'c']
const empty: ObjectVersions = { applied: null, fields: {}, deleted: false }
const at = (messageId: string, ordinal = 0, version: string | null = null): Arrival => ({ version, messageId, ordinal })

/** Applies an arrival as the flow does. */
function apply(type: VersionType | null, ledger: ObjectVersions, arrival: Arrival, carried: readonly string[], deleted = false) {
  const decision = decide(type, ledger, arrival, carried, fields, true)
  const supplied = decision.kind === 'superseded' ? [] : decision.supply
  return { decision, ledger: advance(type, ledger, arrival, decision, supplied, fields, deleted) }
}

describe('compareArrivals', () => {
  test.each<[VersionType | null, Arrival, Arrival]>([
    [null, at('9'), at('10')],
    [null, at('9007199254740992'), at('9007199254740993')],
    [null, at('5', 2), at('5', 10)],
    [null, at('1', 0, '9'), at('2', 0, '1')],
    ['integer', at('2', 0, '1'), at('1', 0, '9')],
    ['integer', at('1', 0, '5'), at('2', 0, '5')],
    ['integer', at('1', 3, '5'), at('1', 4, '5')],
    ['integer', at('9'), at('1', 0, '-5')],
    ['text', at('9', 0, 'a'), at('1', 0, 'b')],
  ])('%s: %j is older than %j', (type, older, newer) => {
    expect(compareArrivals(type, older, newer)).toBeLessThan(0)
    expect(compareArrivals(type, newer, older)).toBeGreaterThan(0)
    expect(compareArrivals(type, newer, { ...newer })).toBe(0)
  })
})

describe('one step', () => {
  test('the first arrival supplies what it carries; nobody supplied the rest', () => {
    const { decision, ledger } = apply(null, empty, at('1'), ['a', 'b'])
    expect(decision).toEqual({ kind: 'newest', supply: ['a', 'b'] })
    expect(ledger).toEqual({ applied: at('1'), fields: { c: null }, deleted: false })
  })

  test('a newer arrival that lacks a field leaves it to the one before', () => {
    const { ledger: first } = apply(null, empty, at('1'), ['a', 'b'])
    const { ledger: second } = apply(null, first, at('2'), ['a'])
    const { ledger: third } = apply(null, second, at('3'), ['a'])
    expect(second.fields).toEqual({ b: at('1'), c: null })
    expect(third.fields).toEqual({ b: at('1'), c: null })
  })

  test('a late arrival supplies only what nobody newer supplied', () => {
    const { ledger: first } = apply(null, empty, at('1'), ['b'])
    const { ledger: third } = apply(null, first, at('3'), ['a'])
    const { decision, ledger } = apply(null, third, at('2'), ['a', 'b', 'c'])
    expect(decision).toEqual({ kind: 'late', supply: ['b', 'c'] })
    expect(ledger).toEqual({ applied: at('3'), fields: { b: at('2'), c: at('2') }, deleted: false })
    expect(apply(null, ledger, at('1'), ['b']).decision).toEqual({ kind: 'superseded' })
  })

  test('a replay of the newest supplies everything again and changes nothing', () => {
    const { ledger: first } = apply(null, empty, at('1'), ['a', 'b'])
    const { ledger: second } = apply(null, first, at('2'), ['a'])
    const { decision, ledger } = apply(null, second, at('2'), ['a'])
    expect(decision).toEqual({ kind: 'newest', supply: ['a'] })
    expect(ledger).toEqual(second)
  })

  test('a replay of the newest that carries less, as after a change of the mapping, leaves the rest to itself', () => {
    const { ledger: first } = apply(null, empty, at('1'), ['a', 'b'])
    const { decision, ledger } = apply(null, first, at('1'), ['a'])
    expect(decision).toEqual({ kind: 'newest', supply: ['a'] })
    expect(ledger).toEqual(first)
  })

  test('a replay of an older arrival supplies the fields that are still its own', () => {
    const { ledger: first } = apply(null, empty, at('1'), ['a', 'b'])
    const { ledger: second } = apply(null, first, at('2'), ['a'])
    const { decision, ledger } = apply(null, second, at('1'), ['a', 'b'])
    expect(decision).toEqual({ kind: 'late', supply: ['b'] })
    expect(ledger).toEqual(second)
  })

  test('with nothing to add to, a late arrival is superseded', () => {
    const { ledger } = apply(null, empty, at('2'), ['a'])
    expect(decide(null, ledger, at('1'), ['b'], fields, false)).toEqual({ kind: 'superseded' })
    expect(decide(null, ledger, at('3'), ['b'], fields, false)).toEqual({ kind: 'newest', supply: ['b'] })
  })

  test('a field that the target does not have is not supplied', () => {
    expect(decide(null, empty, at('1'), ['a', 'x'], fields, true)).toEqual({ kind: 'newest', supply: ['a'] })
  })

  test('only the newest says whether the object is deleted', () => {
    const { ledger: gone } = apply(null, empty, at('2'), [], true)
    expect(gone.deleted).toBe(true)
    const { decision, ledger: late } = apply(null, gone, at('1'), ['a'], false)
    expect(decision.kind).toBe('late')
    expect(late.deleted).toBe(true)
    expect(apply(null, late, at('3'), ['a'], false).ledger.deleted).toBe(false)
  })

  test('fields that were not written although carried count as lacking', () => {
    const { ledger: first } = apply(null, empty, at('1'), ['a', 'b'])
    const decision = decide(null, first, at('2'), ['a', 'b'], fields, true)
    expect(advance(null, first, at('2'), decision, ['a'], fields, true).fields).toEqual({ b: at('1'), c: null })
  })

  test('the ledger handed in stays as it is', () => {
    const before = structuredClone(apply(null, empty, at('1'), ['a']).ledger)
    const { ledger } = apply(null, empty, at('1'), ['a'])
    apply(null, ledger, at('2'), ['b'])
    apply(null, ledger, at('0'), ['b'])
    expect(ledger).toEqual(before)
  })

  test('fields may have the names of what every JavaScript object has', () => {
    const odd = ['constructor', '__proto__', 'toString']
    const supply = (ledger: ObjectVersions, arrival: Arrival, carried: string[]): [Decision, ObjectVersions] => {
      const decision = decide(null, ledger, arrival, carried, odd, true)
      return [decision, advance(null, ledger, arrival, decision, decision.kind === 'superseded' ? [] : decision.supply, odd, false)]
    }
    const [, newest] = supply(empty, at('2'), ['constructor'])
    const [decision, ledger] = supply(newest, at('1'), odd)
    expect(decision).toEqual({ kind: 'late', supply: ['__proto__', 'toString'] })
    expect(Object.entries(decodeFields(encodeFields(ledger.fields)))).toEqual([
      ['__proto__', at('1')],
      ['toString', at('1')],
    ])
  })
})

describe('any order', () => {
  interface Sent {
    arrival: Arrival
    carried: string[]
    deleted: boolean
  }

  const sent = (type: VersionType | null): fc.Arbitrary<Sent[]> =>
    fc.uniqueArray(
      fc.record({
        arrival: fc.record({
          version: type === null ? fc.constant(null) : fc.constantFrom('1', '2', '10', '-1'),
          messageId: fc.constantFrom('8', '9', '10', '11', '100'),
          ordinal: fc.nat(12),
        }),
        carried: fc.subarray(fields),
        deleted: fc.boolean(),
      }),
      { minLength: 1, maxLength: 10, selector: ({ arrival }) => `${arrival.messageId}.${arrival.ordinal}` },
    )

  /** The row as the newest arrival that carried each field left it. */
  function fold(type: VersionType | null, list: readonly Sent[]) {
    let ledger = empty
    const row: Record<string, string> = {}
    for (const { arrival, carried, deleted } of list) {
      const step = apply(type, ledger, arrival, carried, deleted)
      ledger = step.ledger
      if (step.decision.kind !== 'superseded')
        for (const field of step.decision.supply) row[field] = `${arrival.messageId}.${arrival.ordinal}`
    }
    return { row, ledger }
  }

  /** What rule 4 of the design asks for, written down without a ledger. */
  function expected(type: VersionType | null, list: readonly Sent[]) {
    const newestFirst = list.toSorted((a, b) => compareArrivals(type, b.arrival, a.arrival))
    const newest = newestFirst[0] as Sent
    const suppliers = fields.map((field) => [field, newestFirst.find(({ carried }) => carried.includes(field)) ?? null] as const)
    return {
      row: Object.fromEntries(
        suppliers.flatMap(([field, supplier]) =>
          supplier === null ? [] : [[field, `${supplier.arrival.messageId}.${supplier.arrival.ordinal}`]],
        ),
      ),
      ledger: {
        applied: newest.arrival,
        fields: Object.fromEntries(
          suppliers.filter(([field]) => !newest.carried.includes(field)).map(([field, supplier]) => [field, supplier?.arrival ?? null]),
        ),
        deleted: newest.deleted,
      },
    }
  }

  test.each([null, 'integer'] as const)('declared version %s: same row, same ledger, and repeats change nothing', (type) => {
    const orders = sent(type).chain((list) =>
      fc.record({
        list: fc.constant(list),
        order: fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
        repeats: fc.array(fc.record({ which: fc.nat(list.length - 1), where: fc.nat(list.length) }), { maxLength: 5 }),
      }),
    )
    fc.assert(
      fc.property(orders, ({ list, order, repeats }) => {
        const arriving = [...order]
        for (const { which, where } of repeats) arriving.splice(where, 0, list[which] as Sent)
        const result = fold(type, arriving)
        expect(result).toEqual(expected(type, list))
        expect(decodeFields(encodeFields(result.ledger.fields))).toEqual(result.ledger.fields)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('encodeFields', () => {
  test('writes nothing for nothing', () => {
    expect(encodeFields({})).toBeNull()
    expect(decodeFields(null)).toEqual({})
  })

  test('is compact', () => {
    expect(encodeFields({ a: at('12', 3, '1.5'), b: null })).toBe('{"a":["1.5","12",3],"b":null}')
  })
})
