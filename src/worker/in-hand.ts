/** The work that the lanes of one worker have in hand: chunks, and messages that are being split. */

/** A chunk or a split in hand, and for how long already. No time of day: whoever is told may have a clock of its own. */
export interface ChunkInHand {
  /** Null: a message is being split. */
  chunkId: string | null
  milliseconds: number
}

/** Tells which chunk has been in hand longest whenever that changes: a deadline counts for each, whatever other lanes do. */
export class InHand {
  readonly #tell: (state: ChunkInHand | null) => void
  /** In the order of their beginning, as Map keeps it. */
  readonly #chunks = new Map<object, { chunkId: string | null; began: number }>()

  constructor(tell: (state: ChunkInHand | null) => void) {
    this.#tell = tell
  }

  /**
   * Work begins.
   *
   * @param chunkId null: a message is being split
   * @returns ends it
   */
  begin(chunkId: string | null): () => void {
    const work = {}
    this.#chunks.set(work, { chunkId, began: performance.now() })
    if (this.#chunks.size === 1) this.#tellOldest()
    return () => {
      const [oldest] = this.#chunks.keys()
      this.#chunks.delete(work)
      if (oldest === work) this.#tellOldest()
    }
  }

  #tellOldest(): void {
    const [oldest] = this.#chunks.values()
    this.#tell(oldest === undefined ? null : { chunkId: oldest.chunkId, milliseconds: performance.now() - oldest.began })
  }
}
