/**
 * The keys of the objects that are open while a message is scanned.
 *
 * The same few keys come again in every object of a list, so that most of them get a small number once, and are compared
 * by it. What the table of numbers has no room for is compared as text. Memory: the table is of a fixed size, the rest is
 * the keys of the open objects.
 */

import { binaryText, decodeText } from './keytext.ts'

/** What {@link OpenKeys.add} says of a key. */
export type KeyVerdict = 'new' | 'duplicate' | 'unsafe'

/** Keys that programs have taken for a prototype: refused wherever they stand. */
const unsafeKeys = ['__proto__', 'constructor', 'prototype']

/** With more keys than this an object gets a set, so that looking for duplicates stays linear. */
const fewKeys = 24

/** Keys of every open object, outermost first. Bytes are decoded UTF-8; a lone surrogate is three bytes of its own. */
export class OpenKeys {
  readonly #table = new KeyTable()
  /** Numbers of the keys of the open objects, one object after the other. */
  readonly #numbers: number[] = []
  #count = 0
  #level = -1
  /** Per level: where its numbers begin, its set once it has one, and its newest key. */
  readonly #begins: number[] = []
  readonly #sets: (Set<number | string> | null)[] = []
  readonly #newest: (number | string)[] = []

  /** An object begins. */
  open(): void {
    const level = ++this.#level
    this.#begins[level] = this.#count
    this.#sets[level] = null
    this.#newest[level] = -1
  }

  /** The innermost object ends. */
  close(): void {
    const level = this.#level--
    this.#count = this.#begins[level] as number
    this.#sets[level] = null
  }

  /** The next key of the innermost object: `bytes` from `start` to `end`. */
  add(bytes: Uint8Array, start: number, end: number): KeyVerdict {
    const level = this.#level
    const number = this.#table.numberOf(bytes, start, end)
    const key = number === -1 ? binaryText(bytes, start, end) : number
    this.#newest[level] = key
    if (number !== -1 && number < unsafeKeys.length) return 'unsafe'
    const set = this.#sets[level]
    if (set !== null && set !== undefined) return addToSet(set, key)
    const begin = this.#begins[level] as number
    if (number === -1 || this.#count - begin === fewKeys) {
      const grown = new Set<number | string>(this.#numbers.slice(begin, this.#count))
      this.#sets[level] = grown
      this.#count = begin
      return addToSet(grown, key)
    }
    for (let at = begin; at < this.#count; at++) if (this.#numbers[at] === number) return 'duplicate'
    this.#numbers[this.#count++] = number
    return 'new'
  }

  /** The newest key of an open object; level 0 is the outermost. Default: the innermost. */
  newest(level = this.#level): string {
    const key = this.#newest[level] as number | string
    return decodeText(typeof key === 'number' ? this.#table.bytesOf(key) : Buffer.from(key, 'latin1'))
  }
}

function addToSet(set: Set<number | string>, key: number | string): KeyVerdict {
  const before = set.size
  set.add(key)
  return set.size === before ? 'duplicate' : 'new'
}

const tableSize = 512
const slotCount = 2 * tableSize
const longestInTable = 32
/** Bounds the work that keys made to collide can cause. */
const mostProbes = 8

/**
 * Numbers for keys, from 0 in order of appearance. Nothing ever leaves the table, so that a key that has a number keeps
 * it, and one that found no room never gets one.
 */
class KeyTable {
  readonly #bytes = new Uint8Array(tableSize * longestInTable)
  readonly #lengths = new Uint8Array(tableSize)
  readonly #hashes = new Int32Array(tableSize)
  /** Number + 1 of the key in each slot, 0 where it is free. */
  readonly #slots = new Uint16Array(slotCount)
  #count = 0

  constructor() {
    for (const key of unsafeKeys) this.numberOf(Buffer.from(key), 0, key.length)
  }

  /** The key's number, -1 if it is too long or there is no room. */
  numberOf(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length > longestInTable) return -1
    let hash = length
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
    hash ^= hash >>> 15
    for (let probe = 0; probe < mostProbes; probe++) {
      const slot = (hash + probe) & (slotCount - 1)
      const number = (this.#slots[slot] as number) - 1
      if (number === -1) return this.#add(slot, hash, bytes, start, end)
      if (this.#hashes[number] === hash && this.#lengths[number] === length && this.#equals(number, bytes, start, end)) return number
    }
    return -1
  }

  bytesOf(number: number): Uint8Array {
    const from = number * longestInTable
    return this.#bytes.subarray(from, from + (this.#lengths[number] as number))
  }

  #add(slot: number, hash: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.#count === tableSize) return -1
    const number = this.#count++
    this.#bytes.set(bytes.subarray(start, end), number * longestInTable)
    this.#lengths[number] = end - start
    this.#hashes[number] = hash
    this.#slots[slot] = number + 1
    return number
  }

  #equals(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    let own = number * longestInTable
    for (let at = start; at < end; at++, own++) if (this.#bytes[own] !== bytes[at]) return false
    return true
  }
}
