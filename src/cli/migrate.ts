/** `sluice migrate`: brings Sluice's own tables up to date. */
import { Command } from 'commander'
import { type GlobalOptions, run } from './command.ts'
import { ExitCode } from './exit.ts'
import { withAdvice } from './locked.ts'
import { withSluice } from './open.ts'

const advice = 'If it is "sluice dev": that migrates whenever it starts.'

export function migrateCommand(): Command {
  const command = new Command('migrate').description('create or update the tables of Sluice in the database')
  return command.action(() =>
    run(command, async (output) => {
      const options = command.optsWithGlobals<GlobalOptions>()
      const applied = await withAdvice(advice, () => withSluice(options, (sluice) => sluice.migrate()))
      output.result({ applied }, () => (applied.length === 0 ? ['the database is up to date'] : applied.map((name) => `applied ${name}`)))
      return ExitCode.done
    }),
  )
}
