import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, hasNative, type TestDatabase } from '../support/database.ts'
import { Workplace } from './program.ts'

const config = ['--config', fileURLToPath(new URL('fixture/deadly.config.ts', import.meta.url))]

describe.skipIf(!hasNative)('sluice work, on PostgreSQL', () => {
  let database: TestDatabase
  let place: Workplace
  let env: Record<string, string>

  beforeAll(async () => {
    database = await createTestDatabase('postgres')
    place = await Workplace.create()
    env = { DATABASE_URL: database.url, SLUICE_TOKEN: 'a-token-of-at-least-thirty-two-characters' }
    const server = place.start(['serve', '--json', '--port', '0', ...config], { env })
    env.SLUICE_URL = (JSON.parse(await server.line()) as { url: string }).url
  }, 60_000)
  afterAll(async () => {
    await place.dispose()
    await database.close()
  })

  async function send(things: readonly object[]) {
    const file = await place.file('things.json', JSON.stringify(things))
    const { code, stdout } = await place.run(['send', 'thing', file, '--wait', '--timeout', '90', '--json'], { env })
    return { code, message: JSON.parse(stdout) as Record<string, unknown> }
  }

  test('doctor sees a worker that has just started', { timeout: 60_000 }, async () => {
    expect((await place.run(['doctor', ...config], { env })).stdout).toContain('warning  worker: none was ever seen')
    const worker = place.start(['work', ...config], { env })
    await worker.line()
    const seen = async () => (await place.run(['doctor', ...config], { env })).stdout
    await expect.poll(seen, { timeout: 30_000 }).toMatch(/ok {7}worker: (one has just started|last seen)/)
    await worker.stop('SIGTERM')
  })

  test('an object that kills its worker is quarantined, the others are processed', { timeout: 120_000 }, async () => {
    const worker = place.start(['work', ...config], { env })
    const { code, message } = await send([
      { id: 'a', does: 'nothing' },
      { id: 'b', does: 'kill' },
      { id: 'c', does: 'nothing' },
    ])
    expect(code).toBe(4)
    expect(message).toMatchObject({ counts: { created: 2, failed: 1 }, failures: [{ externalId: 'b', error: { code: 'quarantined' } }] })
    const { code: end, stderr } = await worker.stop('SIGTERM')
    expect(end).toBe(0)
    expect(stderr).toMatch(/worker \d ended \(SIGKILL\); it is started again in/)
  })

  test('a worker that hangs is killed at its deadline, and its chunk goes on', { timeout: 120_000 }, async () => {
    const worker = place.start(['work', '--processes', '1', ...config], { env })
    const { code, message } = await send([
      { id: 'd', does: 'hang once' },
      { id: 'e', does: 'nothing' },
    ])
    expect(code).toBe(0)
    expect(message).toMatchObject({ status: 3, counts: { created: 2 } })
    const { code: end, stderr } = await worker.stop('SIGINT')
    expect(end).toBe(0)
    expect(stderr).toMatch(/worker 1 is at chunk \d+ for more than 3 s/)
  })

  test('tokens are made in the database, while others use it', { timeout: 60_000 }, async () => {
    const created = await place.run(['token', 'create', 'erp', ...config], { env: { DATABASE_URL: database.url } })
    const sent = await place.run(['status', '--json'], { env: { SLUICE_URL: env.SLUICE_URL ?? '', SLUICE_TOKEN: created.stdout.trim() } })
    expect(JSON.parse(sent.stdout)).toEqual({ items: [], next: null })
  })

  test('doctor finds it healthy; a database that is not there is told with 5', { timeout: 60_000 }, async () => {
    const { code, stdout } = await place.run(['doctor', ...config], { env })
    expect(stdout).toMatch(/ok {7}database: PostgreSQL 1[48]/)
    expect(code).toBe(0)
    const nowhere = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' }
    expect(await place.run(['doctor', ...config], { env: nowhere })).toMatchObject({ code: 5 })
    expect(await place.run(['migrate', ...config], { env: nowhere })).toMatchObject({ code: 5, stdout: '' })
    const elsewhere = (user: string, path: string): Record<string, string> => {
      const url = new URL(database.url ?? '')
      url.username = user
      url.pathname = path
      return { DATABASE_URL: url.href }
    }
    const { username, pathname } = new URL(database.url ?? '')
    for (const [wrong, words] of [
      [elsewhere('nobody_at_all', pathname), 'PostgreSQL refused the login: check user and password in DATABASE_URL'],
      [elsewhere(username, '/nothing_there'), 'Create that database, or name another one in DATABASE_URL'],
    ] as const) {
      const told = await place.run(['doctor', ...config], { env: wrong })
      expect(told).toMatchObject({ code: 5, stdout: expect.stringContaining(words) })
    }
  })
})
