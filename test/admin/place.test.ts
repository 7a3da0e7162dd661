/** Under a base path: every address opened directly, what is cached, and the policy. */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requestRun } from '../../src/tasks/run.ts'
import { hasChromium } from './chromium.ts'
import { openSite, type Site, visit } from './support.ts'

describe.skipIf(!hasChromium)('under /a/base', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite('pglite', '/a/base')
    await site.send('position', [{ ms_id: 'p1', title: 'Nurse' }])
    const { id } = await requestRun(site.sluice.services.db, 'rollup', {}, { startedBy: 'click' })
    expect(id).toBe('1')
    await site.drain()
  }, 120_000)
  afterAll(() => site?.close())

  test('every address can be opened directly, and leads on', async () => {
    const visitor = await visit(site)
    const { page } = visitor
    for (const path of [
      '',
      'messages',
      'messages/1',
      'instances',
      'instances/1.0',
      'objects?integration=position&externalId=p1',
      'errors',
      'integrations',
      'integrations/position',
      'tasks',
      'tasks/1',
      'access',
    ]) {
      await visitor.open(path)
      expect(page.url()).toBe(`${site.url}${path}`)
      await page.getByRole('link', { name: 'Messages', exact: true }).click()
      await page.getByRole('link', { name: '1', exact: true }).waitFor()
      expect(page.url()).toBe(`${site.url}messages`)
    }
    expect(visitor.faults).toEqual([])
    const [cookie] = await visitor.context.cookies()
    expect(cookie).toMatchObject({ name: 'sluice_session', path: '/a/base/api', httpOnly: true, sameSite: 'Strict' })
  })

  test('without its last slash too, where whoever cut the prefix off tells it', async () => {
    const visitor = await visit(site)
    const { page } = visitor
    await page.goto(site.url.slice(0, -1))
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await page.getByRole('link', { name: 'Messages', exact: true }).click()
    await page.getByRole('link', { name: '1', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Message 1' }).waitFor()
    expect(page.url()).toBe(`${site.url}messages/1`)
    expect(visitor.faults).toEqual([])
    await visitor.context.close()
  })

  test('a prefix that is told is taken where it is one', async () => {
    const { origin } = new URL(site.url)
    const told = async (prefix: string) => {
      const { text } = await fetchPage(`${origin}/`, { Accept: 'text/html', 'X-Forwarded-Prefix': prefix })
      return /name="sluice-base" content="([^"]*)"/.exec(text)?.[1]
    }
    expect(await told('/integration')).toBe('/integration/')
    expect(await told('/integration/')).toBe('/integration/')
    expect(await told('/outer, /inner')).toBe('/outer/inner/')
    for (const evil of ['//evil.example', 'https://evil.example', '/a"onload="x', '/../x', 'x', '/']) expect(await told(evil)).toBe('./')
  })

  const fetchPage = async (path: string, headers: Record<string, string> = { Accept: 'text/html' }) => {
    const response = await fetch(new URL(path, site.url), { headers, redirect: 'manual' })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  test('the page is never cached, and allows no script but its own', async () => {
    const page = await fetchPage('messages/1')
    expect(page.headers.get('Cache-Control')).toBe('no-store')
    const policy = page.headers.get('Content-Security-Policy') ?? ''
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[^']+'; .*frame-ancestors 'none'$/)
    expect(policy).not.toContain('unsafe')
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? ''
    expect(page.text).toContain(`content="${nonce}"`)
    expect((await fetchPage('messages/1')).text).not.toContain(nonce)
    expect(page.text).toContain('src="../assets/')
  })

  test('the policy is in force', async () => {
    const { page, open, context } = await visit(site)
    await open('messages')
    await page.evaluate(`const script = document.createElement('script')
      script.textContent = 'window.hit = 1'
      document.head.append(script)
      document.body.insertAdjacentHTML('beforeend', '<img src="x" onerror="window.hit = 2"><style>body { opacity: 0.5 }</style>')`)
    await page.waitForLoadState('networkidle')
    expect(await page.evaluate('[window.hit, getComputedStyle(document.body).opacity]')).toEqual([undefined, '1'])
    await context.close()
  })

  test('files are cached for good, and compressed', async () => {
    const { text } = await fetchPage('')
    const [, name = ''] = /src="([^"]*assets\/[^"]+\.js)"/.exec(text) ?? []
    const file = await fetchPage(name, { 'Accept-Encoding': 'br' })
    expect(Object.fromEntries(file.headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'Accept-Encoding',
      'x-content-type-options': 'nosniff',
    })
    expect((await fetchPage('assets/nothing.js')).status).toBe(404)
    expect((await fetchPage('assets/..%2f..%2findex.html')).status).toBe(404)
  })

  test('the JavaScript of the first load is less than 350 kB', async () => {
    const { text } = await fetchPage('')
    let size = 0
    for (const [, name = ''] of text.matchAll(/="([^"]*assets\/[^"]+\.js)"/g)) size += await compressedSize(new URL(name, site.url))
    expect(size).toBeGreaterThan(50_000)
    expect(size).toBeLessThan(350_000)
  })

  test('only navigation gets the page; programs get the problem they know', async () => {
    expect((await fetchPage('messages', { Accept: 'application/json' })).status).toBe(404)
    expect((await fetchPage('api/nothing')).status).toBe(404)
    const bare = await fetchPage('../elsewhere')
    expect([bare.status, bare.headers.get('Location')]).toEqual([307, './elsewhere/'])
    const stray = await fetchPage('messages/nobody/here.html')
    expect(stray.status).toBe(404)
    expect(stray.headers.get('Content-Type')).toMatch(/problem\+json/)
  })
})

function compressedSize(url: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { 'Accept-Encoding': 'br' } }, async (response) => {
      expect(response.headers['content-encoding']).toBe('br')
      let size = 0
      for await (const bytes of response) size += (bytes as Uint8Array).length
      resolve(size)
    })
    sent.on('error', reject)
    sent.end()
  })
}
