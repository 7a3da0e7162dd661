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
  })

  test('2: what is no id, no status, no count; 3: an integration that is not there', async () => {
    for (const args of [['abc'], ['--status', '7'], ['--limit', '0'], ['--limit', 'x']])
      expect(await sluice('status', ...args)).toMatchObject({ code: 2, stdout: '' })
    expect(await sluice('status', '--integration', 'nobody')).toMatchObject({ code: 3, stderr: expect.stringContaining('"nobody"') })
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
    expect(await sluice('run', 'split', '--message', 'abc')).toMatchObject({ code: 2 })
    expect(await sluice('run', 'split', '--instance', '12')).toMatchObject({ code: 2 })
  })

  test('2: options that do not go together, told by their names', async () => {
    for (const [args, words] of [
      [['split', '--replay', '--message', '1'], '--replay is for reprocess'],
      [['process', '--as-draft'], '--as-draft is for reprocess'],
      [['reprocess', '--replay'], '--replay needs --message'],
      [['reprocess', '--draft', '--no-draft'], '--draft and --no-draft exclude each other'],
    ] as const) {
      const { code, stdout, stderr } = await sluice('run', ...args, '--json')
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(words) })
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'invalid_run' } })
    }
  })

  test('3: a message that is not there', async () => {
    expect(await sluice('run', 'split', '--message', '999999', '--wait')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('There is no message 999999.'),
    })
  })

  test('what a run did is told in words', async () => {
    const { code, stdout } = await sluice('run', 'rollup', '--wait')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^run \d+ of "rollup" finished: [a-z]+ \d+(, |\n)/)
  })
})

describe('sluice prune', { timeout: 60_000 }, () => {
  test('a dry run tells what would go; the run removes it and says how much', async () => {
    const dry = await sluice('prune', '--dry-run')
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/^what .*count.*\nruns of tasks +30 +0 *\n$/) })
    expect(JSON.parse((await sluice('prune', '--dry-run', '--json')).stdout)).toEqual({
      rules: [{ what: 'runs', days: 30, count: 0, instances: 0, bytes: 0 }],
    })
    const { code, stdout } = await sluice('prune')
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^run \d+ of "prune" finished: there was nothing to do\n$/),
    })
    expect(await sluice('run', 'prune', '--integration', 'product')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('retention'),
    })
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
    for (const where of [
      ['--url', dev.url],
      ['--config', fixtureConfig],
    ]) {
      expect(await sluice('token', 'revoke', 'erp', ...where)).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('There is no valid token'),
      })
    }
  })

  test('in the database, where nobody else has it', async () => {
    const alone = await Workplace.create(migrated)
    try {
      const created = await alone.run(['token', 'create', 'hr', '--role', 'operator', '--json', '--config', fixtureConfig])
      expect(JSON.parse(created.stdout)).toMatchObject({ name: 'hr', role: 'operator', integrations: null, token: expect.any(String) })
      expect(await alone.run(['token', 'revoke', 'hr', '--config', fixtureConfig])).toMatchObject({ code: 0 })
      expect((await alone.run(['token', 'list', '--config', fixtureConfig])).stdout).toContain('revoked')
      expect(await alone.run(['token', 'revoke', 'hr', '--config', fixtureConfig])).toMatchObject({ code: 3 })
    } finally {
      await alone.dispose()
    }
  })
})
