/** Runs commands one after the other and says how each went. */
import { spawnSync } from 'node:child_process'

export interface Step {
  name: string
  command: string
  arguments: string[]
  env?: Record<string, string>
}

/** Runs every step, the failed ones too; exits with 1 when any failed. */
export function runSteps(steps: readonly Step[]): void {
  const failed: string[] = []
  for (const step of steps) {
    console.log(`\n▸ ${step.name}`)
    const started = performance.now()
    const result = spawnSync(step.command, step.arguments, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...step.env },
    })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    if (result.status !== 0) failed.push(step.name)
    console.log(`${result.status === 0 ? '✓' : '✗'} ${step.name} (${seconds} s)`)
  }
  if (failed.length > 0) console.error(`\nFailed: ${failed.join(', ')}`)
  process.exitCode = failed.length > 0 ? 1 : 0
}
