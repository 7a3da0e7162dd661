/** Pages of a real Wagtail site: the contract, and what happens to the pipe. The site's side by itself is tested in integrations/wagtail. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Organization, organizations } from '../../examples/wagtail/organization.ts'
import { type RunningSite, startSite } from '../../examples/wagtail/site.ts'
import { wagtailConfig } from '../../examples/wagtail/sluice.config.ts'
import type { Config } from '../../src/config.ts'
import { wagtailSite } from '../../src/wagtail/index.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'
import { startKillingProxy } from '../support/killing-proxy.ts'
import { hasPython } from '../support/python.ts'
import { startEditor } from '../support/wagtail-editor.ts'
import { conforms } from './suite.ts'

/** Installing Wagtail into the example's venv is part of the first test. */
const firstTime = 300_000

describe.skipIf(!hasPython)('wagtail', () => {
  let folder: string
  let site: RunningSite
  let database: TestDatabase
  const secret = randomBytes(32).toString('base64')
  const inboxOf = (config: Config): Inbox =>
    createInbox(database.db, [...config.integrations.values()], { chunkSize: 100, worker: { processes: 1 } })

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-wagtail-'))
    database = await createTestDatabase('pglite')
    site = await startSite({ data: folder, secret })
  }, firstTime)
  afterAll(async () => {
    await site?.stop()
    await database?.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('a site that is killed in the middle has every page once, with one revision, in a sound tree', { timeout: 180_000 }, async () => {
    // The second request of the load; the first one's pages are there.
    const proxy = await startKillingProxy(
      () => site.url,
      2,
      () => site.stop('SIGKILL'),
    )
    const inbox = inboxOf(wagtailConfig(proxy.url, secret))
    const all = organizations().slice(-80)
    const { id } = await inbox.send('organization', all)
    await inbox.drain()
    await proxy.killed
    expect(await inbox.status(id)).toBe(2)
    const [chunk] = await inbox.rows<{ code: string }>(
      "SELECT last_error ->> 'code' AS code FROM sluice.chunk WHERE last_error IS NOT NULL",
    )
    expect(chunk).toEqual({ code: 'site_unavailable' })
    site = await startSite({ data: folder, secret, port: Number(new URL(site.url).port) })
    await until(async () => {
      await inbox.rows("UPDATE sluice.chunk SET due_at = now() WHERE state = 'ready'")
      await inbox.drain()
      return (await inbox.status(id)) === 3
    })
    expect(await site.inspect()).toMatchObject({
      fixtree: [],
      wrongUrlPaths: [],
      slugsTwice: 0,
      pages: all.length,
      live: all.length,
      records: all.length,
      revisions: all.length,
      searchMisses: [],
      referencesWrong: 0,
    })
    const outcomes = await inbox.outcomes(id)
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['created']))
    await proxy.close()
  })

  test('a page is named with its id and URL, an unknown district with its place', { timeout: 60_000 }, async () => {
    const inbox = inboxOf(wagtailConfig(site.url, secret))
    const unit = (more: Partial<Organization>): Organization => ({ ms_id: 'Z', title: 'Last', parent_ms_id: null, ...more })
    const [created] = await inbox.process('organization', [unit({})])
    expect(created).toMatchObject({
      outcome: 'created',
      detail: expect.stringMatching(/^created page \d+, http.*\/organizations\/last\/$/),
    })
    const [refused] = await inbox.process('organization', [unit({ district_ms_id: '99' })])
    expect(refused).toMatchObject({ outcome: null, error: { code: 'missing_reference', class: 'permanent' } })
    expect(refused?.error?.message).toContain('/references/district')
  })

  test('a wrong secret pauses the integration and says why; nothing fails', { timeout: 60_000 }, async () => {
    const inbox = inboxOf(wagtailConfig(site.url, randomBytes(32).toString('base64')))
    const { id } = await inbox.send('organization', [{ ms_id: 'Q', title: 'Q', parent_ms_id: null }])
    await inbox.drain()
    expect(await inbox.status(id)).toBe(2)
    const [paused] = await inbox.rows<{ reason: string }>('SELECT reason FROM sluice.paused_integration')
    expect(JSON.parse(paused?.reason ?? '{}')).toMatchObject({ code: 'target_mismatch', message: expect.stringContaining('401') })
    await inbox.rows('DELETE FROM sluice.paused_integration')
  })

  describe('the contract', () => {
    let editor: ReturnType<typeof startEditor>
    beforeAll(() => {
      editor = startEditor(folder)
    })
    afterAll(() => editor?.stop())

    conforms(() => ({
      site: wagtailSite({ url: `${site.url}/sluice/`, secret }),
      type: 'organizations.OrganizationPage',
      place: 'organizations',
      areas: ['1', '2'],
      editor,
      url: (...slugs) => `${site.url}/organizations/${slugs.join('/')}/`,
    }))
  })
})

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 90_000
  while (!(await isSo())) if (Date.now() > deadline) throw new Error('it did not come to that within 90 s')
}
