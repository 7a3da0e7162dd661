/** `sluice status`: the last messages, or one with its outcomes and failures. */
import { Command, Option } from 'commander'
import type { Message } from '../http/contract/message.ts'
import { clientOf, run, type ServerOptions, withServerOptions } from './command.ts'
import { ExitCode } from './exit.ts'
import { failureLines, messageDetails, messageTable } from './message-text.ts'
import { firstFailures, messageExitCode } from './wait.ts'

interface StatusOptions extends ServerOptions {
  integration?: string
  status?: string
  limit: string
}

export function statusCommand(): Command {
  const command = new Command('status')
    .description('show the last messages, or what became of one')
    .argument('[message]', 'id of a message')
    .option('--integration <name>', 'only messages of this integration')
    .addOption(new Option('--status <number>', 'only messages with this status').choices(['0', '1', '-1', '2', '-2', '3', '-3']))
    .option('--limit <count>', 'how many messages', '20')
  return withServerOptions(command).action((id: string | undefined) =>
    run(command, async (output) => {
      const options = command.optsWithGlobals<StatusOptions>()
      const client = clientOf(options)
      if (id === undefined) {
        const query = new URLSearchParams({ limit: options.limit })
        if (options.integration !== undefined) query.set('integration', options.integration)
        if (options.status !== undefined) query.set('status', options.status)
        const page = await client.get<{ items: Message[]; next: string | null }>(`api/messages?${query}`)
        output.result(page, () => messageTable(page.items))
        return ExitCode.done
      }
      const message = await client.get<Message>(`api/messages/${encodeURIComponent(id)}`)
      const failures = await firstFailures(client, message)
      output.result({ ...message, failures }, () => [...messageDetails(message), ...failureLines(failures, message.counts.failed)])
      return messageExitCode(message)
    }),
  )
}
