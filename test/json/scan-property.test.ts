import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SluiceError } from '../../src/errors.ts'
import { parsePlain } from '../../src/json/exact.ts'
import type { ScanLimits } from '../../src/json/scan.ts'
import { choices, chooser, strings, unsafe, values, write } from './arbitraries.ts'
import { bytes, limits, outcome, texts } from './support.ts'

function accepted(message: Uint8Array, format: 'json' | 'ndjson' = 'json'): string[] {
  const result = outcome([message], format)
  if (result instanceof SluiceError) throw result
  return texts(message, result.spans)
}

/** The bytes, cut at these places. */
function cut(message: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (message.length + 1)), message.length].sort((a, b) => a - b)
  return ends.map((end, index) => message.subarray(ends[index - 1] ?? 0, end))
}

function mutate(message: Uint8Array, mutations: readonly { at: number; kind: number; byte: number; length: number }[]): Uint8Array {
  let result = Buffer.from(message)
  for (const { at: anywhere, kind, byte, length } of mutations) {
    const at = anywhere % (result.length + 1)
    const [before, after] = [result.subarray(0, at), result.subarray(at)]
    if (kind === 0) result = Buffer.concat([before, Uint8Array.of(byte), after])
    else if (kind === 1) result = Buffer.concat([before, Uint8Array.of(byte), after.subarray(1)])
    else if (kind === 2) result = Buffer.concat([before, after.subarray(length)])
    else if (kind === 3) result = Buffer.concat([before, after.subarray(0, length), after])
    else result = Buffer.from(before)
  }
  return result
}

const structural = [...'{}[]:,"\\ \n\r\t-+.eE0123456789truefalsn/ubx\'', '\u0000', '\u001f', '\u007f'].map((c) => c.charCodeAt(0))
const anyByte = fc.oneof(
  fc.constantFrom(...structural),
  fc.constantFrom(0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff),
  fc.nat(255),
)
const mutations = fc.array(fc.record({ at: fc.nat(), kind: fc.nat(4), byte: anyByte, length: fc.integer({ min: 1, max: 9 }) }), {
  maxLength: 3,
})

/** Messages right and wrong, most of them nearly right. */
const messages = fc
  .tuple(fc.oneof(values, fc.array(values, { maxLength: 5 })), choices, mutations)
  .map(([value, stream, changes]) => mutate(bytes(write(value, chooser(stream), true)), changes))

const tightLimits: fc.Arbitrary<ScanLimits> = fc.record({
  maxDepth: fc.integer({ min: 1, max: 5 }),
  maxObjects: fc.integer({ min: 1, max: 5 }),
  maxKeyLength: fc.integer({ min: 1, max: 40 }),
  maxNumberLength: fc.integer({ min: 1, max: 20 }),
})

/** What `JSON.parse` says of bytes: `parsePlain` takes and refuses what it does. */
function parse(message: Uint8Array): { value: unknown } | null {
  try {
    return { value: parsePlain(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message)) }
  } catch {
    return null
  }
}

const ours = new Set(['duplicate_key', 'unsafe_key', 'too_deep', 'key_too_long', 'number_too_long', 'too_many_objects'])

describe('any JSON value', () => {
  it('comes apart into its elements, however it is spaced and escaped', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 8 }), choices, (elements, stream) => {
        const message = bytes(write(elements, chooser(stream), true))
        expect(accepted(message).map(parsePlain)).toEqual(elements)
      }),
      { numRuns: 300 },
    )
  })

  it('is one element when it is no array', () => {
    fc.assert(
      fc.property(
        values.filter((value) => !Array.isArray(value)),
        choices,
        (value, stream) => {
          expect(accepted(bytes(write(value, chooser(stream), true))).map(parsePlain)).toEqual([value])
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is one element on its line of NDJSON', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 8 }), choices, fc.constantFrom('\n', '\r\n', '\n\n', ' \r\n\t\n'), (lines, stream, end) => {
        const choose = chooser(stream)
        const message = lines.map((line) => write(line, choose, false)).join(end)
        expect(accepted(bytes(message), 'ndjson').map(parsePlain)).toEqual(lines)
      }),
      { numRuns: 300 },
    )
  })
})

describe('any bytes', () => {
  it.each(['json', 'ndjson'] as const)('come to the same, cut anywhere: %s', (format) => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 12 }), fc.oneof(fc.constant(limits), tightLimits), (message, places, own) => {
        const whole = outcome([message], format, own)
        for (const chunks of [cut(message, places), [...message].map((byte) => Uint8Array.of(byte))]) {
          const pieces = outcome(chunks, format, own)
          if (whole instanceof SluiceError && pieces instanceof SluiceError) {
            expect([pieces.code, pieces.message, pieces.details]).toEqual([whole.code, whole.message, whole.details])
          } else expect(pieces).toEqual(whole)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('are accepted exactly when JSON.parse takes them, but for the refusals of our own', () => {
    let taken = 0
    let refused = 0
    fc.assert(
      fc.property(messages, (message) => {
        const result = outcome([message])
        const parsed = parse(message)
        if (result instanceof SluiceError) {
          if (!ours.has(result.code)) expect([parsed, result.message]).toEqual([null, result.message])
          refused++
        } else {
          const elements = texts(message, result.spans).map(parsePlain)
          expect(result.summary.shape === 'array' ? elements : elements[0]).toEqual(parsed?.value)
          taken++
        }
      }),
      { numRuns: 2000 },
    )
    expect(Math.min(taken, refused)).toBeGreaterThan(200)
  })

  it('are never placed outside the message, and the place fits the line', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const result = outcome([message])
        if (!(result instanceof SluiceError)) return
        const { offset, line, column } = result.details as { offset: number; line: number; column: number }
        const before = Buffer.from(message.subarray(0, offset)).toString('latin1')
        expect(offset).toBeLessThanOrEqual(message.length)
        expect([line, column]).toEqual([before.split('\n').length, offset - before.lastIndexOf('\n')])
      }),
      { numRuns: 500 },
    )
  })
})

describe('keys', () => {
  it('are refused exactly when one comes twice, however they are spelled', () => {
    const some = fc.oneof(
      fc.constantFrom('a', 'b', 'ж', '😀', '\ud83d', '\ude00', 'l'.repeat(40)),
      fc.nat(700).map((number) => `key ${number}`),
      strings.filter((key) => !unsafe.includes(key)),
    )
    fc.assert(
      fc.property(fc.array(some, { maxLength: 60 }), choices, (names, stream) => {
        const choose = chooser(stream)
        const members = names.map((name) => `${write(name, choose, true)}:0`)
        const result = outcome([
          bytes(`[{"before":{${new Array(choose() % 3).fill('"a":{}').slice(0, 1).join()}},"in":{${members.join()}}}]`),
        ])
        // A key of two halves is the same as the whole character.
        const twice = names.find((name, index) => names.indexOf(name) < index)
        if (twice === undefined) expect(result).not.toBeInstanceOf(SluiceError)
        else expect(result).toMatchObject({ code: 'duplicate_key', details: { key: twice } })
      }),
      { numRuns: 500 },
    )
  })
})
