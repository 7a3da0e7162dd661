/** An inbox on a test database, driven by hand: what a test sends stays until it says `drain`. */
import type { Integration } from '../../src/config.ts'
import { defineConfig, type SluiceOptions } from '../../src/config.ts'
import { processChunks, type Receipt, receive } from '../../src/flow/index.ts'
import { createServices, type Services } from '../../src/services.ts'
import type { ClaimedChunk } from '../../src/store/chunk.ts'
import { claimChunks } from '../../src/store/chunk.ts'
import type { Db, Parameter } from '../../src/store/db.ts'
import { type InstanceOutcome, readOutcomes } from '../../src/store/instance.ts'
import { drain } from '../../src/testing/drain.ts'

export interface Inbox {
  readonly services: Services
  readonly db: Db
  /** Sends a value, or a text as it is. */
  send(
    integration: string,
    value: unknown,
    options?: { format?: 'json' | 'ndjson'; draft?: boolean; idempotencyKey?: string },
  ): Promise<Receipt>
  /** Sends a value and does everything that is due. Gives what became of its objects. */
  process(integration: string, value: unknown): Promise<InstanceOutcome[]>
  drain(): Promise<void>
  /** Processes what is due, without the sweep that `drain` ends with. */
  work(): Promise<void>
  outcomes(id: string): Promise<InstanceOutcome[]>
  /** Status of a message. */
  status(id: string): Promise<number>
  claim(worker?: string): Promise<ClaimedChunk[]>
  rows<Row = Record<string, unknown>>(sql: string, parameters?: Parameter[]): Promise<Row[]>
}

/** Makes an inbox. */
export function createInbox(db: Db, integrations: Integration[], options: Partial<SluiceOptions> = {}): Inbox {
  // However slow the machine is, the receipt is that of a message that was looked at.
  const config = defineConfig({ validateWithin: 300, ...options, integrations, logLevel: 'silent' }, {})
  const services = createServices(config, db)
  const inbox: Inbox = {
    services,
    db,
    send: (integration, value, { format = 'json', draft = false, idempotencyKey } = {}) =>
      receive(services, { integration, source: 'test', body: bytesOf(value), format, isDraft: draft, idempotencyKey }),
    async process(integration, value) {
      const { id, problem } = await inbox.send(integration, value)
      if (problem !== null) throw new Error(`the message was refused: ${JSON.stringify(problem)}`)
      await inbox.drain()
      return inbox.outcomes(id)
    },
    drain: () => drain(services),
    async work() {
      for (let chunks = await inbox.claim(); chunks.length > 0; chunks = await inbox.claim()) {
        await processChunks(services, chunks, new AbortController().signal)
      }
    },
    outcomes: (id) => readOutcomes(db, id),
    async status(id) {
      const [row] = await inbox.rows<{ status: number }>('SELECT status FROM sluice.message WHERE id = $1', [id])
      return row?.status ?? Number.NaN
    },
    claim: (worker = 'test') =>
      claimChunks(db, { integrations: [...config.integrations.keys()], worker, leaseSeconds: 60, size: config.chunkSize }),
    rows: async <Row>(sql: string, parameters: Parameter[] = []) => (await db.query<Row>(sql, parameters)).rows,
  }
  return inbox
}

async function* bytesOf(value: unknown): AsyncGenerator<Uint8Array> {
  yield value instanceof Uint8Array ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}
