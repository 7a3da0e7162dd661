import { expect, test } from 'vitest'
import { canInstanceMove, canMessageMove, InstanceStatus, MessageStatus } from '../../src/model/status.ts'
import { runSchedule } from './schedule.ts'

const schedules = 10_000

test(`the state machine holds its invariants in ${schedules} schedules, and every transition that there is happens in some`, {
  timeout: 300_000,
}, () => {
  const moves = new Set<string>()
  const happened = new Map<string, number>()
  for (let seed = 1; seed <= schedules; seed++) {
    try {
      const covered = runSchedule(seed)
      for (const move of covered.moves) moves.add(move)
      for (const [what, count] of covered.happened) happened.set(what, (happened.get(what) ?? 0) + count)
    } catch (error) {
      throw new Error(`schedule ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
  const declared = [
    ...pairs(Object.values(MessageStatus))
      .filter(([from, to]) => canMessageMove(from, to))
      .map(([from, to]) => `message ${from} ${to}`),
    ...pairs(Object.values(InstanceStatus))
      .filter(([from, to]) => canInstanceMove(from, to))
      .map(([from, to]) => `instance ${from} ${to}`),
  ]
  expect([...moves].sort()).toEqual(declared.sort())
  for (const fault of ['crash', 'zombie', 'surroundings', 'answer lost', 'reclaim', 'replay', 'reprocess', 'prune'])
    expect([fault, (happened.get(fault) ?? 0) > 100]).toEqual([fault, true])
})

function pairs<T>(values: readonly T[]): [T, T][] {
  return values.flatMap((from) => values.map((to): [T, T] => [from, to]))
}
