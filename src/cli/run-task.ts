/** `sluice run <task>`: runs a task by hand, for chosen ids or a filter. */
import { Argument, Command, InvalidArgumentError } from 'commander'
import type { RunRequest, TaskRun } from '../http/contract/task.ts'
import { clientOf, collect, run, type ServerOptions, withServerOptions } from './command.ts'
import { ExitCode } from './exit.ts'
import { printable } from './output.ts'
import { waitForRun } from './wait.ts'

interface RunOptions extends ServerOptions {
  message?: string[]
  instance?: string[]
  integration?: string
  errorCode?: string
  sinceDays?: number
  draft?: boolean
  asDraft?: boolean
  replay?: boolean
  wait?: boolean
  timeout: number
}

const defaultTimeoutSeconds = 600
const tasks = ['split', 'process', 'reprocess', 'rollup'] as const satisfies readonly TaskRun['task'][]

export function runCommand(): Command {
  const command = new Command('run')
    .description('run a task now, for what the options choose')
    .addArgument(new Argument('<task>', 'which task').choices(tasks))
    .option('--message <id>', 'this message; may be given several times', collect)
    .option('--instance <id>', 'this instance, as <message>.<ordinal>; may be given several times', collect)
    .option('--integration <name>', 'only this integration')
    .option('--error-code <code>', 'only instances that failed with this code')
    .option('--since-days <days>', 'only messages of the last so many days', positiveNumber)
    .option('--draft', 'only drafts')
    .option('--no-draft', 'no drafts')
    .option('--as-draft', 'apply as drafts, whatever the messages say')
    .option('--replay', 'reprocess: processed instances too, not only failed ones')
    .option('-w, --wait', 'wait until the run has ended and print what it did')
    .option('--timeout <seconds>', 'longest wait', positiveNumber, defaultTimeoutSeconds)
  return withServerOptions(command).action((task: string) =>
    run(command, async (output) => {
      const options = command.optsWithGlobals<RunOptions>()
      const client = clientOf(options)
      const { body } = await client.request('POST', `api/tasks/${task}/runs`, { json: requestOf(options) })
      const { id } = body as { id: string }
      if (options.wait !== true) {
        output.result({ id }, () => [`run ${id} of "${task}" waits for a worker`])
        return ExitCode.done
      }
      const ended = await waitForRun(client, id, options.timeout)
      output.result(ended, () => [runLine(ended)])
      return ended.state === 'failed' ? ExitCode.failed : ExitCode.done
    }),
  )
}

function runLine({ id, task, state, result, error }: TaskRun): string {
  return `run ${id} of "${task}" ${state}: ${printable(JSON.stringify(state === 'failed' ? error : result))}`
}

function requestOf(options: RunOptions): RunRequest {
  return {
    messages: options.message,
    instances: options.instance,
    integration: options.integration,
    errorCode: options.errorCode,
    sinceDays: options.sinceDays,
    draft: options.draft,
    asDraft: options.asDraft,
    replay: options.replay,
  }
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}
