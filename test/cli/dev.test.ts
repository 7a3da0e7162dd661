import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fixtureConfig, fixtureTables, Workplace } from './program.ts'

let migrated: Workplace
let place: Workplace

beforeAll(async () => {
  migrated = await Workplace.create()
  await migrated.run(['migrate', '--config', fixtureConfig])
}, 60_000)
afterAll(() => migrated.dispose())
beforeEach(async () => {
  place = await Workplace.create(migrated)
})
afterEach(() => place.dispose())

describe('sluice dev', { timeout: 60_000 }, () => {
  test('serves and works until Ctrl-C, then ends with 0 and leaves the database free', async () => {
    const dev = await place.dev()
    const file = await place.file('one.json', '[{"id":"a","title":"A"}]')
    expect(await place.run(['send', 'product', file, '--wait'], { env: dev.env })).toMatchObject({ code: 0 })
    const { code, stderr } = await dev.started.stop('SIGINT')
    expect(code).toBe(0)
    expect(stderr).toContain('stopping')

    const again = await place.dev()
    const { stdout } = await place.run(['send', 'product', file, '--wait', '--json'], { env: again.env })
    expect(JSON.parse(stdout)).toMatchObject({ counts: { unchanged: 1 } })
    expect(await again.started.stop('SIGTERM')).toMatchObject({ code: 0 })
  })

  test('Ctrl-C in the middle of a message: nothing is lost and nothing is applied twice', async () => {
    const dev = await place.dev()
    const objects = Array.from({ length: 6000 }, (_, index) => ({ id: `p${index}`, title: `Product ${index}` }))
    const file = await place.file('many.json', JSON.stringify(objects))
    const sent = await place.run(['send', 'product', file, '--json'], { env: dev.env })
    const { id } = JSON.parse(sent.stdout) as { id: string }
    expect(await dev.started.stop('SIGINT')).toMatchObject({ code: 0 })

    const again = await place.dev()
    const status = async () => JSON.parse((await place.run(['status', id, '--json'], { env: again.env })).stdout)
    await expect.poll(status, { timeout: 30_000 }).toMatchObject({ status: 3, counts: { created: 6000, waiting: 0, processing: 0 } })
  })

  test('tells people where it is and which token to use', async () => {
    const token = 'a-token-of-at-least-thirty-two-characters'
    const started = place.start(['dev', '--port', '0', '--config', fixtureConfig, '--sql', fixtureTables], { env: { SLUICE_TOKEN: token } })
    expect(await started.line()).toMatch(/^Sluice is ready at http:\/\/127\.0\.0\.1:\d+$/)
    const { stdout } = await started.stop()
    expect(stdout).toContain(token)
    expect(stdout).toMatch(/API {8}http:\S+\/api\/docs,/)
    expect(stdout).toContain('  npx sluice send product FILE --wait\n')
  })

  test('5: a second process is refused the embedded database', async () => {
    await place.dev()
    const { code, stderr } = await place.run(['migrate', '--config', fixtureConfig])
    expect(code).toBe(5)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toContain('If it is "sluice dev": that migrates whenever it starts.')
    const doctor = await place.run(['doctor', '--config', fixtureConfig])
    expect(doctor).toMatchObject({ code: 5, stdout: expect.stringContaining('If it is "sluice dev", stop it') })
    const ddl = await place.run(['doctor', '--ddl', '--config', fixtureConfig])
    expect(ddl).toMatchObject({ code: 5, stderr: expect.stringContaining('If it is "sluice dev", stop it') })
  })

  test('2: a port in use, SQL that can not be read; 1: SQL that fails', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    try {
      const { port } = other.address() as AddressInfo
      const busy = await place.run(['dev', '--config', fixtureConfig], { env: { PORT: String(port) } })
      expect(busy).toMatchObject({ code: 2, stderr: expect.stringContaining(`Port ${port}`) })
    } finally {
      other.close()
    }
    expect(await place.run(['dev', '--config', fixtureConfig, '--sql', 'missing.sql', '--port', '0'])).toMatchObject({ code: 2 })
    const bad = await place.file('bad.sql', 'CREATE TABEL x ()')
    const failed = await place.run(['dev', '--config', fixtureConfig, '--sql', bad, '--port', '0'])
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('TABEL') })
  })
})
