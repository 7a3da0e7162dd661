/** Every page in both languages, light and dark, wide and narrow: readable for everybody, within its policy, and pictured. */
import axe from 'axe-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasChromium } from './chromium.ts'
import { morning, sendMorning } from './morning.ts'
import { openSite, picture, type Site, sight, type VisitorOptions, visit } from './support.ts'

/** Address and name of the picture. */
const pages = [
  ['', 'overview'],
  ['messages', 'messages'],
  [morning.message, 'message'],
  [morning.notCorrect, 'message-not-correct'],
  ['instances?failed=true', 'instances'],
  [morning.updated, 'instance'],
  [morning.waiting, 'instance-failed'],
  [morning.object, 'object'],
  ['errors', 'errors'],
  ['integrations', 'integrations'],
  ['integrations/employee', 'integration'],
  ['tasks', 'tasks'],
  ['tasks/1', 'task-run'],
  ['access', 'access'],
] as const

// Audits take long where there are many rows: pages that have filters show few.
const looks: [string, VisitorOptions][] = [
  ['light', {}],
  ['dark', { colors: 'dark' }],
  ['narrow', { width: 390 }],
  ['narrow russian dark', { language: 'ru-RU', colors: 'dark', width: 390 }],
]

/** Pictures for the README, which `scripts/pictures.ts` takes over: a window's content, not the whole page. */
const shown = new Set(['overview light', 'messages dark', 'message light', 'object light', 'errors dark'])

/** A narrow window has the colours of a wide one, and looking at each takes longer than all the rest. */
const sameColors = { 'color-contrast': { enabled: false } }

/** What axe finds fault with, as texts. Runs inside the page. */
const audit = (
  rules = {},
) => `axe.run(document, { rules: ${JSON.stringify(rules)}, runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html, failureSummary }) => id + ': ' + html.slice(0, 300) + ' ' + failureSummary)))`

describe.skipIf(!hasChromium)('looks', () => {
  let site: Site
  beforeAll(async () => {
    site = await openSite('pglite')
    await sendMorning(site)
    await fetch(`${site.url}api/tokens`, {
      method: 'POST',
      headers: { Authorization: 'Bearer admin-token-of-the-tests-0123456789', 'Content-Type': 'application/json' },
      body: '{"name":"the ERP","role":"sender"}',
    })
    await fetch(`${site.url}api/tasks/rollup/runs`, {
      method: 'POST',
      headers: { Authorization: 'Bearer admin-token-of-the-tests-0123456789', 'Content-Type': 'application/json' },
      body: '{"messages":["1"]}',
    })
    await site.drain()
  }, 120_000)
  afterAll(() => site?.close())

  test.each(looks)('%s', { timeout: 120_000 }, async (name, options) => {
    const visitor = await visit(site, options)
    const { page } = visitor
    const found: string[] = []
    for (const [path, title] of pages) {
      await visitor.open(path)
      await page.evaluate(axe.source)
      const violations = (await page.evaluate(audit(options.width === undefined ? {} : sameColors))) as string[]
      found.push(...violations.map((text) => `${path}: ${text}`))
      const tooWide = (await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')) as number
      if (tooWide > 0) found.push(`${path}: ${tooWide} px wider than the window`)
      if (options.width === undefined || title === 'overview') await picture(page, `${title}-${name.replaceAll(' ', '-')}`)
      if (shown.has(`${title} ${name}`)) await sight(page, `readme-${title}`)
    }
    expect(found).toEqual([])
    expect(visitor.faults).toEqual([])
    await visitor.context.close()
  })

  test('the dialog of a run, and the sign-in', async () => {
    const visitor = await visit(site)
    const { page } = visitor
    await visitor.open('messages/1')
    await page.getByRole('button', { name: 'Replay all' }).click()
    await page.getByRole('dialog').getByText('477 instances').waitFor()
    await page.evaluate(axe.source)
    expect(await page.evaluate(audit())).toEqual([])
    await picture(page, 'dialog')
    const guest = await visit(site, { token: null })
    await guest.open('')
    await guest.page.evaluate(axe.source)
    expect(await guest.page.evaluate(audit())).toEqual([])
    await picture(guest.page, 'sign-in')
    expect([...visitor.faults, ...guest.faults]).toEqual([])
  })

  test('language and colours change at once, and are remembered', async () => {
    const { page, open, faults } = await visit(site)
    await open('messages')
    await page.getByText('РУ', { exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Сообщения' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('ru')
    await expect.poll(() => page.locator('tbody').innerText()).toContain('Обработано с ошибками')
    await open(morning.waiting)
    await page.getByText('Ждёт объекта, который ещё не пришёл').waitFor()
    await open('messages')
    await page.getByLabel('Цвета').selectOption('dark')
    expect(await page.locator('html').getAttribute('data-mantine-color-scheme')).toBe('dark')
    await page.reload()
    await page.getByRole('heading', { level: 1, name: 'Сообщения' }).waitFor()
    expect(await page.locator('html').getAttribute('data-mantine-color-scheme')).toBe('dark')
    expect(faults).toEqual([])
  })
})
