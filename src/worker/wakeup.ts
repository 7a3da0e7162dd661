/** Wakes a worker when a notification says that there is work. Only a hint: polling alone must do. */
import type { FlowContext } from '../flow/index.ts'

/** Something to wait for that comes again and again. */
export class Bell {
  readonly #waiting = new Set<() => void>()
  #count = 0
  #isOff = false

  /** How often it has rung so far. Take it before looking for work. */
  get count(): number {
    return this.#count
  }

  /** Waits until it rings or `milliseconds` are over; not at all if it rang after `seen`, or is switched off. */
  async wait(milliseconds: number, seen: number): Promise<void> {
    if (this.#isOff || this.#count !== seen) return
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

  ring(): void {
    this.#count++
    for (const done of [...this.#waiting]) done()
  }

  /** Rings a last time; from now on nobody waits. */
  switchOff(): void {
    this.#isOff = true
    this.ring()
  }
}

/** The notifications of a worker's database, by what they are about. */
export class Wakeup {
  /** Messages to split, chunks to process. */
  readonly work = new Bell()
  /** Runs of tasks. */
  readonly task = new Bell()
  readonly #listening: Promise<() => Promise<void>> | null

  constructor(context: FlowContext, signal: AbortSignal) {
    this.#listening = context.config.worker.notify ? context.db.listen('sluice', (payload) => this.#wake(payload)) : null
    this.#listening?.catch((error: unknown) => context.log.warn({ error }, 'no notifications; the worker polls'))
    const stop = (): void => {
      this.work.switchOff()
      this.task.switchOff()
    }
    signal.addEventListener('abort', stop, { once: true })
  }

  async close(): Promise<void> {
    const unlisten = await this.#listening?.catch(() => undefined)
    await unlisten?.()
  }

  /** After a lost connection the payload is empty: anything may have come meanwhile. */
  #wake(payload: string): void {
    if (payload !== 'task') this.work.ring()
    if (payload === 'task' || payload === '') this.task.ring()
  }
}
