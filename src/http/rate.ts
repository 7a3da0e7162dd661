/** How many messages a source may send: a bucket of tokens for each, in this process only. */
import { SluiceError } from '../errors.ts'

interface Bucket {
  left: number
  at: number
}

/** Most sources that are remembered; a full bucket need not be. */
const mostBuckets = 10_000

/** Counts messages per source. */
export class RateLimiter {
  readonly #perMinute: number | null
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()

  /**
   * @param perMinute null: no limit. A bucket holds as many, at least one.
   * @param now milliseconds of a clock that only goes forward
   */
  constructor(perMinute: number | null, now: () => number = () => performance.now()) {
    this.#perMinute = perMinute
    this.#now = now
  }

  /** Takes one. Throws SluiceError `too_many_requests` with `retryAfter` in seconds when there is none. */
  take(source: string): void {
    if (this.#perMinute === null) return
    const size = Math.max(1, this.#perMinute)
    const perSecond = this.#perMinute / 60
    const now = this.#now()
    const known = this.#buckets.get(source) ?? { left: size, at: now }
    const left = Math.min(size, known.left + ((now - known.at) / 1000) * perSecond)
    const isTaken = left >= 1
    this.#remember(source, { left: isTaken ? left - 1 : left, at: now })
    if (isTaken) return
    const retryAfter = Math.ceil((1 - left) / perSecond)
    throw new SluiceError(
      'too_many_requests',
      `The source "${source}" sends more than ${this.#perMinute} messages a minute (limits.rate). Nothing was kept; send it again in ${retryAfter} seconds.`,
      { details: { retryAfter } },
    )
  }

  /** Last used is last forgotten. Names are of tokens and of the config: nobody makes them up. */
  #remember(source: string, bucket: Bucket): void {
    this.#buckets.delete(source)
    this.#buckets.set(source, bucket)
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > mostBuckets && oldest !== undefined) this.#buckets.delete(oldest)
  }
}
