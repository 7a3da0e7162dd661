/** Fault 7: the clock of a worker decides nothing. */
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { insertParts } from '../../src/store/body.ts'
import { claimChunks } from '../../src/store/chunk.ts'
import type { Db } from '../../src/store/db.ts'
import { requestRun } from '../../src/tasks/run.ts'
import { tickSchedule } from '../../src/tasks/schedule.ts'
import { createTestDatabase, hasNative } from '../support/database.ts'
import { receivedMessage, splitMessageOf, statusOf } from '../support/rows.ts'
import { createThings } from '../tasks/support.ts'

/** Debian's package libfaketime; .ci/run installs it. */
const library = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`).find(existsSync)
if (library === undefined) console.warn('\n!! No libfaketime: the tests of clocks only change what JavaScript says of the time.\n')

const hour = 3_600_000

/** How a process comes to have another clock: its JavaScript alone is told, or the whole process. */
const ways: { name: string; skewed(hours: number): { execArgv: string[]; env: NodeJS.ProcessEnv } }[] = [
  {
    name: 'JavaScript',
    skewed: (hours) => ({
      execArgv: ['--import', `data:text/javascript,${encodeURIComponent(skewScript(hours * hour))}`],
      env: process.env,
    }),
  },
  ...(library === undefined
    ? []
    : [
        {
          name: 'libfaketime',
          skewed: (hours: number) => ({
            execArgv: [],
            env: { ...process.env, LD_PRELOAD: library, FAKETIME: `${hours < 0 ? '' : '+'}${hours}h`, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
          }),
        },
      ]),
]

function skewScript(milliseconds: number): string {
  return `const Real = Date; globalThis.Date = class extends Real {
    constructor(...given) { given.length === 0 ? super(Real.now() + ${milliseconds}) : super(...given) }
    static now() { return Real.now() + ${milliseconds} } }`
}

describe.skipIf(!hasNative)('a worker whose clock is wrong', () => {
  const children = new Set<ChildProcess>()
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    children.clear()
  })

  const cases = ways.flatMap((way) => [1, -1].map((hours) => ({ ...way, hours })))
  test.each(cases)('by $hours h ($name): sweeps nothing early, and leaves nothing out', { timeout: 120_000 }, async ({ skewed, hours }) => {
    const database = await createTestDatabase('postgres')
    const { db } = database
    try {
      const early = await prepareEarly(db)
      const due = await prepareDue(db)
      const child = fork(new URL('clock-worker.ts', import.meta.url), [database.url], skewed(hours))
      children.add(child)
      const [told] = (await once(child, 'message')) as [number]
      expect(Math.round((told - Date.now()) / hour)).toBe(hours)
      await expect.poll(() => undone(db, due), { timeout: 60_000, interval: 100 }).toEqual([])
      // A round of its own has been, and a run of every task.
      expect(await disturbed(db, early)).toEqual([])
      child.send('stop')
      await once(child, 'exit')
    } finally {
      await database.close()
    }
  })
})

const runs = ['split', 'process', 'reprocess', 'rollup', 'prune'] as const

interface Due {
  lost: string
  transient: string
  unvalidated: string
  old: string
  orphan: string
}

/** What a worker has to do at once. */
async function prepareDue(db: Db): Promise<Due> {
  const lost = await claimed(db, '-1 second')
  const transient = await failedMessage(db, '-1 second')
  const unvalidated = await receivedMessage(db, 1)
  await db.query("UPDATE sluice.message SET received_at = now() - interval '2 minutes' WHERE id = $1", [unvalidated])
  const old = await ended(db, '25 hours')
  const orphan = await orphanedParts(db, '25 hours')
  // Of the clock's: a click would take what isn't due too.
  for (const task of runs) await requestRun(db, task, {}, { startedBy: 'clock', slot: new Date('2020-01-01T00:00:00Z') })
  return { lost, transient, unvalidated, old, orphan }
}

async function undone(db: Db, { lost, transient, unvalidated, old, orphan }: Due): Promise<string[]> {
  const left: string[] = []
  if ((await statusOf(db, lost)) !== 3) left.push('the chunk of the lost worker')
  if ((await statusOf(db, transient)) !== 3) left.push('the failure that is due')
  if ((await statusOf(db, unvalidated)) !== 3) left.push('the message that nobody validated')
  if ((await statusOf(db, old)) !== undefined) left.push('the message that is old enough')
  if (await hasParts(db, orphan)) left.push('the parts that are old enough')
  const open = await db.query("SELECT FROM sluice.task_run WHERE slot < '2021-01-01' AND state <> 'finished'")
  if (open.rowCount > 0) left.push('runs')
  return left
}

interface Early {
  held: string
  transient: string
  waiting: string
  unvalidated: string
  young: string
  orphan: string
  run: string
  slot: string
}

/** What a worker must leave alone for minutes, though hours ahead it would be due. */
async function prepareEarly(db: Db): Promise<Early> {
  const held = await claimed(db, '10 minutes')
  const transient = await failedMessage(db, '10 minutes')
  const waiting = await splitMessageOf(db, ['waiting'])
  const young = await ended(db, '23.5 hours')
  const orphan = await orphanedParts(db, '23.5 hours')
  // The run of another worker, which is at it.
  const { id: run } = await requestRun(db, 'rollup', { integration: 'thing' }, { startedBy: 'click' })
  await db.query(
    "UPDATE sluice.task_run SET state = 'running', worker = 'other', started_at = now(), lease_until = now() + interval '10 minutes' WHERE id = $1",
    [run],
  )
  await tickSchedule(createThings(db))
  const { rows } = await db.query<{ slot: string }>(
    "UPDATE sluice.schedule SET next_slot = date_trunc('minute', now()) + interval '30 minutes' WHERE task = 'rollup' RETURNING next_slot AS slot",
  )
  const unvalidated = await receivedMessage(db, 1)
  await db.query("UPDATE sluice.message SET received_at = now() + interval '10 minutes' WHERE id = $1", [unvalidated])
  return { held, transient, waiting, unvalidated, young, orphan, run, slot: rows[0]?.slot ?? '' }
}

async function disturbed(db: Db, { held, transient, waiting, unvalidated, young, orphan, run, slot }: Early): Promise<string[]> {
  const found: string[] = []
  const claim = await db.query("SELECT FROM sluice.chunk WHERE message_id = $1 AND state = 'claimed' AND worker = 'other' AND losses = 0", [
    held,
  ])
  if (claim.rowCount !== 1) found.push('the chunk that another worker holds')
  if ((await statusOf(db, transient)) !== -3) found.push('the failure that is due later')
  if ((await statusOf(db, waiting)) !== 2) found.push('the chunk that is due later')
  if ((await statusOf(db, unvalidated)) !== 0) found.push('the message that its receiver may still be at')
  if ((await statusOf(db, young)) !== 3) found.push('the message that is not old enough')
  if (!(await hasParts(db, orphan))) found.push('the parts that are not old enough')
  const other = await db.query("SELECT FROM sluice.task_run WHERE id = $1 AND state = 'running' AND worker = 'other'", [run])
  if (other.rowCount !== 1) found.push('the run of another worker')
  const plan = await db.query("SELECT FROM sluice.schedule WHERE task = 'rollup' AND next_slot = $1", [slot])
  if (plan.rowCount !== 1) found.push('the plan of the clock')
  const future = await db.query('SELECT FROM sluice.task_run WHERE slot > clock_timestamp()')
  if (future.rowCount > 0) found.push('slots that have not come')
  return found
}

/** A message whose chunk another worker has claimed; its lease ends so long from now. */
async function claimed(db: Db, ends: string): Promise<string> {
  const id = await splitMessageOf(db, ['waiting'])
  await db.query('UPDATE sluice.chunk SET due_at = now() WHERE message_id = $1', [id])
  await claimChunks(db, { integrations: ['thing'], worker: 'other', leaseSeconds: 60, size: 1, messageId: id })
  await db.query("UPDATE sluice.chunk SET lease_until = now() + $2::interval WHERE message_id = $1 AND state = 'claimed'", [id, ends])
  return id
}

/** A message with a transient failure that comes again so long from now. */
async function failedMessage(db: Db, due: string): Promise<string> {
  const id = await splitMessageOf(db, ['transient'])
  await db.query('UPDATE sluice.failure SET due_at = now() + $2::interval WHERE message_id = $1', [id, due])
  return id
}

/** A processed message that ended so long ago; a day is what the worker keeps. */
async function ended(db: Db, ago: string): Promise<string> {
  const id = await splitMessageOf(db, ['created'])
  await db.query('UPDATE sluice.message SET received_at = now() - $2::interval, finished_at = now() - $2::interval WHERE id = $1', [
    id,
    ago,
  ])
  return id
}

async function orphanedParts(db: Db, ago: string): Promise<string> {
  const uploadId = randomUUID()
  await insertParts(db, uploadId, 0, [Buffer.from('[')])
  await db.query('UPDATE sluice.message_body SET created_at = now() - $2::interval WHERE upload_id = $1', [uploadId, ago])
  return uploadId
}

async function hasParts(db: Db, uploadId: string): Promise<boolean> {
  return (await db.query('SELECT FROM sluice.message_body WHERE upload_id = $1', [uploadId])).rowCount > 0
}
