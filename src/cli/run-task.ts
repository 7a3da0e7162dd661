/** `sluice run <task>`: runs a task by hand, for chosen ids or a filter. */
import { Argument, Command, InvalidArgumentError } from 'commander'
import { SluiceError } from '../errors.ts'
import type { RunRequest, TaskRun } from '../http/contract/task.ts'
import { clientOf, collect, instanceId, messageId, run, type ServerOptions, withServerOptions } from './command.ts'
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
const tasks = ['split', 'process', 'reprocess', 'rollup', 'prune'] as const satisfies readonly TaskRun['task'][]

export function runCommand(): Command {
  const command = new Command('run')
    .description('run a task now, for what the options choose')
    .addArgument(new Argument('<task>', 'which task').choices(tasks))
    .option('--message <id>', 'this message; may be given several times', (id, before?: string[]) => collect(messageId(id), before))
    .option('--instance <id>', 'this instance, as <message>.<ordinal>; may be given several times', (id, before?: string[]) =>
      collect(instanceId(id), before),
    )
    .option('--integration <name>', 'only this integration')
    .option('--error-code <code>', 'only instances that failed with this code')
    .option('--since-days <days>', 'only messages of the last so many days', positiveNumber)
    .option('--draft', 'only drafts')
    .option('--no-draft', 'no drafts')
    .option('--as-draft', 'apply as drafts, whatever the messages say')
    .option('--replay', 'reprocess: processed instances too, not only failed ones')
    .option('-w, --wait', 'wait until the run has ended and print what it did')
    .option('--timeout <seconds>', 'longest wait', positiveNumber, defaultTimeoutSeconds)
  const draftOptions = new Set<string>()
  for (const name of ['draft', 'no-draft']) command.on(`option:${name}`, () => draftOptions.add(name))
  return withServerOptions(command).action((task: TaskRun['task']) =>
    run(command, async (output) => {
      const options = command.optsWithGlobals<RunOptions>()
      if (draftOptions.size > 1) throw invalid('--draft and --no-draft exclude each other: leave out both to take all.')
      checkMode(task, options)
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

/** `run 7 of "reprocess" finished: instances 12`. */
export function runLine({ id, task, state, result, error }: TaskRun): string {
  return `run ${id} of "${task}" ${state}: ${printable(state === 'failed' ? reasonOf(error) : countsOf(result))}`
}

function reasonOf(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return typeof message === 'string' ? `${code}: ${message}` : JSON.stringify(error)
}

function countsOf(result: unknown): string {
  const counts = Object.entries((result ?? {}) as Record<string, unknown>)
  if (counts.length === 0) return 'there was nothing to do'
  return counts.map(([name, value]) => `${name} ${typeof value === 'number' ? value : JSON.stringify(value)}`).join(', ')
}

/** Only `reprocess` has a mode, and a replay says what for. Throws SluiceError `invalid_run`. */
function checkMode(task: TaskRun['task'], { replay, asDraft, message, instance, integration, errorCode, sinceDays }: RunOptions): void {
  if (task !== 'reprocess' && (replay === true || asDraft === true))
    throw invalid(`--${replay === true ? 'replay' : 'as-draft'} is for reprocess: "${task}" takes what waits as it is.`)
  if (replay === true && [message, instance, integration, errorCode, sinceDays].every((given) => given === undefined)) {
    throw invalid(
      '--replay needs --message, --instance, --integration, --error-code or --since-days: it would process everything again that ever came.',
    )
  }
}

function invalid(message: string): SluiceError {
  return new SluiceError('invalid_run', message)
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

/** A number above 0, as the value of an option. */
export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}
