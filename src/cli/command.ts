/** What every command shares: its options, its output, and how it ends. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { cliEnvironment } from '../config.ts'
import { Client } from './client.ts'
import { type ExitCode, exitCodeOf } from './exit.ts'
import { Output } from './output.ts'

/** Options that stand before or after any command. */
export interface GlobalOptions {
  json?: boolean
  verbose?: boolean
  config?: string
}

/** Options of commands that talk to a server. */
export interface ServerOptions extends GlobalOptions {
  url?: string
}

/** Adds the options that every command has. */
export function withGlobalOptions(program: Command): Command {
  return program
    .option('--json', 'print results as JSON on stdout, everything else on stderr')
    .option('--verbose', 'print stack traces of errors')
    .option('-c, --config <file>', 'config file (default: sluice.config.ts, .mts, .js or .mjs in this folder)')
}

/** Adds `--url`. */
export function withServerOptions(command: Command): Command {
  return command.addOption(
    new Option('--url <url>', 'server to talk to (default: SLUICE_URL, else http://127.0.0.1 and the port PORT, or 7300)'),
  )
}

/** A client for the server that a command names, with the token of the environment. */
export function clientOf(options: ServerOptions): Client {
  const environment = cliEnvironment()
  return new Client(options.url ?? environment.url, environment.token)
}

/** Wraps a command's work: its errors become one line and an exit code, its return value the exit code otherwise. */
export async function run(command: Command, work: (output: Output) => Promise<ExitCode>): Promise<void> {
  const { json, verbose } = command.optsWithGlobals<GlobalOptions>()
  const output = new Output({ json: json === true, verbose: verbose === true })
  try {
    process.exitCode = await work(output)
  } catch (error) {
    output.failure(error)
    process.exitCode = exitCodeOf(error)
  }
}

/** For options that may be given several times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

/** The id of a message, as an argument. */
export function messageId(text: string): string {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('The id of a message is a number, such as 12.')
  return text
}

/** The id of an instance, as an argument. */
export function instanceId(text: string): string {
  if (!/^\d{1,19}\.\d{1,10}$/.test(text)) throw new InvalidArgumentError('The id of an instance is <message>.<ordinal>, such as 12.0.')
  return text
}
