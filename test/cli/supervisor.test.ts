import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Supervisor } from '../../src/cli/supervisor.ts'

const program = fileURLToPath(new URL('fixture/worker.mjs', import.meta.url))

/** A supervisor of processes that do, one after the other, what `scripts` say; the last one again and again. */
function supervise(scripts: readonly string[], deadline: number) {
  const children: ChildProcess[] = []
  const notes: string[] = []
  const waiting: (() => void)[] = []
  const supervisor = new Supervisor({
    processes: 1,
    deadline,
    note: (line) => notes.push(line),
    start() {
      const child = fork(program, [scripts[Math.min(children.length, scripts.length - 1)] ?? ''])
      children.push(child)
      for (const resolve of waiting.splice(0)) resolve()
      return child
    },
  })
  async function child(index: number): Promise<ChildProcess> {
    while (children[index] === undefined) await new Promise<void>((resolve) => waiting.push(resolve))
    return children[index]
  }
  return { supervisor, notes, child }
}

test('a process that ends is started again', { timeout: 20_000 }, async () => {
  const { supervisor, notes, child } = supervise(['crash', 'work'], 60)
  await once(await child(1), 'message')
  expect(notes).toEqual(['worker 1 ended (exit code 7); it is started again in 0.5 s'])
  await supervisor.stop()
  expect((await child(1)).exitCode).toBe(0)
})

test('a process that passes its deadline is killed, and another one takes its place', { timeout: 20_000 }, async () => {
  const { supervisor, notes, child } = supervise(['hang', 'work'], 0.3)
  await once(await child(1), 'message')
  expect((await child(0)).signalCode).toBe('SIGKILL')
  expect(notes[0]).toContain('chunk 12')
  await supervisor.stop()
})

test('stopping waits for a process until its deadline, not longer', { timeout: 20_000 }, async () => {
  const { supervisor, child } = supervise(['hang'], 1)
  await once(await child(0), 'message')
  await supervisor.stop()
  expect((await child(0)).signalCode).toBe('SIGKILL')
})
