/** Keeps worker processes running: restarts those that end, kills those that pass their deadline. */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChunkReport } from './worker-process.ts'

export interface SupervisorOptions {
  /** How many processes are kept running. */
  processes: number
  /** Seconds that a process may be at one chunk, or at splitting messages, before it is killed. */
  deadline: number
  /** Starts a worker process with an IPC channel; the slots count from 1. */
  start: (slot: number) => ChildProcess
  /** What a person should know. */
  note: (line: string) => void
}

const firstRestartMilliseconds = 500
const longestRestartMilliseconds = 30_000
/** A process that ran for this long has earned a fresh start of its backoff. */
const steadyMilliseconds = 60_000
const lookMilliseconds = 250

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #stopping = new AbortController()
  readonly #slots: Promise<void>[]
  readonly #children = new Set<ChildProcess>()

  /** Starts the processes. */
  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#slots = Array.from({ length: options.processes }, (_, index) => this.#keepRunning(index + 1))
  }

  /** Lets every process finish the chunk in hand, and returns when all have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const child of this.#children) child.kill('SIGTERM')
    await Promise.all(this.#slots)
  }

  async #keepRunning(slot: number): Promise<void> {
    const { signal } = this.#stopping
    let failures = 0
    while (!signal.aborted) {
      const startedAt = performance.now()
      const end = await this.#runOnce(slot)
      if (signal.aborted) return
      failures = performance.now() - startedAt > steadyMilliseconds ? 1 : failures + 1
      const delay = Math.min(firstRestartMilliseconds * 2 ** (failures - 1), longestRestartMilliseconds)
      this.#options.note(`worker ${slot} ended (${end}); it is started again in ${delay / 1000} s`)
      await sleep(delay, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Runs one process to its end, which it describes. */
  async #runOnce(slot: number): Promise<string> {
    const child = this.#options.start(slot)
    this.#children.add(child)
    let inHand: { what: string; began: number } | null = null
    child.on('message', ({ chunk }: ChunkReport) => {
      if (chunk === null) inHand = null
      else {
        const what = chunk.chunkId === null ? 'splitting a message' : `at chunk ${chunk.chunkId}`
        inHand = { what, began: performance.now() - chunk.milliseconds }
      }
    })
    const watch = setInterval(() => {
      if (inHand === null || performance.now() - inHand.began < this.#options.deadline * 1000) return
      this.#options.note(`worker ${slot} is ${inHand.what} for more than ${this.#options.deadline} s (worker.deadline) and is killed`)
      inHand = null
      child.kill('SIGKILL')
    }, lookMilliseconds)
    try {
      return await new Promise((resolve) => {
        child.once('error', (error) => resolve(error.message))
        child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
      })
    } finally {
      clearInterval(watch)
      this.#children.delete(child)
    }
  }
}
