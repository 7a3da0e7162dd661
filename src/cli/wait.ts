/** Waits for a message to come to rest, or for a run of a task to end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { SluiceError } from '../errors.ts'
import type { InstanceItem } from '../http/contract/instance.ts'
import type { Message } from '../http/contract/message.ts'
import type { TaskRun } from '../http/contract/task.ts'
import { isFinished } from '../model/status.ts'
import type { Client } from './client.ts'
import { ExitCode } from './exit.ts'
import { pausedLine } from './message-text.ts'

const firstPauseMilliseconds = 50
const longestPauseMilliseconds = 1000

/**
 * Polls a message until it is not correct, split in vain, processed, or processed with errors.
 *
 * @param seconds longest wait
 * @throws SluiceError `timed_out`, with its `state` in `details`
 */
export function waitForMessage(client: Client, id: string, seconds: number, onState: (message: Message) => void): Promise<Message> {
  return poll(
    () => client.get<Message>(`api/messages/${id}`),
    (message) => {
      onState(message)
      return isFinished(message.status) || message.status === -2
    },
    seconds,
    (message) =>
      `Message ${id} is not finished after ${seconds} s: it is ${message.status} ${message.statusLabel}. ${pausedLine(message) ?? 'Is a worker running?'} See it again with "sluice status ${id}".`,
  )
}

/** Polls a run of a task until it has ended. Throws SluiceError `timed_out`. */
export function waitForRun(client: Client, id: string, seconds: number): Promise<TaskRun> {
  return poll(
    () => client.get<TaskRun>(`api/task-runs/${id}`),
    (taskRun) => taskRun.state === 'finished' || taskRun.state === 'failed',
    seconds,
    (taskRun) => `Run ${id} has not ended after ${seconds} s: it is ${taskRun.state}. Is a worker running?`,
  )
}

async function poll<T>(read: () => Promise<T>, isDone: (state: T) => boolean, seconds: number, late: (state: T) => string): Promise<T> {
  const end = performance.now() + seconds * 1000
  let pause = firstPauseMilliseconds
  for (;;) {
    const state = await read()
    if (isDone(state)) return state
    if (performance.now() >= end) throw new SluiceError('timed_out', late(state), { details: { state } })
    await sleep(Math.min(pause, Math.max(end - performance.now(), 0)))
    pause = Math.min(pause * 1.5, longestPauseMilliseconds)
  }
}

/** Failures shown to people. */
const shownFailures = 20

/** The first failed instances of a message; none when retention has removed them. */
export async function firstFailures(client: Client, message: Message): Promise<InstanceItem[]> {
  if (message.counts.failed === 0 || message.instancesPrunedAt !== null) return []
  const page = await client.get<{ items: InstanceItem[] }>(`api/messages/${message.id}/instances?status=-2&limit=${shownFailures}`)
  return page.items
}

/** The exit code that a message at rest stands for. */
export function messageExitCode(message: Message): ExitCode {
  if (message.status === -1) return ExitCode.refused
  return message.status === -2 || message.status === -3 ? ExitCode.withErrors : ExitCode.done
}
