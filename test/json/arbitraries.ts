import fc from 'fast-check'
import type { JsonValue } from '../../src/json/exact.ts'

export const unsafe = ['__proto__', 'constructor', 'prototype']

/** JSON values of every kind, without keys that the scanner refuses. Half surrogates come as escapes. */
export const strings = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('\ud83d', '\ude00x', 'a\u0000', '"\\/\b'))
const keys = fc.oneof(fc.constantFrom('id', 'name', 'ж', 'a/b~'), strings).filter((key) => !unsafe.includes(key))
export const { values } = fc.letrec<{ values: JsonValue }>((tie) => ({
  values: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(strings, fc.double({ noDefaultInfinity: true, noNaN: true }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null)),
    fc.array(tie('values'), { maxLength: 6 }),
    fc.dictionary(keys, tie('values'), { maxKeys: 30, noNullPrototype: true }),
  ),
}))

/** Endless numbers from 0 to 255, to choose spellings by. */
export const choices = fc.infiniteStream(fc.nat(255), { noHistory: true })

/** Writes a value with whitespace and escapes as `choose` has it. */
export function write(value: JsonValue, choose: () => number, newlines: boolean): string {
  const gap = (): string => {
    const choice = choose()
    return choice < 128 ? '' : (['', ' ', '\t', '\r', newlines ? '\n' : ' ', ' \t '][choice % 6] as string)
  }
  const text = (content: string): string =>
    `"${[...content]
      .map((character) => {
        const plain = JSON.stringify(character).slice(1, -1)
        if (choose() >= 64) return plain
        const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at).toString(16).padStart(4, '0'))
        return units.map((unit) => `\\u${choose() < 128 ? unit : unit.toUpperCase()}`).join('')
      })
      .join('')}"`
  const inside = (item: JsonValue): string => {
    if (typeof item === 'string') return text(item)
    if (typeof item === 'number' && Object.is(item, -0)) return '-0'
    if (typeof item !== 'object' || item === null) return JSON.stringify(item)
    if (Array.isArray(item)) return `[${gap()}${item.map(inside).join(`${gap()},${gap()}`)}${gap()}]`
    const members = Object.entries(item).map(([key, member]) => `${text(key)}${gap()}:${gap()}${inside(member)}`)
    return `{${gap()}${members.join(`${gap()},${gap()}`)}${gap()}}`
  }
  return `${gap()}${inside(value)}${gap()}`
}

export function chooser(stream: IterableIterator<number>): () => number {
  return () => (stream.next().value as number | undefined) ?? 255
}
