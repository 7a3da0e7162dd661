import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Dev, fixtureConfig, Workplace } from './program.ts'

let migrated: Workplace
let place: Workplace
let dev: Dev

beforeAll(async () => {
  migrated = await Workplace.create()
  await migrated.run(['migrate', '--config', fixtureConfig])
  place = await Workplace.create(migrated)
  dev = await place.dev()
}, 60_000)
afterAll(async () => {
  await place.dispose()
  await migrated.dispose()
})

async function sluice(...args: string[]) {
  return place.run(args, { env: dev.env })
}

async function send(objects: unknown): Promise<string> {
  const file = await place.file('message.json', JSON.stringify(objects))
  const { stdout } = await sluice('send', 'product', file, '--wait', '--json')
  return (JSON.parse(stdout) as { id: string }).id
}

describe('sluice status', { timeout: 60_000 }, () => {
  test('one message: outcomes, failures, and the exit code that goes with them', async () => {
    const good = await send([{ id: 'status-1', title: 'S' }])
    expect(await sluice('status', good)).toMatchObject({ code: 0, stdout: expect.stringMatching(/created {8}1/) })
    const bad = await send([{ id: 'status-2', title: 'S', price: -1 }])
    const shown = await sluice('status', bad, '--json')
    expect(shown.code).toBe(4)
    expect(JSON.parse(shown.stdout)).toMatchObject({ id: bad, status: -3, failures: [{ externalId: 'status-2' }] })
    expect(await sluice('status', '999999')).toMatchObject({ code: 3 })
  })

  test('the last messages, filtered', async () => {
    const id = await send([{ id: 'status-3', title: 'S' }])
    const { stdout } = await sluice('status', '--status', '3', '--integration', 'product', '--limit', '1', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ items: [{ id, status: 3 }] })
    expect((await sluice('status')).stdout).toMatch(/^message {2}integration/)
    expect(await sluice('status', '--status', '7')).toMatchObject({ code: 2 })
  })
})

describe('sluice run', { timeout: 60_000 }, () => {
  test('replays a processed message and tells what the run did', async () => {
    const id = await send([{ id: 'run-1', title: 'R' }])
    const { code, stdout } = await sluice('run', 'reprocess', '--message', id, '--replay', '--wait', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      task: 'reprocess',
      startedBy: 'click',
      state: 'finished',
      parameters: { messages: [id], replay: true },
    })
    const status = async () => JSON.parse((await sluice('status', id, '--json')).stdout)
    await expect.poll(status, { timeout: 20_000 }).toMatchObject({ status: 3, counts: { unchanged: 1, created: 0 } })
  })

  test('2: a task that does not exist, an option without a number', async () => {
    expect(await sluice('run', 'sweep')).toMatchObject({ code: 2, stderr: expect.stringContaining('split') })
    expect(await sluice('run', 'rollup', '--since-days', 'week')).toMatchObject({ code: 2 })
  })
})

describe('sluice token', { timeout: 60_000 }, () => {
  test('through the server, while the embedded database belongs to it', async () => {
    const created = await sluice('token', 'create', 'erp', '--integration', 'product', '--config', fixtureConfig)
    expect(created.code).toBe(0)
    const secret = created.stdout.trim()
    expect(secret.length).toBeGreaterThanOrEqual(32)
    const file = await place.file('erp.json', '[{"id":"erp-1","title":"E"}]')
    const sender = { SLUICE_URL: dev.url, SLUICE_TOKEN: secret }
    expect(await place.run(['send', 'product', file], { env: sender })).toMatchObject({ code: 0 })
    expect(await place.run(['run', 'rollup'], { env: sender })).toMatchObject({ code: 3 })

    const listed = await sluice('token', 'list', '--json', '--url', dev.url)
    expect(JSON.parse(listed.stdout).items).toContainEqual(
      expect.objectContaining({ name: 'erp', role: 'sender', integrations: ['product'], revokedAt: null }),
    )
    expect(listed.stdout).not.toContain(secret)

    expect(await sluice('token', 'revoke', 'erp', '--url', dev.url)).toMatchObject({ code: 0 })
    expect(await place.run(['send', 'product', file], { env: sender })).toMatchObject({ code: 3 })
    expect(await sluice('token', 'revoke', 'erp', '--url', dev.url)).toMatchObject({ code: 1 })
  })

  test('in the database, where nobody else has it', async () => {
    const alone = await Workplace.create(migrated)
    try {
      const created = await alone.run(['token', 'create', 'hr', '--role', 'operator', '--json', '--config', fixtureConfig])
      expect(JSON.parse(created.stdout)).toMatchObject({ name: 'hr', role: 'operator', integrations: null, token: expect.any(String) })
      expect(await alone.run(['token', 'revoke', 'hr', '--config', fixtureConfig])).toMatchObject({ code: 0 })
      expect((await alone.run(['token', 'list', '--config', fixtureConfig])).stdout).toContain('revoked')
    } finally {
      await alone.dispose()
    }
  })
})
