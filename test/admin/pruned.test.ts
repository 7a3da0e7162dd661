/** What retention has removed is told with its day; nothing breaks for want of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { prunePart } from '../../src/store/prune.ts'
import { hasChromium } from './chromium.ts'
import { openSite, pictures, type Site, type Visitor, visit } from './support.ts'

describe.skipIf(!hasChromium)('what was pruned', () => {
  let site: Site
  let visitor: Visitor
  beforeAll(async () => {
    site = await openSite('pglite')
    await site.send('anything', [{ id: 'a1' }])
    await site.drain()
    const { db } = site.sluice.services
    await db.query("UPDATE sluice.message SET received_at = now() - interval '9 days', finished_at = now() - interval '9 days'")
    for (const what of ['body', 'history', 'instances'] as const) await prunePart(db, { what, status: 3, days: 1 }, '0')
    visitor = await visit(site)
  }, 120_000)
  afterAll(() => site?.close())

  test('a message says so where its body and its instances were', async () => {
    const { page } = visitor
    await visitor.open('messages/1')
    const main = () => page.locator('main').innerText()
    await expect.poll(main, { timeout: 30_000 }).toContain('Retention removed the body:')
    expect(await main()).toContain('Retention removed the instances:')
    expect(await page.getByRole('button', { name: 'Show the body' }).count()).toBe(0)
    expect(await page.getByRole('button', { name: 'Replay' }).first().isDisabled()).toBe(true)
    await page.screenshot({ path: new URL('pruned-message.png', pictures).pathname, fullPage: true })
    expect(visitor.faults).toEqual([])
  })

  test('the task is there, without parameters, and tells what it would do', async () => {
    const { page } = visitor
    await visitor.open('tasks')
    const card = page.getByRole('article', { name: 'Prune' })
    await expect.poll(() => card.count(), { timeout: 30_000 }).toBe(1)
    expect(await card.getByText('Parameters of a run by hand').count()).toBe(0)
    expect(visitor.faults).toEqual([])
  })
})
