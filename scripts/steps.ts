/** Runs commands one after the other, or lists of them at the same time, and says how each went. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'

export interface Step {
  name: string
  command: string
  arguments: string[]
  env?: Record<string, string>
}

/**
 * Runs every step, also those after a failed one; sets the exit code to 1 when any failed. Gives back the names of the failed ones.
 *
 * @param beside steps that run, one after the other, while the others do; what they print comes when each ends
 */
export async function runSteps(steps: readonly Step[], beside: readonly Step[] = []): Promise<string[]> {
  const failed: string[] = []
  const runAll = async (list: readonly Step[], isHeld: boolean): Promise<void> => {
    for (const step of list) if (!(await run(step, isHeld))) failed.push(step.name)
  }
  await Promise.all([runAll(steps, false), runAll(beside, true)])
  if (failed.length > 0) {
    console.log(`\nFailed: ${failed.join(', ')}`)
    process.exitCode = 1
  }
  return failed
}

/** Whether it ended well. */
async function run(step: Step, isHeld: boolean): Promise<boolean> {
  if (!isHeld) console.log(`\n▸ ${step.name}`)
  const started = performance.now()
  const child = spawn(step.command, step.arguments, {
    stdio: ['ignore', isHeld ? 'pipe' : 'inherit', isHeld ? 'pipe' : 'inherit'],
    env: { ...process.env, ...step.env },
  })
  const ended = once(child, 'close').then(
    ([code]) => code === 0,
    (error: Error) => {
      console.error(`${step.command}: ${error.message}`)
      return false
    },
  )
  const [isGood, ...printed] = await Promise.all([ended, ...[child.stdout, child.stderr].map((out) => (out === null ? null : buffer(out)))])
  if (isHeld) {
    console.log(`\n▸ ${step.name}`)
    for (const bytes of printed) process.stdout.write(bytes ?? '')
  }
  console.log(`${isGood ? '✓' : '✗'} ${step.name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  return isGood
}
