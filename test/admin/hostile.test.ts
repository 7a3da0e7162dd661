/** Whatever senders write is text: it never becomes markup, script or a link, and never changes how the rest reads. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasChromium } from './chromium.ts'
import { openSite, type Site, type Visitor, visit } from './support.ts'

const texts = {
  script: '<script>window.hit = 1</script>',
  handler: '<img src=x onerror="window.hit = 1">"><svg onload=window.hit=1>',
  link: 'javascript:window.hit=1',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that it isn't one here is the point
  template: '{{constructor.constructor("window.hit=1")()}} ${window.hit=1}',
  reversed: 'safe\u202egnp.exe',
  unseen: 'zero\u200bwidth\u0007bell',
  long: 'x'.repeat(1024 * 1024),
}
const evil = Object.values(texts).slice(0, 4).join(' ')
/** Keys that are numbers stand where they stand. */
const object = `{"id":${JSON.stringify(evil)},"note":${JSON.stringify(texts.reversed)},
  ${Object.entries(texts)
    .map(([key, text]) => `${JSON.stringify(`${key} ${texts.script}`)}:${JSON.stringify(text)}`)
    .join(',')},
  "big":1234567890123456789012345678901234567890.10,"1":"one","0":"zero"}`

describe.skipIf(!hasChromium)('hostile text', () => {
  let site: Site
  let visitor: Visitor
  beforeAll(async () => {
    site = await openSite('pglite')
    await site.send('anything', `[${object}]`) // 1
    await site.send('anything', [{ id: `${evil} 2`, fail: `${evil} ${texts.reversed}` }]) // 2
    await site.send('anything', `[{"id":5,${JSON.stringify(texts.script)}:1}]`) // 3: not correct
    await site.send('anything', `not json ${evil}`) // 4
    await site.send('anything', '[{"id":"x","__proto__":{"polluted":true}}]') // 5: refused for its key
    await site.drain()
    await fetch(`${site.url}api/tasks/reprocess/runs`, {
      method: 'POST',
      headers: { Authorization: 'Bearer admin-token-of-the-tests-0123456789', 'Content-Type': 'application/json' },
      body: JSON.stringify({ errorCode: evil }),
    })
    await site.drain()
    visitor = await visit(site)
  }, 120_000)
  afterAll(() => site?.close())

  const id = encodeURIComponent(evil)
  test.each([
    ['', texts.script],
    ['messages', ''],
    [`messages?source=${id}&externalId=${id}`, ''],
    ['messages/1?body=shown', texts.script],
    ['messages/3?body=shown&place=/0/id', texts.script],
    ['messages/4?body=shown', 'javascript:window.hit=1'],
    ['messages/5?body=shown', '"__proto__"'],
    ['instances', texts.script],
    ['instances/1.0', texts.script],
    ['instances/2.0', texts.script],
    [`objects?integration=anything&externalId=${id}`, '⟨U+202E⟩'],
    [`objects?integration=${id}&externalId=${id}`, ''],
    ['errors', texts.script],
    ['tasks', texts.script],
    ['tasks/1', texts.script],
  ])('%s', async (path, shown) => {
    const { page, faults } = visitor
    await visitor.open(path)
    await expect.poll(() => page.locator('main').innerText()).toContain(shown)
    expect(await page.evaluate('[window.hit, ({}).polluted]')).toEqual([undefined, undefined])
    await expect.poll(() => page.locator('main script, main img:not([src^="data:"]), main a[href^="javascript:"]').count()).toBe(0)
    await expect.poll(() => page.locator('main').innerText()).not.toMatch(/[\u202a-\u202e\u200b]/)
    expect(faults.splice(0).filter((fault) => !fault.includes('404') && !fault.includes('403'))).toEqual([])
  })

  test('a dry run of it', async () => {
    const { page, faults } = visitor
    await visitor.open('integrations/anything')
    await page.getByLabel('An object, or an array of objects').fill(`[{"id":${JSON.stringify(evil)},"fail":${JSON.stringify(evil)}}]`)
    await page.getByRole('button', { name: 'Dry run' }).click()
    await expect.poll(() => page.locator('main').innerText()).toContain(`${texts.script} ${texts.handler}`)
    expect(await page.evaluate('window.hit')).toBe(undefined)
    expect(faults.splice(0)).toEqual([])
  })

  test('numbers keep every digit, and keys their order', async () => {
    const { page } = visitor
    await visitor.open('instances/1.0')
    const text = await page.getByRole('group', { name: 'The object, as it was sent' }).innerText()
    expect(text).toContain('"big": 1234567890123456789012345678901234567890.10')
    expect(text).toMatch(/"1": "one",\s+"0": "zero"/)
    expect(text).toContain('⟨U+202E⟩')
    expect(text.length).toBeLessThan(20_000)
    await page.getByRole('button', { name: 'Show all (1,048,578 characters)' }).click()
    await expect
      .poll(async () => (await page.getByRole('group', { name: 'The object, as it was sent' }).innerText()).length)
      .toBeGreaterThan(1e6)
  })
})
