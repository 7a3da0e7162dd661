/**
 * Keys between bytes and text. Decoded keys are UTF-8, but for lone surrogates (`\ud800`), which JSON allows and UTF-8
 * doesn't: each is the three bytes that it would have.
 */

/** A character per byte: short, and different for different bytes. */
export function binaryText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}

/** Text of decoded bytes. UTF-8 proper, but for lone surrogates, which `TextDecoder` would not give back. */
export function decodeText(bytes: Uint8Array): string {
  let text = ''
  let done = 0
  for (let at = 0; at + 2 < bytes.length; at++) {
    const second = bytes[at + 1] as number
    if (bytes[at] !== 0xed || second < 0xa0) continue
    text += Buffer.from(bytes.subarray(done, at)).toString('utf8')
    text += String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | ((bytes[at + 2] as number) & 0x3f))
    done = at + 3
    at += 2
  }
  return text + Buffer.from(bytes.subarray(done)).toString('utf8')
}

/** Bytes of the key that is being read, where they don't stand in one piece: it is cut, or it has escapes. */
export class KeyBuffer {
  bytes = new Uint8Array(128)
  length = 0

  /** Adds bytes as they stand in the message. */
  addBytes(from: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    this.bytes.set(from.subarray(start, end), this.length)
    this.length += end - start
  }

  /** Adds what an escape stands for: a UTF-16 code unit. The second half of a surrogate pair joins the first. */
  addUnit(unit: number): void {
    this.#reserve(4)
    const high = unit >= 0xdc00 && unit < 0xe000 ? this.#takeHighSurrogate() : -1
    const point = high === -1 ? unit : 0x10000 + ((high & 0x3ff) << 10) + (unit & 0x3ff)
    if (point < 0x80) this.#put(point)
    else if (point < 0x800) this.#put(0xc0 | (point >> 6))
    else if (point < 0x10000) this.#put(0xe0 | (point >> 12))
    else this.#put(0xf0 | (point >> 18))
    if (point >= 0x10000) this.#put(0x80 | ((point >> 12) & 0x3f))
    if (point >= 0x800) this.#put(0x80 | ((point >> 6) & 0x3f))
    if (point >= 0x80) this.#put(0x80 | (point & 0x3f))
  }

  /** Only an escape can have left one here: in the message itself surrogates are no UTF-8. */
  #takeHighSurrogate(): number {
    const at = this.length - 3
    if (at < 0 || this.bytes[at] !== 0xed) return -1
    const second = this.bytes[at + 1] as number
    if (second < 0xa0 || second >= 0xb0) return -1
    this.length = at
    return 0xd000 | ((second & 0x3f) << 6) | ((this.bytes[at + 2] as number) & 0x3f)
  }

  #put(byte: number): void {
    this.bytes[this.length++] = byte
  }

  #reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }
}
