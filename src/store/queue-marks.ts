/**
 * Where a worker has come to in its queues. While a transaction elsewhere keeps the rows of what is done from going away, the beginning
 * of a queue is full of them, and each look would step over all. Hints in memory: no correctness rests on them.
 */

/** How often a worker that always finds something looks from the beginning. */
const fromBeginningMilliseconds = 5000

/** Parts of an integration's queue: 0 for the first chunk of each message, 1 for the next fifteen, 2 for all that come after them. */
export type QueuePart = 0 | 1 | 2

/** All of them. */
export const queueParts: readonly QueuePart[] = [0, 1, 2]

/**
 * Where its claims have come to in the queues of each integration, and whose turn it is. What becomes due before a mark (a long split
 * that commits late) is found by the next look from the beginning: after five seconds, or when there is nothing else.
 */
export class QueueMarks {
  readonly #marks = new Map<string, string>()
  readonly #interval: number
  #nextFull = 0
  #last: QueuePart = 2

  /** @param interval milliseconds between looks from the beginning, the first claim being one */
  constructor(interval = fromBeginningMilliseconds) {
    this.#interval = interval
  }

  /** The part whose turn it is: the one after that of the last claim. The others follow in their order, where it has nothing. */
  get turn(): QueuePart {
    return queueParts[(this.#last + 1) % queueParts.length] ?? 0
  }

  /** Per queue, the moment to look from. */
  from(queues: readonly { name: string; part: QueuePart }[]): string[] {
    const now = performance.now()
    const isFull = now >= this.#nextFull
    if (isFull) this.#nextFull = now + this.#interval
    return queues.map(({ name, part }) => (isFull ? undefined : this.#marks.get(`${part} ${name}`)) ?? beginning)
  }

  /** A chunk was claimed that had been due since then. */
  note(integration: string, part: QueuePart, dueAt: string): void {
    this.#marks.set(`${part} ${integration}`, dueAt)
    this.#last = part
  }
}

/** Before any chunk became due. */
export const beginning = '-infinity'

/** Messages before the last one found that are looked at again: some are validated later than those behind them. */
const lookBack = 1000n

/** Where a worker has come to among the messages to split. */
export class SplitMark {
  readonly #interval: number
  #last = 0n
  #nextFull = 0

  /** @param interval milliseconds between looks from the beginning, the first one being one */
  constructor(interval = fromBeginningMilliseconds) {
    this.#interval = interval
  }

  /** The id to look after; `'0'`: from the beginning. */
  from(): string {
    const now = performance.now()
    if (now < this.#nextFull) return (this.#last > lookBack ? this.#last - lookBack : 0n).toString()
    this.#nextFull = now + this.#interval
    return '0'
  }

  /** A message was found. */
  note(id: string): void {
    this.#last = BigInt(id)
  }
}
