/** Design rule 7: one object of a thousand takes its worker down, each time it is tried. */
import { fork } from 'node:child_process'
import { Supervisor } from '../../src/cli/supervisor.ts'
import type { Db } from '../../src/store/db.ts'
import { createInbox } from '../support/inbox.ts'
import { untilAtRest } from './invariants.ts'
import { deadline, poisonConfig } from './poison-worker.ts'

/** What the object does to its worker. */
export const poisons = ['abort', 'never return', 'block', 'eat memory'] as const
export type Poison = (typeof poisons)[number]

/** What became of a thousand objects of which the 137th is poison. */
export interface Poisoned {
  /** How often a worker process ended: at least once, at most three times. */
  ends: number
  status: number
  counts: { status: number; outcome: string | null; n: number }[]
  failures: { key: string; ordinal: number; code: string }[]
}

/** What must have become of them. */
export const wanted: Omit<Poisoned, 'ends'> = {
  status: -3,
  counts: [
    { status: -2, outcome: null, n: 1 },
    { status: 2, outcome: 'created', n: 999 },
  ],
  failures: [{ key: 'object 137', ordinal: 137, code: 'quarantined' }],
}

/** Sends a thousand objects and lets one supervised worker process work on them until everything is at rest. */
export async function poison({ db, url }: { db: Db; url: string }, does: Poison): Promise<Poisoned> {
  const inbox = createInbox(db, [...poisonConfig.integrations.values()], { chunkSize: 100 })
  const objects = Array.from({ length: 1000 }, (_, index) => ({ id: `object ${index}`, does: index === 137 ? does : 'nothing' }))
  const { id } = await inbox.send('poison', objects)
  let ends = 0
  const supervisor = new Supervisor({
    processes: 1,
    deadline,
    note: (line) => {
      if (line.includes('ended')) ends++
    },
    start: () =>
      fork(new URL('poison-worker.ts', import.meta.url), [url, 'work'], {
        execArgv: ['--max-old-space-size=100'],
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      }),
  })
  try {
    await untilAtRest(db, 200)
  } finally {
    await supervisor.stop()
  }
  return {
    ends,
    status: await inbox.status(id),
    counts: await inbox.rows('SELECT status, outcome, count(*)::integer AS n FROM sluice.instance GROUP BY status, outcome ORDER BY n'),
    failures: await inbox.rows('SELECT external_id AS key, ordinal, code FROM sluice.failure'),
  }
}
