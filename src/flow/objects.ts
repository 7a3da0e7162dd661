/** Objects out of bytes: cuts a stream into the texts of its objects without parsing it whole. */
import type { Config } from '../config.ts'
import { MessageScanner, type ScanLimits } from '../json/scan.ts'

/** The scanner's limits, out of the config. */
export function scanLimits(config: Config): ScanLimits {
  const { depth, objects, keyLength, numberLength } = config.limits
  return { maxDepth: depth, maxObjects: objects, maxKeyLength: keyLength, maxNumberLength: numberLength }
}

/**
 * Takes bytes cut anywhere and gives the text of each object as soon as its last byte has come. Keeps only the bytes of
 * the object that is still open.
 */
export class ObjectReader {
  readonly #scanner: MessageScanner
  #held: Uint8Array[] = []
  #heldFrom = 0
  #givesTexts = true

  constructor(format: 'json' | 'ndjson', limits: ScanLimits) {
    this.#scanner = new MessageScanner(format, limits)
  }

  /** Throws the scanner's SluiceError. */
  push(bytes: Uint8Array): string[] {
    this.#scanner.push(bytes)
    if (this.#givesTexts) this.#held.push(bytes)
    return this.#take()
  }

  /** From now on the bytes are only scanned, and no text is given: nothing is kept of them. */
  onlyScan(): void {
    this.#givesTexts = false
    this.#held = []
  }

  /** Throws the scanner's SluiceError when the message ends too early. */
  end(): string[] {
    this.#scanner.end()
    return this.#take()
  }

  #take(): string[] {
    const spans = this.#scanner.takeSpans()
    if (spans.length === 0 || !this.#givesTexts) return []
    const buffer =
      this.#held.length === 1 && this.#held[0] !== undefined
        ? Buffer.from(this.#held[0].buffer, this.#held[0].byteOffset, this.#held[0].length)
        : Buffer.concat(this.#held)
    const texts = spans.map((span) => buffer.toString('utf8', span.start - this.#heldFrom, span.end - this.#heldFrom))
    const rest = spans[spans.length - 1]?.end ?? this.#heldFrom
    this.#held = [buffer.subarray(rest - this.#heldFrom)]
    this.#heldFrom = rest
    return texts
  }
}

/** Texts of the objects of a body that is stored in parts, a batch per part. */
export async function* readObjects(
  parts: AsyncIterable<Uint8Array>,
  format: 'json' | 'ndjson',
  limits: ScanLimits,
): AsyncGenerator<string[]> {
  const reader = new ObjectReader(format, limits)
  for await (const part of parts) yield reader.push(part)
  yield reader.end()
}

const sliceMilliseconds = 10

/** Lets other requests run when a long loop has held the event loop for a while. */
export class Breather {
  #since = performance.now()

  /** Waits for one turn of the event loop, at most every 10 ms. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#since < sliceMilliseconds) return
    await new Promise((resolve) => setImmediate(resolve))
    this.#since = performance.now()
  }
}
