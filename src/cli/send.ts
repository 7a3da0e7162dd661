/** `sluice send`: sends a file as a message, and waits for what becomes of it when asked to. */
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Message, Receipt } from '../http/contract/message.ts'
import type { Client } from './client.ts'
import { clientOf, run, type ServerOptions, withServerOptions } from './command.ts'
import { AnswerError, ExitCode } from './exit.ts'
import { dryRunCounts, dryRunLines, failureLines, messageLine, outcomeTable, pausedLine, problemLines } from './message-text.ts'
import { bytes, type Output } from './output.ts'
import { Progress } from './progress.ts'
import { dryRunMessage, sendMessage, type Upload } from './upload.ts'
import { firstFailures, messageExitCode, waitForMessage } from './wait.ts'

interface SendOptions extends ServerOptions {
  wait?: boolean
  timeout: number
  dryRun?: boolean
  ndjson?: boolean
  idempotencyKey?: string
  draft?: boolean
}

const defaultTimeoutSeconds = 600

export function sendCommand(): Command {
  const command = new Command('send')
    .description('send a JSON or NDJSON file as a message')
    .argument('<integration>', 'name of the integration')
    .argument('<file>', 'the file, or - for standard input; .gz is sent as it is, .ndjson and .jsonl as lines')
    .option('-w, --wait', 'wait until it is processed and print the outcome table')
    .option('--timeout <seconds>', 'longest wait', positiveSeconds, defaultTimeoutSeconds)
    .addOption(new Option('--dry-run', 'print what would become of it; nothing is kept').conflicts(['wait', 'idempotencyKey']))
    .option('--ndjson', 'the file has one object per line')
    .option('--idempotency-key <key>', 'the same key and file is the same message')
    .option('--draft', 'set the draft flag of the message')
  return withServerOptions(command).action((integration: string, file: string) =>
    run(command, async (output) => {
      const options = command.optsWithGlobals<SendOptions>()
      const client = clientOf(options)
      const progress = new Progress()
      const upload: Upload = { ...options, integration, file, onProgress: (sent, total) => progress.update('sending', sent, total, bytes) }
      try {
        return await (options.dryRun === true ? dryRun(client, upload, progress, output) : send(client, upload, progress, output, options))
      } catch (error) {
        progress.end()
        if (error instanceof AnswerError) for (const line of problemLines({ ...error.details })) output.note(line)
        throw error
      }
    }),
  )
}

async function send(client: Client, upload: Upload, progress: Progress, output: Output, options: SendOptions): Promise<ExitCode> {
  const receipt = await sendMessage(client, upload)
  if (options.wait !== true) {
    progress.end()
    output.result(receipt, () => receiptLines(receipt))
    return ExitCode.done
  }
  let pausedBefore: string | null = null
  const message = await waitForMessage(client, receipt.id, options.timeout, (state) => {
    showState(progress, state)
    const paused = pausedLine(state)
    if (paused !== null && paused !== pausedBefore) output.note(paused)
    pausedBefore = paused
  })
  progress.end()
  const failures = await firstFailures(client, message)
  output.result({ ...message, failures }, () => [
    messageLine(message),
    ...problemLines(message.problem),
    ...outcomeTable(message.counts),
    ...failureLines(failures, message.counts.failed),
  ])
  return messageExitCode(message)
}

async function dryRun(client: Client, upload: Upload, progress: Progress, output: Output): Promise<ExitCode> {
  const found = await dryRunMessage(client, upload)
  progress.end()
  const counts = dryRunCounts(found)
  output.result({ ...found, counts }, () => [...problemLines({ ...found }), ...dryRunLines(found)])
  return counts.failed > 0 ? ExitCode.withErrors : ExitCode.done
}

/** Shows how many objects of a message are processed. */
export function showState(progress: Progress, message: Message): void {
  const { processed, failed } = message.counts
  progress.update('processing', processed + failed, message.total)
}

function receiptLines(receipt: Receipt): string[] {
  const objects = receipt.total === null ? '' : `  ${receipt.total} objects`
  return [
    `message ${receipt.id}  ${receipt.integration}  ${receipt.status} ${receipt.statusLabel}${objects}`,
    ...problemLines({ ...receipt }),
    `see what becomes of it: sluice status ${receipt.id}`,
  ]
}

function positiveSeconds(text: string): number {
  const seconds = Number(text)
  if (!Number.isFinite(seconds) || seconds <= 0) throw new InvalidArgumentError('It must be a number of seconds above 0.')
  return seconds
}
