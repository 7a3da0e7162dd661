/**
 * `sluice/testing`: a whole inbox in memory, for tests of mappings. Real PostgreSQL (PGlite), no network, no worker: the
 * test says when work is done, so nothing has to be waited for.
 */
import { type Config, defineConfig, type SluiceOptions } from '../config.ts'
import { SluiceError } from '../errors.ts'
import { type Receipt, receive } from '../flow/index.ts'
import { createServices, type Services } from '../services.ts'
import type { Db } from '../store/db.ts'
import { type InstanceOutcome, readOutcomes } from '../store/instance.ts'
import { migrate } from '../store/migrate.ts'
import { createPglite } from '../store/pglite.ts'
import { listPaused } from '../store/reads/integrations.ts'
import { resumeIntegration } from '../store/resume.ts'
import { drain } from './drain.ts'

export interface TestSluiceOptions {
  /** SQL that makes the tables which the targets write to. */
  sql?: string
}

export interface TestSluice extends AsyncDisposable {
  /** The database in memory: look at your tables with `db.query`. */
  readonly db: Db
  readonly services: Services
  /**
   * Takes a message in, as HTTP would: an object, or an array of them. A text is sent as it is.
   *
   * The receipt tells whether it is correct (`status` 1, or -1 with `problem`). Nothing is applied until {@link drain}.
   *
   * @throws SluiceError `unknown_integration` and the limits' errors
   */
  send(integration: string, value: unknown, options?: { draft?: boolean }): Promise<Receipt>
  /**
   * Does everything that is due: split, process, fill links, process what waited for references, roll up, runs of tasks.
   *
   * @throws SluiceError `target_mismatch` when an integration's table doesn't fit (outside of tests it would be paused); the
   *   next call tries again
   */
  drain(): Promise<void>
  /** What became of each object of a message, by ordinal: its outcome with the changes, or its error. Empty for a refused message. */
  outcomes(messageId: string): Promise<InstanceOutcome[]>
  close(): Promise<void>
}

/** Who sends the messages of a test. */
const source = 'test'

/**
 * Makes an inbox for a test: migrated, empty, in memory. Close it when the test ends, or declare it with `await using`.
 *
 * @param config what `defineConfig` gave, or what it takes; its `database` is not used
 * @throws SluiceError `invalid_config`
 *
 * @example
 * await using sluice = await createTestSluice(config, { sql: readFileSync('tables.sql', 'utf8') })
 * const { id } = await sluice.send('position', { ms_id: 1, title: 'Nurse' })
 * await sluice.drain()
 * expect(await sluice.outcomes(id)).toMatchObject([{ externalId: '1', outcome: 'created' }])
 */
export async function createTestSluice(config: Config | SluiceOptions, options: TestSluiceOptions = {}): Promise<TestSluice> {
  const checked: Config = {
    ...('integrations' in config && config.integrations instanceof Map ? (config as Config) : defineConfig(config as SluiceOptions, {})),
    logLevel: 'silent',
  }
  const db = await createPglite()
  const services = createServices(checked, db)
  try {
    await migrate(db)
    if (options.sql !== undefined) await db.exec(options.sql)
  } catch (error) {
    await db.close()
    throw error
  }
  const close = (): Promise<void> => db.close()
  return {
    db,
    services,
    send: (integration, value, { draft = false } = {}) =>
      receive(services, { integration, source, body: bodyOf(value), format: 'json', isDraft: draft }),
    drain: () => drainOrTell(services),
    outcomes: (messageId) => readOutcomes(db, messageId),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function drainOrTell(services: Services): Promise<void> {
  await drain(services)
  const paused = await listPaused(services.db)
  for (const { integration } of paused) {
    await resumeIntegration(services.db, integration, source)
    services.forgetTarget(integration)
  }
  const [first] = paused
  if (first === undefined) return
  const { message } = JSON.parse(first.reason) as { message?: unknown }
  throw new SluiceError('target_mismatch', `The target of the integration "${first.integration}" doesn't fit: ${message}`)
}

async function* bodyOf(value: unknown): AsyncGenerator<Uint8Array> {
  yield Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}
