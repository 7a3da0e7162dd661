/** What keeps a worker from going on, told once: its loops meet the same outage, each at its own time and again and again. */

import type { FlowContext } from '../flow/index.ts'
import { classify } from '../store/sqlstate.ts'

/** An outage that goes on is told again after so long. */
const againMilliseconds = 60_000

export class Outage {
  readonly #log: FlowContext['log']
  /** The loops that could not go on when they last tried. */
  readonly #failing = new Set<string>()
  #began = 0
  #told = 0
  #failures = 0

  constructor(log: FlowContext['log']) {
    this.#log = log
  }

  /** A loop could not go on. Told when it is the first one, after a minute of it, and always when it isn't the surroundings' fault. */
  failed(loop: string, error: unknown, retryInMilliseconds: number): void {
    const now = performance.now()
    if (this.#failing.size === 0) {
      this.#began = now
      this.#told = Number.NEGATIVE_INFINITY
      this.#failures = 0
    }
    this.#failing.add(loop)
    this.#failures++
    if (classify(error) === 'surroundings' && now - this.#told < againMilliseconds) return
    this.#told = now
    this.#log.error(
      { error, loop, retryInMilliseconds: Math.round(retryInMilliseconds), failures: this.#failures },
      'worker could not go on; it tries again',
    )
  }

  /** A loop went on. Told when it is the last one that had not. */
  succeeded(loop: string): void {
    if (!this.#failing.delete(loop) || this.#failing.size > 0) return
    this.#log.info({ seconds: Math.round((performance.now() - this.#began) / 1000), failures: this.#failures }, 'worker goes on')
  }
}
