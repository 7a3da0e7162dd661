/** `sluice dev`: database, server and worker in one process. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import type { Config } from '../config.ts'
import { messageOf, SluiceError } from '../errors.ts'
import type { Sluice } from '../sluice.ts'
import { type GlobalOptions, run } from './command.ts'
import { loadConfig } from './config-file.ts'
import { ExitCode } from './exit.ts'
import { openSluice } from './open.ts'
import { listen } from './server.ts'
import { stopSignal } from './stopping.ts'

/** Everything of Sluice, running in this process. */
export interface Running {
  readonly sluice: Sluice
  readonly url: string
  /** An admin's token that the server accepts. */
  readonly token: string
  /** Lets the worker finish the chunk in hand, closes the server and the database. */
  stop(): Promise<void>
}

interface DevOptions extends GlobalOptions {
  sql?: string
  port?: number
}

export function devCommand(): Command {
  const command = new Command('dev')
    .description('run database, server and worker in one process, for development')
    .option('--sql <file>', 'run this SQL file first, for the tables that targets write to')
    .option('--port <port>', 'port to listen on; 0: any free one (default: PORT, else 7300)', portNumber)
  return command.action(() =>
    run(command, async (output) => {
      const options = command.optsWithGlobals<DevOptions>()
      const stop = stopSignal()
      const config = await loadConfig(options.config)
      // The first time this takes some seconds.
      if (config.database.url === undefined) output.note(`opening the embedded database in ${config.database.folder}`)
      const running = await startDev(config, { sqlFile: options.sql, port: options.port })
      const { integrations } = running.sluice.services.config
      output.result({ url: running.url, token: running.token, integrations: [...integrations.keys()] }, () => readyLines(running))
      await stop
      output.note('stopping: the chunk in hand is finished first')
      await running.stop()
      return ExitCode.done
    }),
  )
}

/**
 * Starts everything in this process: migrates, runs the SQL file, serves, works.
 *
 * @throws SluiceError `file_unreadable`, `sql_failed`, `port_in_use`, `database_locked`
 */
export async function startDev(
  config: Config,
  options: { sqlFile?: string | undefined; port?: number | undefined } = {},
): Promise<Running> {
  const token = config.token ?? randomBytes(32).toString('base64url')
  const sluice = await openSluice({ ...config, token })
  try {
    await sluice.migrate()
    if (options.sqlFile !== undefined) await runSqlFile(sluice, options.sqlFile)
    const server = await listen(sluice, config.server.host, options.port ?? config.server.port)
    sluice.work()
    return {
      sluice,
      token,
      url: server.url,
      async stop() {
        await server.close()
        await sluice.close()
      },
    }
  } catch (error) {
    await sluice.close()
    throw error
  }
}

async function runSqlFile(sluice: Sluice, path: string): Promise<void> {
  const sql = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new SluiceError('file_unreadable', `${path} can't be read: ${messageOf(error)}.`, { cause: error })
  })
  await sluice.services.db.exec(sql).catch((error: unknown) => {
    throw new SluiceError('sql_failed', `${path} failed: ${messageOf(error)}. It runs at every start, so write CREATE … IF NOT EXISTS.`, {
      cause: error,
    })
  })
}

/** What to do next, for a person. */
export function readyLines({ url, token, sluice }: Running): string[] {
  const { config } = sluice.services
  const [first = 'name'] = config.integrations.keys()
  return [
    `Sluice is ready at ${url}`,
    `  admin UI   ${url}/ (sign in with the token)`,
    `  messages   ${url}/api/messages`,
    `  API        ${url}/api/docs, ${url}/api/openapi.json`,
    `  health     ${url}/readyz`,
    `  database   ${config.database.url === undefined ? `embedded, in ${config.database.folder}` : 'DATABASE_URL or database.url'}`,
    `  token      ${token}`,
    '',
    'In another terminal:',
    `  export SLUICE_URL=${url} SLUICE_TOKEN=${token}`,
    `  npx sluice send ${first} FILE --wait`,
    '',
    'Ctrl-C stops.',
  ]
}

export function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InvalidArgumentError('It must be 0 to 65535.')
  return port
}
