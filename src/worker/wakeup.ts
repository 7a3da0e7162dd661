/** Wakes a worker when a notification says that there is work. Only a hint: polling alone must do. */
import type { FlowContext } from '../flow/index.ts'

export class Wakeup {
  readonly #signal: AbortSignal
  readonly #listening: Promise<() => Promise<void>> | null
  #waiting = new Set<() => void>()
  /** A notification came while nobody waited: the next wait returns at once. */
  #pending = false

  constructor(context: FlowContext, signal: AbortSignal) {
    this.#signal = signal
    this.#listening = context.config.worker.notify ? context.db.listen('sluice', () => this.#wake()) : null
    this.#listening?.catch((error: unknown) => context.log.warn({ error }, 'no notifications; the worker polls'))
    signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  /** Waits until a notification, the end of `milliseconds`, or the worker's stop. */
  async wait(milliseconds: number): Promise<void> {
    if (this.#signal.aborted) return
    if (this.#pending) {
      this.#pending = false
      return
    }
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      this.#waiting.add(done)
    })
  }

  async close(): Promise<void> {
    const unlisten = await this.#listening?.catch(() => undefined)
    await unlisten?.()
  }

  #wake(): void {
    if (this.#waiting.size === 0) this.#pending = true
    for (const done of [...this.#waiting]) done()
  }
}
