/** `sluice work`: worker processes under a supervisor. */
import { fork } from 'node:child_process'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Sluice } from '../sluice.ts'
import { type GlobalOptions, run } from './command.ts'
import { findConfig } from './config-file.ts'
import { ExitCode } from './exit.ts'
import { withSluice } from './open.ts'
import type { Output } from './output.ts'
import { requireMigrated } from './ready.ts'
import { stopSignal } from './stopping.ts'
import { Supervisor } from './supervisor.ts'
import { workUnderSupervision } from './worker-process.ts'
import { boundedOptions } from './young-generation.ts'

interface WorkOptions extends GlobalOptions {
  processes?: number
  child?: number
}

export function workCommand(): Command {
  const command = new Command('work')
    .description('run worker processes: split messages, process their objects, run the tasks')
    .option('--processes <count>', 'how many (default: worker.processes of the config)', processCount)
    .addOption(new Option('--child <slot>').argParser(processCount).hideHelp())
  return command.action(() =>
    run(command, (output) => {
      const options = command.optsWithGlobals<WorkOptions>()
      return withSluice(options, async (sluice) => {
        if (options.child !== undefined) await workUnderSupervision(sluice, options.child)
        else await work(sluice, options, output)
        return ExitCode.done
      })
    }),
  )
}

async function work(sluice: Sluice, options: WorkOptions, output: Output): Promise<void> {
  const stop = stopSignal()
  await requireMigrated(sluice)
  const { config, db } = sluice.services
  if (db.kind === 'pglite') {
    output.note('the embedded database has one process: the worker runs in this one, without containment')
    sluice.work()
    output.result({ processes: 0, inProcess: true }, () => ['working; Ctrl-C stops'])
    await stop
    output.note('stopping: the chunk in hand is finished first')
    return
  }
  const processes = options.processes ?? config.worker.processes
  const supervisor = new Supervisor({
    processes,
    deadline: config.worker.deadline,
    note: (line) => output.note(line),
    start: (slot) => startChild(options, slot),
  })
  output.result({ processes, inProcess: false }, () => [`working with ${processes} processes; Ctrl-C stops`])
  await stop
  output.note('stopping: the chunks in hand are finished first')
  await supervisor.stop()
}

/** The same program once more, as a worker process with an IPC channel. */
function startChild(options: WorkOptions, slot: number): ReturnType<typeof fork> {
  const [, program = ''] = process.argv
  return fork(program, ['work', '--child', String(slot), '--config', findConfig(options.config)], { execArgv: boundedOptions() })
}

function processCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 64) throw new InvalidArgumentError('It must be 1 to 64.')
  return count
}
