#!/usr/bin/env node
/** The program `sluice`. Each command stands in a file of its own. */
import { Command, CommanderError } from 'commander'
import { packageVersion } from '../services.ts'
import { withGlobalOptions } from './command.ts'
import { devCommand } from './dev.ts'
import { doctorCommand } from './doctor.ts'
import { ExitCode } from './exit.ts'
import { initCommand } from './init.ts'
import { migrateCommand } from './migrate.ts'
import { pruneCommand } from './prune.ts'
import { runCommand } from './run-task.ts'
import { sendCommand } from './send.ts'
import { serveCommand } from './serve.ts'
import { statusCommand } from './status.ts'
import { tokenCommand } from './token.ts'
import { workCommand } from './work.ts'

const program = withGlobalOptions(new Command('sluice'))
  .description('An integration inbox: takes messages in, splits them into objects, applies each one exactly once.')
  .version(packageVersion())
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError('See "sluice --help", or --help after a command.')

const commands = [
  devCommand(),
  serveCommand(),
  workCommand(),
  migrateCommand(),
  sendCommand(),
  statusCommand(),
  runCommand(),
  pruneCommand(),
  tokenCommand(),
  initCommand(),
  doctorCommand(),
]
for (const command of commands) program.addCommand(command)
inheritSettings(program)

// A reader such as "head" may have seen enough: nobody is left to tell the rest.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? ExitCode.done : ExitCode.usage
  // Text for people is on stderr already; options that are wrong can't be asked for --json.
  if (error.exitCode !== 0 && process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: { code: 'usage', message: error.message.replace(/^error: /, ''), details: {} } })}\n`)
}

// All that is Sluice's is closed by now. What a config's own code has opened, such as a CMS, would keep the process for ever.
process.stdout.write('', () => process.exit())

/** Commands that are added ready-made don't take these over by themselves. */
function inheritSettings(parent: Command): void {
  parent.exitOverride()
  for (const command of parent.commands) inheritSettings(command.copyInheritedSettings(parent))
}
