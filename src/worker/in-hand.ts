/** The chunks that the lanes of one worker have in hand. */

/** A chunk in hand, and for how long already. No time of day: whoever is told may have a clock of its own. */
export interface ChunkInHand {
  chunkId: string
  milliseconds: number
}

/** Tells which chunk has been in hand longest whenever that changes: a deadline counts for each, whatever other lanes do. */
export class InHand {
  readonly #tell: (state: ChunkInHand | null) => void
  /** In the order of their beginning, as Map keeps it. */
  readonly #chunks = new Map<string, number>()

  constructor(tell: (state: ChunkInHand | null) => void) {
    this.#tell = tell
  }

  begin(chunkId: string): void {
    this.#chunks.set(chunkId, performance.now())
    if (this.#chunks.size === 1) this.#tellOldest()
  }

  end(chunkId: string): void {
    const [oldest] = this.#chunks.keys()
    this.#chunks.delete(chunkId)
    if (oldest === chunkId) this.#tellOldest()
  }

  #tellOldest(): void {
    const [oldest] = this.#chunks
    this.#tell(oldest === undefined ? null : { chunkId: oldest[0], milliseconds: performance.now() - oldest[1] })
  }
}
