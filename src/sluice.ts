/** `createSluice(config)`: the composition root. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Config } from './config.ts'
import { type Receipt, type ReceiveInput, receive } from './flow/index.ts'
import { createApp } from './http/app.ts'
import { createServices, type Services } from './services.ts'
import type { Db } from './store/db.ts'
import { lazyDb } from './store/lazy.ts'
import { migrate } from './store/migrate.ts'
import { createPglite } from './store/pglite.ts'
import { createPostgres, type PostgresOptions } from './store/postgres.ts'
import type { Logger } from './targets/target.ts'
import { startWorker, type Worker, type WorkerOptions } from './worker/worker.ts'

export interface CreateSluiceOptions {
  /** The database. Default: what the config says (`database.url`, else PGlite in `database.folder`). */
  db?: Db | PgPool
  /** Default: pino, JSON lines on stderr, at the config's `logLevel`. */
  log?: Logger
}

/** The part of `pg.Pool` that Sluice uses; hand in your application's own. */
export type PgPool = Extract<PostgresOptions, { pool: unknown }>['pool']

/** An integration inbox, ready to be mounted and to work. */
export interface Sluice {
  /** A standard fetch handler. Mounts under any base path; every URL it emits is relative. */
  fetch(request: Request): Promise<Response>
  /** Starts a worker in this process: no containment of objects that crash or hang it (see `sluice work` for that). */
  work(options?: Partial<WorkerOptions>): Worker
  /** Brings the database's schema `sluice` up to date. Returns the names of the migrations applied. */
  migrate(): Promise<string[]>
  /** Takes a message in without HTTP. */
  receive(input: ReceiveInput): Promise<Receipt>
  /** Ends the event streams of browsers that look at the admin UI: call it before a server's own `close`, which waits for them. */
  endStreams(): void
  /** Stops the workers started here and closes the database, unless it was handed in. */
  close(): Promise<void>
  readonly services: Services
}

/**
 * Creates an inbox from a config. The database is opened when it is first used; with the embedded one that throws
 * SluiceError `database_locked` when another process has its folder.
 *
 * @throws SluiceError `invalid_config` for a schema that doesn't compile
 */
export function createSluice(config: Config, options: CreateSluiceOptions = {}): Sluice {
  const db = openDatabase(config, options.db)
  const services = createServices(config, db, options.log)
  const app = createApp(services)
  const workers = new Set<Worker>()
  return {
    services,
    fetch: (request) => app.fetch(request),
    work(workerOptions = {}) {
      const worker = startWorker(services, {
        ...workerOptions,
        name: workerOptions.name ?? `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
      })
      workers.add(worker)
      return worker
    },
    migrate: () => migrate(db),
    receive: (input) => receive(services, input),
    endStreams: () => app.endStreams(),
    async close() {
      app.endStreams()
      await Promise.all([...workers].map((worker) => worker.stop()))
      if (options.db === undefined || !isDb(options.db)) await db.close()
    },
  }
}

function openDatabase(config: Config, given: Db | PgPool | undefined): Db {
  const { url, folder, connections, preparedStatements } = config.database
  if (given !== undefined) return isDb(given) ? given : createPostgres({ pool: given, preparedStatements })
  return url === undefined ? lazyDb('pglite', () => createPglite({ folder })) : createPostgres({ url, connections, preparedStatements })
}

function isDb(value: Db | PgPool): value is Db {
  return 'kind' in value && 'transaction' in value
}
