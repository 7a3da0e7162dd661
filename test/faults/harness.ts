/** A shop on a PostgreSQL server of its own, with a victim for faults and a rescuer that brings everything to rest. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { receive } from '../../src/flow/index.ts'
import { createServices, type Services } from '../../src/services.ts'
import type { Db } from '../../src/store/db.ts'
import { migrate } from '../../src/store/migrate.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { startWorker } from '../../src/worker/worker.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { type Acknowledged, checkInvariants, sha256Of, untilAtRest } from './invariants.ts'
import { createShop, type Item, shopConfig } from './shop.ts'
import type { News, Order } from './victim.ts'

export type Fault = 'SIGKILL' | 'pg_terminate_backend' | 'pg_ctl stop -m immediate'
export const faults: readonly Fault[] = ['SIGKILL', 'pg_terminate_backend', 'pg_ctl stop -m immediate']

/** A process that faults happen to. */
export class Victim {
  readonly process: ChildProcess
  readonly #news: News[] = []
  #wake: () => void = () => undefined

  private constructor(url: string) {
    this.process = fork(new URL('victim.ts', import.meta.url), [url])
    const wake = (): void => this.#wake()
    this.process.on('message', (news: News) => {
      this.#news.push(news)
      wake()
    })
    this.process.on('exit', wake)
  }

  static async start(url: string): Promise<Victim> {
    const victim = new Victim(url)
    await victim.hears('ready')
    return victim
  }

  tell(order: Order): void {
    this.process.send(order)
  }

  get isAlive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null
  }

  /** The next news with one of these words; what came before it is forgotten. */
  async hears(...words: string[]): Promise<News> {
    for (;;) {
      const news = this.#news.shift()
      if (news !== undefined && words.some((word) => word in news)) return news
      if (news !== undefined) continue
      if (!this.isAlive) throw new Error(`the victim ended (${this.process.signalCode ?? this.process.exitCode}) and never said ${words}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async kill(): Promise<void> {
    if (!this.isAlive) return
    const ended = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await ended
  }
}

export class Harness {
  readonly server: PostgresServer
  readonly db: Db
  readonly services: Services
  readonly acknowledged: Acknowledged[] = []
  #victim: Victim | null = null
  #sent = 0

  private constructor(server: PostgresServer, db: Db) {
    this.server = server
    this.db = db
    this.services = createServices(shopConfig(), db)
  }

  static async start(): Promise<Harness> {
    const server = await startPostgres({ settings: { fsync: 'off', max_connections: '100' } })
    const db = createPostgres({ url: `${server.url}?application_name=${rescuing}` })
    await migrate(db)
    await createShop(db)
    return new Harness(server, db)
  }

  async victim(): Promise<Victim> {
    if (this.#victim === null || !this.#victim.isAlive) this.#victim = await Victim.start(this.server.url)
    return this.#victim
  }

  /** A key that no message had before. */
  nextKey(): string {
    return `message ${++this.#sent}`
  }

  /** Takes a message in, in this process. */
  async send(integration: string, objects: readonly (Item | object)[], idempotencyKey = this.nextKey()): Promise<string> {
    const text = JSON.stringify(objects)
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text)
    }
    const input = { integration, source: 'test', body: body(), format: 'json' as const, idempotencyKey, isDraft: false }
    const { id } = await receive(this.services, input)
    this.acknowledge(id, text)
    return id
  }

  acknowledge(id: string, text: string): void {
    this.acknowledged.push({ id, sha256: sha256Of(text) })
  }

  /** Makes the fault happen; a victim that is still alive goes on. */
  async inject(fault: Fault, victim: Victim): Promise<void> {
    if (fault === 'SIGKILL') return victim.kill()
    if (fault === 'pg_terminate_backend') await terminateAll(this.server.url)
    else {
      await this.server.stop('immediate')
      await this.server.start()
    }
    victim.tell({ goOn: true })
  }

  /** What was claimed or put off is due now, so that a test needn't wait for leases and delays. */
  async hurry(): Promise<void> {
    await this.db.query("UPDATE sluice.chunk SET lease_until = now() - interval '1 second' WHERE state = 'claimed'")
    await this.db.query("UPDATE sluice.chunk SET due_at = now() WHERE state = 'ready'")
    await this.db.query("UPDATE sluice.message SET received_at = received_at - interval '1 hour' WHERE status = 0")
    await this.db.query("UPDATE sluice.task_run SET lease_until = now() WHERE state = 'running'")
  }

  /** Brings everything to rest with a worker in this process. */
  async rest(seconds = 60): Promise<void> {
    const rescuer = startWorker(this.services, { name: 'rescuer' })
    try {
      await untilAtRest(this.db, seconds)
    } finally {
      await rescuer.stop()
    }
  }

  check(): Promise<{ messages: number; instances: number }> {
    return checkInvariants(this.db, this.acknowledged)
  }

  async close(): Promise<void> {
    await this.#victim?.kill()
    await this.db.close()
    await this.server.remove()
  }
}

/** The sessions of the test itself, which no fault may hit: a statement of the test that fails proves nothing. */
const rescuing = 'rescuer'

/** Ends every session of the server's database but the test's own. */
async function terminateAll(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND application_name <> $1`,
    [rescuing],
  )
  await client.end()
}
