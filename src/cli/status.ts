/** `sluice status`: the last messages, or one with its outcomes and failures. */
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Message } from '../http/contract/message.ts'
import type { Client } from './client.ts'
import { clientOf, messageId, run, type ServerOptions, withServerOptions } from './command.ts'
import { ExitCode } from './exit.ts'
import { failureLines, messageDetails, messageTable, pausedLines } from './message-text.ts'
import { firstFailures, messageExitCode } from './wait.ts'

interface StatusOptions extends ServerOptions {
  integration?: string
  status?: string
  limit: number
}

const defaultLimit = 20
/** Most messages that are asked for at once: `limits.page` as it is by default. */
const pageSize = 1000

export function statusCommand(): Command {
  const command = new Command('status')
    .description('show the last messages, or what became of one')
    .argument('[message]', 'id of a message', messageId)
    .option('--integration <name>', 'only messages of this integration')
    .addOption(new Option('--status <number>', 'only messages with this status').choices(['0', '1', '-1', '2', '-2', '3', '-3']))
    .option('--limit <count>', 'how many messages', messageCount, defaultLimit)
  return withServerOptions(command).action((id: string | undefined) =>
    run(command, async (output) => {
      const options = command.optsWithGlobals<StatusOptions>()
      const client = clientOf(options)
      if (id === undefined) {
        const page = await lastMessages(client, options)
        output.result(page, () => [...messageTable(page.items), ...pausedLines(page.items)])
        return ExitCode.done
      }
      const message = await client.get<Message>(`api/messages/${id}`)
      const failures = await firstFailures(client, message)
      output.result({ ...message, failures }, () => [...messageDetails(message), ...failureLines(failures, message.counts.failed)])
      return messageExitCode(message)
    }),
  )
}

interface Page {
  items: Message[]
  next: string | null
}

/** As many of the newest messages as were asked for, page by page. */
async function lastMessages(client: Client, { limit, integration, status }: StatusOptions): Promise<Page> {
  const found: Page = { items: [], next: null }
  do {
    const query = new URLSearchParams({ limit: String(Math.min(limit - found.items.length, pageSize)) })
    if (integration !== undefined) query.set('integration', integration)
    if (status !== undefined) query.set('status', status)
    if (found.next !== null) query.set('cursor', found.next)
    const page = await client.get<Page>(`api/messages?${query}`)
    found.items.push(...page.items)
    found.next = page.next
  } while (found.next !== null && found.items.length < limit)
  return found
}

function messageCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number, 1 or more.')
  return count
}
