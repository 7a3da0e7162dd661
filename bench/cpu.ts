/** Processor time of processes, as Linux tells it (proc(5), `/proc/PID/stat`). */
import { readFileSync } from 'node:fs'
import { childrenOf } from './memory.ts'

/** `sysconf(_SC_CLK_TCK)`, 100 on every Linux that Node runs on. */
const ticksASecond = 100

/** Seconds that a process has computed. With `family` also its children, those that have ended included. */
export function processorSeconds(pid: number, { family }: { family: boolean }): number {
  const [user, system, ...ofEnded] = times(pid)
  const own = (user ?? 0) + (system ?? 0)
  if (!family) return own
  return own + sum(ofEnded) + sum(childrenOf(pid).map((child) => sum(times(child))))
}

/** utime, stime, cutime, cstime in seconds. The name before them stands in brackets and may have spaces. */
function times(pid: number): number[] {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return fields.slice(11, 15).map((ticks) => Number(ticks) / ticksASecond)
}

/** The process that started a process. */
export function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

function sum(figures: readonly number[]): number {
  return figures.reduce((all, each) => all + each, 0)
}
