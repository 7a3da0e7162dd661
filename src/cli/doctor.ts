/** `sluice doctor`: looks whether everything is in place; `--ddl` prints the tables that the targets lack. */
import { Command } from 'commander'
import type { Config } from '../config.ts'
import type { Sluice } from '../sluice.ts'
import { type Check, checkDatabase } from './checks.ts'
import { type GlobalOptions, run } from './command.ts'
import { loadConfig } from './config-file.ts'
import { missingStatements } from './ddl.ts'
import { ExitCode, exitCodeOf } from './exit.ts'
import { withAdvice } from './locked.ts'
import { openSluice, withSluice } from './open.ts'
import { explained, type Output, printable } from './output.ts'

interface DoctorOptions extends GlobalOptions {
  ddl?: boolean
}

/** The server has what doctor looks at, and answers for part of it. */
const advice =
  'If it is "sluice dev", stop it to have everything checked; it migrated when it started. While it runs, "sluice status" and GET /api/integrations tell what goes on and what is paused.'

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('check config, database, migrations, targets and workers')
    .option('--ddl', 'print the SQL that would create what the targets lack; nothing is changed')
  return command.action(() =>
    run(command, (output) => {
      const options = command.optsWithGlobals<DoctorOptions>()
      return options.ddl === true
        ? withAdvice(advice, () => withSluice(options, (sluice) => printDdl(sluice, output)))
        : examine(options, output)
    }),
  )
}

async function printDdl({ services }: Sluice, output: Output): Promise<ExitCode> {
  const statements = await missingStatements(services)
  output.result({ statements }, () => statements.map((statement) => (statement.trimEnd().endsWith(';') ? statement : `${statement};`)))
  if (statements.length === 0) output.note('the targets lack nothing')
  return ExitCode.done
}

/** Each step needs the one before: without a config there is no database to look at. */
async function examine(options: DoctorOptions, output: Output): Promise<ExitCode> {
  const checks: Check[] = []
  let exit: ExitCode = ExitCode.done
  try {
    const config = await loadConfig(options.config)
    checks.push({ name: 'config', state: 'ok', detail: `integrations: ${[...config.integrations.keys()].join(', ')}` })
    checks.push(...(await withAdvice(advice, () => look(config))))
    if (checks.some((check) => check.state === 'failed')) exit = ExitCode.failed
  } catch (error) {
    checks.push({ name: checks.length === 0 ? 'config' : 'database', state: 'failed', detail: explained(error) })
    exit = exitCodeOf(error)
  }
  output.result({ healthy: exit === ExitCode.done, checks }, () => checks.map(checkLine))
  return exit
}

async function look(config: Config): Promise<Check[]> {
  const sluice = await openSluice({ ...config, logLevel: 'silent' })
  try {
    return await checkDatabase(sluice)
  } finally {
    await sluice.close()
  }
}

function checkLine({ name, state, detail }: Check): string {
  return `${state.padEnd(7)}  ${name}: ${printable(detail)}`
}
