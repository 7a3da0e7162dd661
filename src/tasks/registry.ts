/** The tasks: what each does, and what the clock asks of it. */
import type { Config } from '../config.ts'
import type { RunParameters, TaskName } from '../model/task.ts'
import { runProcess } from './process.ts'
import { runPrune } from './prune.ts'
import { runReprocess } from './reprocess.ts'
import { runRollup } from './rollup.ts'
import { runSplit } from './split.ts'
import type { Task } from './task.ts'

/** Clock and click share these. */
export const tasks: Readonly<Record<TaskName, Task>> = {
  split: runSplit,
  process: runProcess,
  reprocess: runReprocess,
  rollup: runRollup,
  prune: runPrune,
}

/** The parameters of the clock's runs. */
export function clockParameters(config: Config, task: TaskName): RunParameters {
  return task === 'reprocess' ? { sinceDays: config.tasks.reprocess.sinceDays } : {}
}
