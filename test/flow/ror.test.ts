/** Real records: nine releases forwards and backwards, and the whole registry in one message. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { onBoth } from '../support/both.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'
import { createRorTables, rorIntegrations, rorTables } from '../support/ror.ts'
import { sharedData } from '../support/shared-data.ts'

const folder = sharedData('ror')
const releases = Array.from({ length: 9 }, (_, index) => `v2.${index}.json`)

describe.skipIf(folder === null)('releases in order, then all again in reverse order', () => {
  onBoth((opened) => {
    beforeAll(() => createRorTables(opened.db))

    test('the tables are equal afterwards, and nothing is applied twice', { timeout: 180_000 }, async () => {
      const inbox = createInbox(opened.db, rorIntegrations)
      for (const release of releases) await send(inbox, release)
      const before = await rorTables(opened.db)
      const second: Record<string, number> = {}
      for (const release of [...releases].reverse()) {
        for (const [outcome, count] of Object.entries(await send(inbox, release))) second[outcome] = (second[outcome] ?? 0) + count
      }
      expect(await rorTables(opened.db)).toEqual(before)
      // The newest state comes first now: it is unchanged, and every older one is superseded.
      expect(Object.keys(second).sort()).toEqual(['superseded', 'unchanged'])
      expect(second.superseded).toBeGreaterThan(500)
      expect(await inbox.rows('SELECT FROM sluice.instance WHERE attempts <> 1')).toEqual([])
    })
  })
})

async function send(inbox: Inbox, release: string): Promise<Record<string, number>> {
  const { id, total } = await inbox.send('organization', readFileSync(`${folder}/${release}`))
  await inbox.drain()
  expect(await inbox.status(id)).toBe(3)
  const counts = await inbox.rows<{ outcome: string; n: number }>(
    'SELECT outcome, count(*)::integer AS n FROM sluice.instance WHERE message_id = $1 GROUP BY outcome',
    [id],
  )
  expect(counts.reduce((sum, { n }) => sum + n, 0)).toBe(total)
  return Object.fromEntries(counts.map(({ outcome, n }) => [outcome, n]))
}

describe.skipIf(folder === null)('the whole registry, 32,138 records', () => {
  onBoth((opened) => {
    beforeAll(() => createRorTables(opened.db))

    test('every relationship whose other end exists is linked, and no other', { timeout: 300_000 }, async () => {
      const body = gunzipSync(readFileSync(`${folder}/all.ndjson.gz`))
      const records = body
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: string; relationships: { id: string; type: string }[] })
      const known = new Set(records.map((record) => record.id))
      const wanted = records.flatMap((record) => record.relationships.map(({ id, type }) => ({ from: record.id, to: id, type })))
      const linkable = wanted.filter(({ to }) => known.has(to))
      expect(linkable).toHaveLength(28_219)

      const inbox = createInbox(opened.db, rorIntegrations)
      const { id, total } = await inbox.send('organization', body, { format: 'ndjson' })
      expect(total).toBe(records.length)
      await inbox.drain()
      expect(await inbox.status(id)).toBe(3)
      const { relationships } = await rorTables(opened.db)
      expect(new Set(relationships.map((row) => JSON.stringify(row)))).toEqual(new Set(linkable.map((row) => JSON.stringify(row))))
      expect(relationships).toHaveLength(linkable.length)
      const [left] = await inbox.rows<{ n: number }>('SELECT count(*)::integer AS n FROM sluice.deferred_link')
      expect(left?.n).toBe(wanted.length - linkable.length)
    })
  })
})
