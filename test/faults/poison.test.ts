/** Design rule 7: one object of a thousand takes its worker down, each time; the others are processed. */
import { fork } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { Supervisor } from '../../src/cli/supervisor.ts'
import { createTestDatabase, hasNative } from '../support/database.ts'
import { createInbox } from '../support/inbox.ts'
import { untilAtRest } from './invariants.ts'
import { deadline, poisonConfig } from './poison-worker.ts'

const poisons = ['abort', 'never return', 'block', 'eat memory']

describe.skipIf(!hasNative)('one object of a thousand', () => {
  test.concurrent.each(poisons)('%s: at most three crashes, then it is quarantined and named', { timeout: 240_000 }, async (does) => {
    const database = await createTestDatabase('postgres')
    const integrations = [...poisonConfig.integrations.values()]
    const inbox = createInbox(database.db, integrations, { chunkSize: 100 })
    const objects = Array.from({ length: 1000 }, (_, index) => ({ id: `object ${index}`, does: index === 137 ? does : 'nothing' }))
    const { id } = await inbox.send('poison', objects)
    const ends: string[] = []
    const supervisor = new Supervisor({
      processes: 1,
      deadline,
      note: (line) => {
        if (line.includes('ended')) ends.push(line)
      },
      start: () =>
        fork(new URL('poison-worker.ts', import.meta.url), [database.url, 'work'], {
          execArgv: ['--max-old-space-size=100'],
          stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        }),
    })
    try {
      await untilAtRest(database.db, 200)
    } finally {
      await supervisor.stop()
    }
    expect(ends.length).toBeGreaterThan(0)
    expect(ends.length).toBeLessThanOrEqual(3)
    const counts = await inbox.rows(
      'SELECT status, outcome, count(*)::integer AS n FROM sluice.instance GROUP BY status, outcome ORDER BY n',
    )
    expect(counts).toEqual([
      { status: -2, outcome: null, n: 1 },
      { status: 2, outcome: 'created', n: 999 },
    ])
    const failures = await inbox.rows('SELECT external_id AS key, ordinal, code FROM sluice.failure')
    expect(failures).toEqual([{ key: 'object 137', ordinal: 137, code: 'quarantined' }])
    expect(await inbox.status(id)).toBe(-3)
    await database.close()
  })
})
