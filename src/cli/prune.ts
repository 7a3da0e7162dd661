/** `sluice prune`: removes what the option `retention` lets go, as a run of the task; `--dry-run` only tells what would go. */
import { Command } from 'commander'
import type { RunPreview } from '../http/contract/task.ts'
import { clientOf, run, type ServerOptions, withServerOptions } from './command.ts'
import { ExitCode } from './exit.ts'
import { table } from './output.ts'
import { positiveNumber, runLine } from './run-task.ts'
import { waitForRun } from './wait.ts'

interface PruneOptions extends ServerOptions {
  dryRun?: boolean
  timeout: number
}

const defaultTimeoutSeconds = 3600

export function pruneCommand(): Command {
  const command = new Command('prune')
    .description('remove what the option "retention" lets go')
    .option('--dry-run', 'only tell what would go')
    .option('--timeout <seconds>', 'longest wait', positiveNumber, defaultTimeoutSeconds)
  return withServerOptions(command).action(() =>
    run(command, async (output) => {
      const options = command.optsWithGlobals<PruneOptions>()
      const client = clientOf(options)
      if (options.dryRun === true) {
        const { body } = await client.request('POST', 'api/tasks/prune/preview', { json: {} })
        const { rules = [] } = body as RunPreview
        output.result({ rules }, () => rulesTable(rules))
        return ExitCode.done
      }
      const { body } = await client.request('POST', 'api/tasks/prune/runs', { json: {} })
      const ended = await waitForRun(client, (body as { id: string }).id, options.timeout)
      output.result(ended, () => [runLine(ended)])
      return ended.state === 'failed' ? ExitCode.failed : ExitCode.done
    }),
  )
}

type Rules = NonNullable<RunPreview['rules']>

const names: Record<Rules[number]['what'], string> = {
  body: 'bodies',
  history: 'histories',
  instances: 'instances',
  message: 'whole messages',
  runs: 'runs of tasks',
  audit: 'entries of the audit log',
}

function rulesTable(rules: Rules): string[] {
  if (rules.length === 0) return ['nothing: the option "retention" keeps everything']
  return table(
    ['what', 'of status', 'after days', 'count', 'instances', 'bytes'],
    rules.map(({ what, status, days, count, instances, bytes }) => [
      names[what],
      status === undefined ? '' : String(status),
      String(days),
      String(count),
      instances === 0 ? '' : String(instances),
      bytes === 0 ? '' : String(bytes),
    ]),
  )
}
