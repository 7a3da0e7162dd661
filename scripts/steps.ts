/** Runs commands one after the other and says how each went. */
import { spawnSync } from 'node:child_process'

export interface Step {
  name: string
  command: string
  arguments: string[]
  env?: Record<string, string>
}

/** Runs every step, also those after a failed one; sets the exit code to 1 when any failed. Gives back the names of the failed ones. */
export function runSteps(steps: readonly Step[]): string[] {
  const failed: string[] = []
  for (const step of steps) {
    console.log(`\n▸ ${step.name}`)
    const started = performance.now()
    const result = spawnSync(step.command, step.arguments, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...step.env },
    })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    if (result.error !== undefined) console.error(`${step.command}: ${result.error.message}`)
    if (result.status !== 0) failed.push(step.name)
    console.log(`${result.status === 0 ? '✓' : '✗'} ${step.name} (${seconds} s)`)
  }
  if (failed.length > 0) {
    console.log(`\nFailed: ${failed.join(', ')}`)
    process.exitCode = 1
  }
  return failed
}
