/** Rule 7, from outside: real worker processes, really killed, on real records. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, hasNative, type TestDatabase } from '../support/database.ts'
import { createInbox } from '../support/inbox.ts'
import { createRorTables, rorIntegrations, rorTables } from '../support/ror.ts'
import { sharedData } from '../support/shared-data.ts'

const file = sharedData('ror/all.ndjson.gz')
const timeout = 240_000

describe.skipIf(file === null || !hasNative)('the whole registry', () => {
  const children = new Set<ChildProcess>()
  let undisturbed: Awaited<ReturnType<typeof rorTables>>

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    children.clear()
  })

  beforeAll(async () => {
    undisturbed = await load(async (start) => {
      start('only')
    })
  }, timeout)

  test('a worker killed in the middle: another one finishes, and the tables are equal', { timeout }, async () => {
    const tables = await load(async (start) => {
      // Three times, each in the middle of a chunk.
      for (const name of ['first', 'second', 'third']) {
        const [, signal] = await once(start(name, { diesInChunk: 5 }), 'exit')
        expect(signal).toBe('SIGKILL')
      }
      start('last')
    })
    expect(tables).toEqual(undisturbed)
  })

  test('two workers at once: the tables are equal', { timeout }, async () => {
    const tables = await load(async (start) => {
      start('one')
      start('two')
    })
    expect(tables).toEqual(undisturbed)
  })

  /** Loads the registry into a database of its own, with the workers that `run` starts. */
  async function load(
    run: (start: (name: string, dying?: { diesInChunk: number }) => ChildProcess) => Promise<void>,
  ): Promise<Awaited<ReturnType<typeof rorTables>>> {
    const database: TestDatabase = await createTestDatabase('postgres')
    try {
      await createRorTables(database.db)
      const inbox = createInbox(database.db, rorIntegrations)
      const { id, total } = await inbox.send('organization', gunzipSync(readFileSync(file ?? '')), { format: 'ndjson' })
      await run((name, dying) => {
        const child = fork(new URL('worker.ts', import.meta.url), [database.url, name, String(dying?.diesInChunk ?? '')])
        children.add(child)
        return child
      })
      while ((await inbox.status(id)) !== 3 || (await isOpen(inbox.rows))) await sleep(200)
      const living = [...children].filter((child) => child.exitCode === null && child.signalCode === null)
      for (const child of living) child.send('stop')
      await Promise.all(living.map((child) => once(child, 'exit')))
      children.clear()
      await inbox.drain()
      const counts = await inbox.rows('SELECT status, count(*)::integer AS n FROM sluice.integration_instance GROUP BY status')
      expect(counts).toEqual([{ status: 2, n: total }])
      return await rorTables(database.db)
    } finally {
      await database.close()
    }
  }
})

async function isOpen(rows: ReturnType<typeof createInbox>['rows']): Promise<boolean> {
  const open = await rows("SELECT FROM sluice.chunk WHERE state <> 'finished' LIMIT 1")
  return open.length > 0
}
