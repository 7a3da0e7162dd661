/** What is on the screen follows what happens: at once by events, after some seconds without, and not while nobody looks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasChromium } from './chromium.ts'
import { openSite, type Site, token, visit } from './support.ts'

describe.skipIf(!hasChromium)('live', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite('pglite')
  }, 120_000)
  afterAll(() => site?.close())

  test('a message appears by itself, and its progress', async () => {
    const { page, open, faults, context } = await visit(site)
    await open('messages')
    const id = await site.send('position', [{ ms_id: 'p1', title: 'Nurse' }])
    const row = page.locator('tbody tr').filter({ has: page.getByRole('link', { name: id, exact: true }) })
    await row.waitFor()
    await site.drain()
    await row.getByText('3 · Processed').waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  test('without the stream it is asked for', async () => {
    const { page, open, context } = await visit(site)
    await page.route('**/api/events', (route) => route.abort())
    await page.clock.install()
    await open('messages')
    const id = await site.send('position', [{ ms_id: 'p2', title: 'Doctor' }])
    await page.clock.runFor(10_000)
    await page.getByRole('link', { name: id, exact: true }).waitFor()
    await context.close()
  })

  /** A stream of our own: what it is told of, the page's has been told too. Open once this resolves. */
  const listen = async (): Promise<{ told: Promise<void> }> => {
    const stream = new AbortController()
    const response = await fetch(`${site.url}api/events`, { headers: { Authorization: `Bearer ${token}` }, signal: stream.signal })
    const untilChanged = async (): Promise<void> => {
      let text = ''
      for await (const bytes of response.body ?? []) {
        text += Buffer.from(bytes).toString()
        if (text.includes('changed')) break
      }
      stream.abort()
    }
    return { told: untilChanged() }
  }

  test('nothing is asked for while the tab is hidden', async () => {
    const { page, open, context } = await visit(site)
    await page.clock.install()
    await open('messages')
    await page.waitForLoadState('networkidle')
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    // What a browser says of a tab that nobody sees; a headless one sees all.
    await page.evaluate(`Object.defineProperty(document, 'hidden', { get: () => true });
      Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
      document.dispatchEvent(new Event('visibilitychange'))`)
    const { told } = await listen()
    await site.send('position', [{ ms_id: 'p3', title: 'Porter' }])
    await told
    // A minute of the page's own clock.
    await page.clock.runFor(60_000)
    await page.waitForLoadState('networkidle')
    expect(asked).toEqual([])
    await context.close()
  })
})
