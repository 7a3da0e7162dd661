/** The pages beside messages: what they show, and each action to its effect in the database. */
import { readFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createToken } from '../../src/store/token.ts'
import { databaseKinds } from '../support/database.ts'
import { hasChromium } from './chromium.ts'
import { openSite, type Site, settled, token, type Visitor, visit } from './support.ts'

const release = new URL('../../examples/ror/data/v2.0.json', import.meta.url)

describe.skipIf(!hasChromium).each(databaseKinds)('%s', (kind) => {
  let site: Site
  let visitor: Visitor
  beforeAll(async () => {
    site = await openSite(kind)
    await site.send('organization', await readFile(release, 'utf8'))
    await site.send('organization', '[{"id":5}]')
    await site.send('anything', [
      { id: 'a1', fail: 'The shop is closed.' },
      { id: 'a2', fail: 'The shop is closed.' },
    ])
    await site.drain()
    visitor = await visit(site)
  }, 120_000)
  afterAll(() => site?.close())
  afterEach(() => {
    expect(visitor.faults.splice(0)).toEqual([])
  })
  const query = async <Row>(sql: string): Promise<Row[]> => (await site.sluice.services.db.query<Row>(sql)).rows

  test('overview: what needs somebody, what goes through, how each integration is', async () => {
    const { page } = visitor
    await visitor.open('')
    await page.getByRole('article', { name: '2 failed instances' }).getByText('The shop is closed.').waitFor()
    await page.getByRole('article', { name: '1 message not correct' }).waitFor()
    await page.getByRole('img', { name: 'Instances per minute' }).locator('canvas').waitFor()
    await page.getByText('The same as a table').click()
    await expect.poll(() => page.getByRole('table', { name: 'Instances per minute' }).innerText()).toMatch(/477/)
    const row = page.getByRole('table', { name: 'Integrations' }).getByRole('row').filter({ hasText: 'anything' })
    await expect.poll(() => row.innerText()).toMatch(/2\s+100\s?%/)
    await page.getByRole('article', { name: '1 message not correct' }).getByRole('link').click()
    await page.getByRole('link', { name: '2', exact: true }).waitFor()
    expect(page.url()).toBe(`${site.url}messages?status=-1`)
  })

  test('errors: a group, its instances, and the whole group again', async () => {
    const { page } = visitor
    await visitor.open('errors')
    const row = page.getByRole('row').filter({ hasText: 'refused_here' })
    await expect.poll(() => row.innerText()).toContain('The shop is closed.')
    await row.getByRole('button', { name: 'Reprocess this group' }).click()
    await page.getByRole('dialog').getByText('2 failed instances are put back').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Do it' }).click()
    await page.getByRole('dialog').getByText('is on its way').waitFor()
    await page.keyboard.press('Escape')
    await row.getByRole('link', { name: 'Show its instances' }).click()
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2)
    await site.drain()
    expect(await query(`SELECT attempts FROM sluice.instance WHERE integration = 'anything'`)).toEqual([{ attempts: 2 }, { attempts: 2 }])
    expect(await query(`SELECT actor, action FROM sluice.audit_log WHERE action = 'task.run'`)).toEqual([
      { actor: 'admin', action: 'task.run' },
    ])
  })

  test('instances: filters, a selection, and all that match', async () => {
    const { page } = visitor
    await visitor.open('instances?failed=true')
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2)
    await page.getByRole('checkbox', { name: 'Select all on this page' }).click()
    await page.getByText('2 instances selected').waitFor()
    await visitor.open('instances?integration=anything')
    await page.getByRole('button', { name: 'Reprocess all that match' }).click()
    await page.getByRole('dialog').getByText('2 failed instances are put back').waitFor()
    await page.keyboard.press('Escape')
    await visitor.open('instances?externalId=a1')
    await page.getByText('choose one').waitFor()
    await page.getByLabel('Integration').selectOption('anything')
    await page.getByRole('button', { name: 'Apply' }).click()
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1)
  })

  /** Presses a button that starts a run, reads what it would do, does it, and lets a worker carry it out. */
  const act = async (button: string, says: string): Promise<void> => {
    const { page } = visitor
    await page.locator('main').getByRole('button', { name: button, exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText(says).waitFor()
    await dialog.getByRole('button', { name: 'Do it' }).click()
    await dialog.getByText('is on its way').waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await site.drain()
  }

  test('chosen instances again, a message again, counted again, split again: each to its effect', async () => {
    const { page } = visitor
    const message = async (id: string) => (await query(`SELECT status, total FROM sluice.message WHERE id = ${id}`))[0]
    const instance = async (id: string) =>
      (await query(`SELECT status, attempts, generation FROM sluice.instance WHERE message_id = ${id} AND ordinal = 0`))[0]
    await visitor.open('instances?integration=anything&failed=true')
    await page.getByRole('checkbox', { name: 'Select 3.0', exact: true }).click()
    const { attempts } = (await instance('3')) as { attempts: number }
    await act('Reprocess failed', '1 failed instance is put back')
    expect(await instance('3')).toMatchObject({ status: -2, attempts: attempts + 1, generation: 0 })

    const id = await site.send('position', [{ ms_id: 'p20', title: 'Porter' }])
    await query(`UPDATE sluice.message SET status = -2, status_details = '{"code":"split_failed","message":"It broke."}' WHERE id = ${id}`)
    await visitor.open(`messages/${id}`)
    await page.getByText('It could not be split').waitFor()
    await act('Split again', '1 message is split into objects')
    expect(await message(id)).toEqual({ status: 3, total: 1 })

    await page.getByText('3 · Processed', { exact: true }).waitFor()
    await act('Replay all', '1 instance is processed again, also')
    expect(await instance(id)).toMatchObject({ status: 2, generation: 1 })
    await visitor.open(`instances/${id}.0`)
    await act('Replay', '1 instance is processed again, also')
    expect(await instance(id)).toMatchObject({ status: 2, generation: 2 })
    await visitor.open(`messages/${id}`)
    await act('Roll up', '1 message is counted again')
    expect(
      await query(
        `SELECT state, actor, result ->> 'recounted' AS recounted FROM sluice.task_run WHERE task = 'rollup' ORDER BY id DESC LIMIT 1`,
      ),
    ).toEqual([{ state: 'finished', actor: 'admin', recounted: '1' }])
  })

  test('a paused integration says why, and goes on by a click', async () => {
    const { page } = visitor
    await query(
      `INSERT INTO sluice.paused_integration (integration, reason) VALUES ('position', '{"code":"target_mismatch","message":"A column is missing."}')`,
    )
    await visitor.open('')
    await page.getByRole('article', { name: 'An integration is paused' }).getByRole('link', { name: 'position' }).click()
    await page.getByText('A column is missing.').waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('A column is missing.').waitFor({ state: 'detached' })
    expect(await query('SELECT FROM sluice.paused_integration')).toEqual([])
  })

  test('an integration: how to send, its schema, a dry run and a message of one’s own', async () => {
    const { page } = visitor
    await visitor.open('integrations')
    await page.getByRole('link', { name: 'position' }).click()
    await page.getByRole('heading', { level: 1, name: 'Integration position' }).waitFor()
    await settled(page)
    await expect.poll(() => page.locator('main').innerText()).toContain(`curl -i '${site.url}api/integrations/position/messages'`)
    await expect.poll(() => page.getByRole('table', { name: 'Schema of an object' }).innerText()).toMatch(/ms_id\s+string\s+yes/)
    await expect.poll(() => page.getByRole('table', { name: 'Target' }).innerText()).toMatch(/columns\.title\s+field title/)
    const text = page.getByLabel('An object, or an array of objects')
    expect(JSON.parse(await text.inputValue())).toEqual([{ ms_id: '', title: '' }])
    await text.fill('{"ms_id":"p7","title":"Nurse"}')
    await page.getByRole('button', { name: 'Dry run' }).click()
    await page.getByText('nothing was kept').waitFor()
    expect(await query(`SELECT FROM public.position WHERE ms_id = 'p7'`)).toEqual([])
    await page.getByRole('button', { name: 'Send it' }).click()
    await page.getByRole('link', { name: 'Follow message' }).click()
    await page.getByRole('heading', { level: 1, name: /Message \d+/ }).waitFor()
    await site.drain()
    expect(await query(`SELECT title FROM public.position WHERE ms_id = 'p7'`)).toEqual([{ title: 'Nurse' }])
    await page.getByText('3 · Processed', { exact: true }).waitFor()

    await visitor.open('integrations/position')
    await text.fill('[{"ms_id":7}]')
    await page.getByRole('button', { name: 'Send it' }).click()
    await page.getByText('/0/ms_id').waitFor()
    // The refused request stands on the console.
    visitor.faults.length = 0
  })

  test('tasks: schedules, a run with parameters, and what it did', async () => {
    const { page } = visitor
    await visitor.open('tasks')
    const card = page.getByRole('article', { name: 'Roll up' })
    await expect.poll(() => card.innerText()).toContain('*/5 * * * *')
    await card.getByRole('button', { name: 'Parameters of a run by hand' }).click()
    await card.getByLabel('Ids of messages or instances').fill('1')
    await card.getByRole('button', { name: 'Run now' }).click()
    await page.getByRole('dialog').getByText('1 message is counted again').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Do it' }).click()
    await page.getByRole('dialog').getByRole('link', { name: 'Show the run' }).click()
    await site.drain()
    await page.getByText('messages counted again: 1').waitFor()
    await visitor.open('tasks?task=rollup')
    await expect.poll(() => page.getByRole('table', { name: 'Runs' }).innerText()).toMatch(/by a click · admin/)
  })

  test('access: a token is shown once, works, and is revoked', async () => {
    const { page } = visitor
    await visitor.open('access')
    await page.getByLabel('Name').fill('the shop')
    await page.getByLabel('Role').selectOption('viewer')
    await page.getByRole('button', { name: 'Create' }).click()
    const secret = await page.locator('pre', { hasText: 'slc_' }).innerText()
    const reads = async () => (await fetch(`${site.url}api/messages`, { headers: { Authorization: `Bearer ${secret}` } })).status
    expect(await reads()).toBe(200)
    await page.reload()
    await page.getByRole('row').filter({ hasText: 'the shop' }).waitFor()
    expect(await page.content()).not.toContain(secret)
    const viewer = await visit(site, { token: secret })
    await viewer.open('access')
    await expect.poll(() => viewer.page.getByRole('link', { name: 'Access' }).count()).toBe(0)
    await viewer.open('messages/1')
    await expect.poll(() => viewer.page.getByRole('button', { name: 'Replay all' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Revoke: the shop' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('row').filter({ hasText: 'the shop' }).getByText('revoked').waitFor()
    expect(await reads()).toBe(401)
    await viewer.page.reload()
    await viewer.page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await viewer.context.close()
  })

  test('a sender sees its own messages, and nothing that it may not', async () => {
    const { token: secret } = await createToken(site.sluice.services.db, { name: 'a sender', role: 'sender', integrations: null }, 'test')
    const sent = await fetch(`${site.url}api/integrations/position/messages`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' },
      body: '[{"ms_id":"p9","title":"Porter"}]',
    })
    const { id } = (await sent.json()) as { id: string }
    await site.drain()
    const sender = await visit(site, { token: secret })
    const { page } = sender
    await page.getByRole('heading', { level: 1, name: 'Messages' }).waitFor()
    await expect.poll(() => page.getByRole('navigation').first().getByRole('link').allInnerTexts()).toEqual(['Messages', 'Instances'])
    await settled(page)
    await expect.poll(() => page.locator('tbody tr').count()).toBe(1)
    for (const path of [`messages/${id}`, `instances/${id}.0`, 'instances']) {
      await sender.open(path)
      expect(
        await page
          .locator('main')
          .getByRole('button', { name: /Reprocess|Replay|Roll up|Split/ })
          .count(),
      ).toBe(0)
    }
    expect(sender.faults).toEqual([])
    await sender.context.close()
  })

  test('signing out, and in', async () => {
    const guest = await visit(site)
    await guest.page.getByRole('button', { name: 'Sign out' }).click()
    await guest.page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await guest.page.reload()
    await guest.page.getByRole('heading', { name: 'Sign in' }).waitFor()
    expect(guest.faults).toEqual([])
    await guest.page.getByRole('textbox').fill('wrong')
    await guest.page.getByRole('button', { name: 'Sign in' }).click()
    await guest.page.getByText('The token is not known here').waitFor()
    await guest.page.getByRole('textbox').fill(token)
    await guest.page.getByRole('button', { name: 'Sign in' }).click()
    await guest.page.getByRole('navigation').first().waitFor()
    await guest.page.reload()
    await guest.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await guest.context.close()
  })
})
