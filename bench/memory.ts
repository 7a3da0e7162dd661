/** The memory of a process, as Linux tells it. */
import { readFileSync } from 'node:fs'

/** Resident memory in MiB. `VmRSS` is now, `VmHWM` the most there ever was. */
export function residentMiB(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))
  return Number(line?.[1]) / 1024
}

/** The processes that a process has started itself and that still run. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number)
}
