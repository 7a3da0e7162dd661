/** An operator's way from the list of messages to one object, and the actions on the way. */
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { databaseKinds } from '../support/database.ts'
import { hasChromium } from './chromium.ts'
import { openSite, type Site, type Visitor, visit } from './support.ts'

const release = new URL('../../examples/ror/data/v2.0.json', import.meta.url)

describe.skipIf(!hasChromium).each(databaseKinds)('%s', (kind) => {
  let site: Site
  let visitor: Visitor
  beforeAll(async () => {
    site = await openSite(kind)
    await site.send('organization', await readFile(release, 'utf8')) // 1
    await site.send('organization', '[{"id":"https://ror.org/x"},{"id":5}]') // 2: not correct
    await site.send('employee', [
      { ms_id: 'e1', name: 'Ada', position_ms_id: 'p1' },
      { ms_id: 'e2', name: 7, position_ms_id: 'p1' },
    ]) // 3
    await site.send('anything', [
      { id: 'a1', fail: 'The shop is closed.' },
      { id: 'a2', note: 12345678901234567890n.toString() },
    ]) // 4
    await site.drain()
    visitor = await visit(site)
  }, 120_000)
  afterAll(() => site?.close())
  afterEach(() => {
    expect(visitor.faults.splice(0)).toEqual([])
  })
  const rows = async () => visitor.page.locator('tbody tr').count()

  test('the list: newest first, with filters that stand in the URL', async () => {
    const { page } = visitor
    await visitor.open('messages')
    await expect.poll(() => page.locator('tbody tr td:nth-child(2)').allInnerTexts()).toEqual(['4', '3', '2', '1'])
    await page.getByLabel('Status').selectOption('-1')
    await page.getByRole('button', { name: 'Apply' }).click()
    await expect.poll(rows).toBe(1)
    expect(page.url()).toBe(`${site.url}messages?status=-1`)
    await expect.poll(() => page.locator('tbody').innerText()).toContain('-1 · Message received, not correct')
    await page.reload()
    await expect.poll(rows).toBe(1)
    await page.getByRole('button', { name: 'Clear the filters' }).click()
    await expect.poll(rows).toBe(4)
    await page.getByLabel('Order').selectOption('Oldest first')
    await page.getByRole('button', { name: 'Apply' }).click()
    await expect.poll(() => page.locator('tbody tr td:nth-child(2)').allInnerTexts()).toEqual(['1', '2', '3', '4'])
    await visitor.open('messages?externalId=e1')
    expect(await rows()).toBe(1)
    await visitor.open('messages?text=shop&from=2020-01-01T00:00:00Z')
    await expect.poll(() => page.locator('tbody').innerText()).toContain('anything')
  })

  test('the list is turned by its header, and more rows can be asked for', async () => {
    const { page } = visitor
    const ids = () => page.locator('tbody tr td:nth-child(2)').allInnerTexts()
    await visitor.open('messages')
    const received = page.getByRole('columnheader', { name: 'Received' })
    await expect.poll(() => received.getAttribute('aria-sort')).toBe('descending')
    await received.getByRole('button').click()
    await expect.poll(ids).toEqual(['1', '2', '3', '4'])
    expect(page.url()).toBe(`${site.url}messages?order=oldest`)
    await expect.poll(() => received.getAttribute('aria-sort')).toBe('ascending')
    await page.getByRole('columnheader', { name: 'Message' }).getByRole('button').press('Enter')
    await expect.poll(ids).toEqual(['4', '3', '2', '1'])
  })

  test('of many rows those in sight are in the page, and a screen reader is told how many there are', async () => {
    const { page } = visitor
    await visitor.open('messages/1?limit=1000')
    const table = page.getByRole('table', { name: 'Instances' })
    await expect.poll(() => table.getAttribute('aria-rowcount')).toBe('478')
    expect(await table.locator('tbody tr[role=row]').count()).toBeLessThan(200)
    await table.locator('tbody tr[role=row]').first().waitFor()
    const last = table.locator('tr[aria-rowindex="478"]')
    await expect
      .poll(async () => {
        await page.mouse.wheel(0, 3000)
        return last.count()
      })
      .toBe(1)
    await last.getByRole('link', { name: '1.476', exact: true }).waitFor()
    await page.getByLabel('Rows on a page').selectOption('50 rows')
    await expect.poll(() => page.url()).toBe(`${site.url}messages/1`)
    await expect.poll(() => table.locator('tbody tr').count()).toBe(50)
  })

  test('a run for all that match takes the filters of the list, and says first how many', async () => {
    const { page } = visitor
    const dialog = page.getByRole('dialog')
    const asked = async (path: string, button: string, count: string): Promise<void> => {
      await visitor.open(path)
      await page.getByRole('button', { name: button }).click()
      await expect.poll(() => dialog.innerText()).toContain(count)
      await dialog.getByRole('button', { name: 'Cancel' }).click()
      await dialog.waitFor({ state: 'detached' })
    }
    await asked(
      'messages?status=-3&from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z',
      'Reprocess all that match',
      '3 failed instances are',
    )
    await asked('messages?text=shop&from=2020-01-01T00:00:00Z', 'Reprocess all that match', '1 failed instance is')
    await asked('messages?source=nobody', 'Reprocess all that match', 'Nothing to do')
    await asked('messages?externalId=a2&integration=anything', 'Reprocess all that match', 'Nothing to do')
    await asked('instances?externalId=a1&integration=anything', 'Reprocess all that match', '1 failed instance is')
    await visitor.open('messages?externalId=a1')
    await page.getByText('choose an integration').waitFor()
  })

  test('a message: what became of its objects, its body, its instances', async () => {
    const { page } = visitor
    await visitor.open('messages/1')
    await expect.poll(() => page.locator('main').innerText()).toMatch(/created 477/)
    await expect.poll(() => page.getByRole('table', { name: 'Instances' }).locator('tbody tr').count()).toBe(50)
    await page.getByRole('button', { name: 'Next page' }).click()
    await page.getByRole('link', { name: '1.50', exact: true }).waitFor()
    await page.goBack()
    await page.getByRole('link', { name: '1.0', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Show the body' }).click()
    await page.getByRole('group', { name: 'Body' }).getByText('"https://ror.org/0001j6c19"').first().waitFor()
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()])
    expect(await readFile(await download.path(), 'utf8')).toBe(await readFile(release, 'utf8'))
  })

  test('a large body is shown by parts', async () => {
    const { page } = visitor
    const objects = Array.from({ length: 45_000 }, (_, index) => ({ ms_id: `p-${index}`, title: 'x'.repeat(80) }))
    // Not correct, so that nothing has to be done with it.
    const id = await site.send('position', [{ ms_id: 5 }, ...objects])
    await visitor.open(`messages/${id}?body=shown`)
    const body = page.getByRole('group', { name: 'Body' })
    await page.getByText(/^Part 1 of \d+$/).waitFor()
    await expect.poll(() => body.innerText()).toMatch(/^\[\{"ms_id":5\},\{"ms_id":"p-0"/)
    expect((await body.innerText()).length).toBe(128 * 1024)
    await page.getByRole('button', { name: 'Next part' }).click()
    await page.getByText(/^Part 2 of \d+$/).waitFor()
    await expect.poll(() => body.innerText()).toContain('"ms_id":"p-1400"')
    expect(page.url()).toContain('part=1')
  })

  test('each error of a message leads to its place', async () => {
    const { page } = visitor
    await visitor.open('messages/2')
    await page.getByRole('link', { name: '/1/id' }).click()
    await expect.poll(() => page.locator('.marked').allInnerTexts()).toEqual(['"id": 5'])
    expect(new URL(page.url()).searchParams.get('place')).toBe('/1/id')
  })

  test('an instance: its object with every digit, its failure in words, and what it waits for', async () => {
    const { page } = visitor
    await visitor.open('instances/1.0')
    await expect.poll(() => page.locator('.json').innerText()).toContain('"id": "https://ror.org/0001j6c19"')
    await expect.poll(() => page.locator('main').innerText()).toContain('It was created')
    await visitor.open('instances/4.0')
    const text = await page.locator('main').innerText()
    expect(text).toContain('The shop is closed.')
    expect(text).toContain('It fails again until its cause is mended')
    await visitor.open('instances/3.0')
    await expect.poll(() => page.getByRole('table', { name: 'What it waits for' }).innerText()).toMatch(/position\s+p1\s+has not come/)
    await visitor.open('instances/4.1')
    await expect.poll(() => page.getByRole('table', { name: 'Changes' }).innerText()).toMatch(/note\s+nothing\s+12345678901234567890/)
  })

  test('an object: its whole history, and its changes', async () => {
    const { page } = visitor
    const [record] = JSON.parse(await readFile(release, 'utf8')) as {
      id: string
      established: number
      admin: { last_modified: { date: string } }
    }[]
    if (record === undefined) throw new Error('the release is empty')
    record.established = 1066
    record.admin.last_modified.date = '2026-01-01'
    await site.send('organization', [record])
    await site.drain()
    await visitor.open(`objects?integration=organization&externalId=${encodeURIComponent(record.id)}`)
    await expect.poll(() => page.getByRole('article').count()).toBe(2)
    await expect.poll(() => page.getByRole('article').first().innerText()).toMatch(/updated.*established\s+\d+\s+1066/s)
    const target = page.getByRole('region', { name: 'What stands in the target now' })
    await expect.poll(() => target.innerText()).toMatch(/organization.*"established": 1066/s)
    await visitor.open('instances/1.0')
    await page.getByRole('link', { name: 'What stands there now' }).click()
    await target.waitFor()
    expect(page.url()).toContain('#target')
    await visitor.open('objects?integration=organization&externalId=nobody')
    await page.getByText('No such object ever came.').waitFor()
    // The refused request stands on the console.
    visitor.faults.length = 0
  })

  test('reprocess says first how many, is recorded, and does it', async () => {
    const { page } = visitor
    await site.send('position', [{ ms_id: 'p0', title: 'Nurse' }])
    await visitor.open('messages/4')
    await page.getByRole('button', { name: 'Reprocess failed' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('1 failed instance is put back').waitFor()
    await dialog.getByRole('button', { name: 'Do it' }).click()
    await dialog.getByText('is on its way').waitFor()
    await dialog.getByRole('link', { name: 'Show the run' }).click()
    await page.getByText('queued', { exact: true }).waitFor()
    const worker = site.sluice.work()
    try {
      await page.getByText('finished', { exact: true }).waitFor()
      await expect.poll(() => page.locator('main').innerText()).toMatch(/instances: 1/)
      await visitor.open('instances/4.0')
      await expect.poll(async () => page.getByText('Earlier attempts').count()).toBe(1)
    } finally {
      await worker.stop()
    }
    const { rows: runs } = await site.sluice.services.db.query(
      `SELECT task, actor, state, parameters ->> 'messages' AS messages FROM sluice.task_run WHERE started_by = 'click'`,
    )
    expect(runs).toEqual([{ task: 'reprocess', actor: 'admin', state: 'finished', messages: '["4"]' }])
  })

  test('chosen messages are rolled up again', async () => {
    const { page } = visitor
    await visitor.open('messages')
    await page.getByRole('checkbox', { name: 'Select 1', exact: true }).click()
    await page.getByRole('checkbox', { name: 'Select 4', exact: true }).click()
    await page.getByText('2 messages selected').waitFor()
    await page.getByRole('button', { name: 'Roll up' }).click()
    await page.getByRole('dialog').getByText('2 messages are counted again').waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
  })
})
