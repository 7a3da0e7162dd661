/** `sluice serve`: the HTTP side alone; workers run elsewhere. */
import { Command } from 'commander'
import { type GlobalOptions, run } from './command.ts'
import { portNumber } from './dev.ts'
import { ExitCode } from './exit.ts'
import { withSluice } from './open.ts'
import { requireMigrated } from './ready.ts'
import { listen } from './server.ts'
import { stopSignal } from './stopping.ts'
import { boundThisProcess } from './young-generation.ts'

interface ServeOptions extends GlobalOptions {
  port?: number
}

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('serve the HTTP API; run "sluice work" beside it')
    .option('--port <port>', 'port to listen on; 0: any free one (default: server.port of the config, PORT, else 7300)', portNumber)
  return command.action(() => {
    boundThisProcess()
    return run(command, (output) => {
      const options = command.optsWithGlobals<ServeOptions>()
      return withSluice(options, async (sluice) => {
        const stop = stopSignal()
        await requireMigrated(sluice)
        const { config, db } = sluice.services
        const server = await listen(sluice, config.server.host, options.port ?? config.server.port)
        if (db.kind === 'pglite')
          output.note('the embedded database has one process: no worker can run beside this. "sluice dev" does both.')
        if (config.token === undefined) output.note('no SLUICE_TOKEN: only tokens of the database have access ("sluice token create")')
        output.result({ url: server.url }, () => [`serving at ${server.url}; Ctrl-C stops`])
        await stop
        output.note('stopping: requests in hand are finished first')
        await server.close()
        return ExitCode.done
      })
    })
  })
}
