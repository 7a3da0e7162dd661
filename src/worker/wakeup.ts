/** Wakes a worker when a notification says that there is work. Only a hint: polling alone must do. */
import type { FlowContext } from '../flow/index.ts'

export class Wakeup {
  readonly #signal: AbortSignal
  readonly #listening: Promise<() => Promise<void>> | null
  readonly #waiting = new Set<() => void>()
  #count = 0

  constructor(context: FlowContext, signal: AbortSignal) {
    this.#signal = signal
    this.#listening = context.config.worker.notify ? context.db.listen('sluice', () => this.#wake()) : null
    this.#listening?.catch((error: unknown) => context.log.warn({ error }, 'no notifications; the worker polls'))
    signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  /** How many notifications have come so far. Take it before looking for work. */
  get count(): number {
    return this.#count
  }

  /** Waits until a notification, the end of `milliseconds`, or the worker's stop; not at all if one came after `seen`. */
  async wait(milliseconds: number, seen: number): Promise<void> {
    if (this.#signal.aborted || this.#count !== seen) return
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
    this.#count++
    for (const done of [...this.#waiting]) done()
  }
}
