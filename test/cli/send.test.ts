import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Dev, fixtureConfig, fixtureTables, Workplace } from './program.ts'

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

describe('sluice send', { timeout: 60_000 }, () => {
  test('prints the outcome table when it waits', async () => {
    const file = await place.file(
      'two.json',
      JSON.stringify([
        { id: 'a', title: 'A' },
        { id: 'b', title: 'B', price: 1.5 },
      ]),
    )
    const { code, stdout } = await sluice('send', 'product', file, '--wait')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^message \d+ {2}product {2}3 Processed {2}2 objects\noutcome {2}objects\ncreated {8}2\n$/)
  })

  test('prints the receipt when it does not', async () => {
    const file = await place.file('one.json', '{"id":"one","title":"One"}')
    const { code, stdout } = await sluice('send', 'product', file)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^message \d+ {2}product {2}1 Message received, correct {2}1 objects\n/)
  })

  test('--json gives the message alone on stdout', async () => {
    const file = await place.file('json.json', '[{"id":"json","title":"J"}]')
    const { code, stdout } = await sluice('send', 'product', file, '--wait', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      integration: 'product',
      status: 3,
      total: 1,
      counts: { created: 1, failed: 0 },
      failures: [],
    })
  })

  test('sends a gzipped NDJSON file as it is', async () => {
    const file = await place.file('lines.ndjson.gz', gzipSync('{"id":"n1","title":"1"}\n{"id":"n2","title":"2"}\n'))
    const { code, stdout } = await sluice('send', 'product', file, '--wait', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ format: 'ndjson', total: 2, counts: { created: 2 } })
  })

  test('takes standard input, and --ndjson for its format', async () => {
    const stdin = '{"id":"s1","title":"1"}\n{"id":"s2","title":"2"}\n'
    const { code, stdout } = await place.run(['send', 'product', '-', '--ndjson', '--wait', '--json'], { env: dev.env, stdin })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ format: 'ndjson', total: 2 })
  })

  test('the same idempotency key is the same message', async () => {
    const file = await place.file('key.json', '[{"id":"key","title":"K"}]')
    const first = await sluice('send', 'product', file, '--idempotency-key', 'k-1', '--json')
    const second = await sluice('send', 'product', file, '--idempotency-key', 'k-1', '--json')
    expect(JSON.parse(second.stdout).id).toBe(JSON.parse(first.stdout).id)
    const other = await place.file('other.json', '[{"id":"key","title":"other"}]')
    const third = await sluice('send', 'product', other, '--idempotency-key', 'k-1')
    expect(third.code).toBe(3)
    expect(third.stderr).toContain('k-1')
  })

  test('3: an incorrect message is refused, each error with its pointer', async () => {
    const file = await place.file('wrong.json', '[{"id":"w1","title":"W"},{"id":"w2"}]')
    const { code, stdout, stderr } = await sluice('send', 'product', file, '--wait')
    expect(code).toBe(3)
    expect(stdout).toBe('')
    expect(stderr).toContain('/1/title')
    expect(stderr).toMatch(/its bytes are kept as message \d+/)
    const asJson = await sluice('send', 'product', file, '--json')
    expect(JSON.parse(asJson.stdout)).toMatchObject({ error: { details: { errors: [{ pointer: '/1/title' }], errorCount: 1 } } })
  })

  test('3: an unknown integration, and what is not JSON', async () => {
    const file = await place.file('unknown.json', '[]')
    expect(await sluice('send', 'nobody', file)).toMatchObject({ code: 3, stderr: expect.stringContaining('nobody') })
    const broken = await place.file('broken.json', '[{"id":')
    expect(await sluice('send', 'product', broken)).toMatchObject({ code: 3 })
  })

  test('3: a token without access', async () => {
    const file = await place.file('access.json', '[]')
    const { code, stderr } = await place.run(['send', 'product', file], { env: { SLUICE_URL: dev.url } })
    expect(code).toBe(3)
    expect(stderr).toContain('SLUICE_TOKEN')
  })

  test('4: processed with errors, and the failures are shown', async () => {
    const file = await place.file('errors.json', '[{"id":"e1","title":"E","price":-1},{"id":"e2","title":"E"}]')
    const { code, stdout } = await sluice('send', 'product', file, '--wait')
    expect(code).toBe(4)
    expect(stdout).toMatch(/-3 Processed with errors {2}2 objects/)
    expect(stdout).toMatch(/created {8}1\nfailed {9}1/)
    expect(stdout).toMatch(/failures\n {2}\d+\.0 {2}e1 {2}/)
  })

  test('a dry run tells outcomes and differences and keeps nothing', async () => {
    const before = await place.file('before.json', '[{"id":"d1","title":"before"}]')
    expect(await sluice('send', 'product', before, '--wait')).toMatchObject({ code: 0 })
    const after = await place.file('after.json', '[{"id":"d1","title":"after"},{"id":"d2","title":"new"}]')
    const { code, stdout } = await sluice('send', 'product', after, '--dry-run')
    expect(code).toBe(0)
    expect(stdout).toContain('0  d1  updated\n    title: "before" -> "after"\n1  d2  created\n')
    expect(await sluice('send', 'product', after, '--dry-run', '--wait')).toMatchObject({ code: 2, stdout: '' })
    const again = await sluice('send', 'product', after, '--dry-run', '--json')
    expect(JSON.parse(again.stdout).counts).toMatchObject({ created: 1, updated: 1, failed: 0 })
  })

  test('2: a file that is not there; 5: a server that is not there', async () => {
    expect(await sluice('send', 'product', 'nothing.json')).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing.json') })
    const file = await place.file('nowhere.json', '[]')
    expect(await sluice('send', 'product', file, '--url', 'http://127.0.0.1:1')).toMatchObject({ code: 5, stdout: '' })
    expect(await sluice('send', 'product', file, '--url', 'ftp://example')).toMatchObject({ code: 2 })
  })
})

test('6: nobody processes the message in time', { timeout: 60_000 }, async () => {
  const alone = await Workplace.create(migrated)
  try {
    const env = { SLUICE_TOKEN: 'a-token-of-at-least-thirty-two-characters' }
    const server = alone.start(['serve', '--json', '--port', '0', '--config', fixtureConfig], { env })
    const { url } = JSON.parse(await server.line()) as { url: string }
    const file = await alone.file('late.json', '[{"id":"late","title":"L"}]')
    const { code, stderr } = await alone.run(['send', 'product', file, '--wait', '--timeout', '0.3', '--url', url], { env })
    expect(code).toBe(6)
    expect(stderr).toContain('Is a worker running?')
    expect(await server.stop()).toMatchObject({ code: 0 })
  } finally {
    await alone.dispose()
  }
})

test('6: a paused integration is told at once, by send and by status', { timeout: 60_000 }, async () => {
  const alone = await Workplace.create(migrated)
  try {
    const paused = `INSERT INTO sluice.paused_integration (integration, reason) VALUES ('product', '{"message":"no column \\"title\\""}')`
    const sql = await alone.file('paused.sql', `${await readFile(fixtureTables, 'utf8')};\n${paused}`)
    const { env } = await alone.dev(['--config', fixtureConfig, '--sql', sql])
    const file = await alone.file('waits.json', '[{"id":"waits","title":"W"}]')
    const sent = await alone.run(['send', 'product', file, '--wait', '--timeout', '1'], { env })
    expect(sent).toMatchObject({ code: 6, stdout: '' })
    const told =
      /integration product is paused since 2\S+: no column "title"\. Mend that, then "sluice run process --integration product"\./
    expect(sent.stderr).toMatch(told)
    expect(sent.stderr).not.toContain('Is a worker running?')
    const listed = await alone.run(['status'], { env })
    expect(listed.stdout).toMatch(told)
    const id = /^(\d+) +product/m.exec(listed.stdout)?.[1] ?? ''
    expect(await alone.run(['status', id], { env })).toMatchObject({ code: 0, stdout: expect.stringMatching(told) })
  } finally {
    await alone.dispose()
  }
})
