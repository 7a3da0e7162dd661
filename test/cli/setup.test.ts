import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fixtureConfig, fixtureTables, Workplace } from './program.ts'

let empty: Workplace
let place: Workplace

beforeAll(async () => {
  empty = await Workplace.create()
  // Makes an embedded database without tables.
  await empty.run(['doctor', '--config', fixtureConfig])
}, 60_000)
afterAll(() => empty.dispose())
beforeEach(async () => {
  place = await Workplace.create(empty)
})
afterEach(() => place.dispose())

describe('usage', { timeout: 60_000 }, () => {
  test('0: help and version; 2: unknown commands and options', async () => {
    expect(await place.run(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('doctor') })
    expect(await place.run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
    expect(await place.run(['sned'])).toMatchObject({ code: 2, stdout: '' })
    expect(await place.run(['send', 'product', 'x.json', '--wiat'])).toMatchObject({ code: 2, stdout: '' })
    const { code, stdout } = await place.run(['doctor', '--bogus', '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'usage', message: "unknown option '--bogus'", details: {} } })
  })

  test('2: no config, a config that is none, a config with a wrong option', async () => {
    expect(await place.run(['migrate'])).toMatchObject({ code: 2, stderr: expect.stringContaining('sluice init') })
    await place.file('sluice.config.mjs', 'export default 1\n')
    expect(await place.run(['migrate'])).toMatchObject({ code: 2, stderr: expect.stringContaining('defineConfig') })
    await place.file('package.json', '{"type":"commonjs"}')
    const broken = await place.file('broken.config.ts', 'const a: number = 1\nexport default {\n  a: [,\n  ] b\n')
    expect(await place.run(['migrate', '--config', broken])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/can't be loaded: .*, at \S+broken\.config\.ts:4\./),
    })
    const commonJs = await place.file('other.js', 'import "node:fs"\n')
    expect(await place.run(['migrate', '--config', commonJs])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"type": "module"'),
    })
    const index = new URL('../../src/index.ts', import.meta.url).href
    await place.file(
      'sluice.config.mjs',
      `import { defineConfig } from '${index}'\nexport default defineConfig({ integrations: [], chunksize: 5 })\n`,
    )
    const wrong = await place.run(['migrate', '--json'])
    expect(wrong.code).toBe(2)
    expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { code: 'invalid_config', message: expect.stringContaining('"chunksize"') } })
    expect(wrong.stderr.trim().split('\n')).toHaveLength(1)
    expect((await place.run(['migrate', '--verbose'])).stderr).toContain('at ')
  })

  test('2: a DATABASE_URL that is no URL, which is not repeated', async () => {
    const { code, stderr } = await place.run(['migrate', '--config', fixtureConfig], { env: { DATABASE_URL: 'garbage' } })
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('DATABASE_URL is no URL') })
    expect(stderr).not.toContain('garbage')
  })
})

describe('sluice migrate and doctor', { timeout: 60_000 }, () => {
  test('from an empty database to a healthy one', async () => {
    const config = ['--config', fixtureConfig]
    const empty = await place.run(['doctor', '--json', ...config])
    expect(empty.code).toBe(1)
    expect(JSON.parse(empty.stdout)).toMatchObject({
      healthy: false,
      checks: [
        { name: 'config', state: 'ok' },
        { name: 'database', state: 'ok' },
        { name: 'migrations', state: 'failed' },
        { name: 'target of product', state: 'failed' },
      ],
    })

    const ddl = await place.run(['doctor', '--ddl', ...config])
    expect(ddl.code).toBe(0)
    expect(ddl.stdout).toMatch(/CREATE TABLE .*product/)
    const sql = await place.file('missing.sql', ddl.stdout)

    expect(await place.run(['migrate', ...config])).toMatchObject({ code: 0, stdout: expect.stringContaining('applied 0001_initial') })
    expect(await place.run(['migrate', '--json', ...config])).toMatchObject({ code: 0, stdout: '{"applied":[]}\n' })

    const dev = await place.dev(['--sql', sql, ...config])
    const file = await place.file('one.json', '[{"id":"a","title":"A"}]')
    expect(await place.run(['send', 'product', file, '--wait'], { env: dev.env })).toMatchObject({ code: 0 })
    expect(await place.run(['run', 'rollup', '--wait'], { env: dev.env })).toMatchObject({ code: 0 })
    expect(await place.run(['doctor', ...config])).toMatchObject({ code: 5, stdout: expect.stringContaining('failed   database') })
    await dev.started.stop()
    const healthy = await place.run(['doctor', ...config])
    expect(healthy.code).toBe(0)
    expect(healthy.stdout).toMatch(/ok {7}target of product: table: fits\nok {7}worker: last seen/)
    expect((await place.run(['doctor', '--ddl', '--json', ...config])).stdout).toBe('{"statements":[]}\n')
  })

  test('2: anything else before migrate', async () => {
    for (const command of [['serve'], ['work'], ['token', 'list']]) {
      expect(await place.run([...command, '--config', fixtureConfig])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('sluice migrate'),
      })
    }
  })

  test('work, on the embedded database in its own process', async () => {
    await place.run(['migrate', '--config', fixtureConfig])
    const worker = place.start(['work', '--json', '--config', fixtureConfig])
    expect(JSON.parse(await worker.line())).toEqual({ processes: 0, inProcess: true })
    expect(await worker.stop('SIGTERM')).toMatchObject({ code: 0 })
  })
})

describe('a config that keeps something open', { timeout: 60_000 }, () => {
  test('does not keep a command from ending', async () => {
    // As a CMS does that is opened in the worker.
    await place.file('open.config.ts', `setInterval(() => undefined, 1000)\nexport { default } from '${fixtureConfig}'\n`)
    expect(await place.run(['migrate', '--config', 'open.config.ts'])).toMatchObject({ code: 0 })
  })
})

describe('sluice init', { timeout: 60_000 }, () => {
  test('writes what runs, and never overwrites', async () => {
    const first = await place.run(['init', 'inbox', '--json'])
    expect(JSON.parse(first.stdout)).toMatchObject({
      written: ['sluice.config.ts', 'tables.sql', 'messages/products.json', 'package.json'],
      kept: [],
    })
    const folder = join(place.folder, 'inbox')
    await writeFile(join(folder, 'tables.sql'), await readFile(fixtureTables, 'utf8'))
    const second = await place.run(['init', 'inbox', '--json'])
    expect(JSON.parse(second.stdout)).toMatchObject({ written: [], kept: expect.arrayContaining(['tables.sql']) })
    expect(await readFile(join(folder, 'tables.sql'), 'utf8')).toBe(await readFile(fixtureTables, 'utf8'))
  })

  test('what is installed is not installed again; a package.json that is no module is made one', async () => {
    await place.file('package.json', '{"dependencies":{"zod":"*"}}')
    for (const name of ['sluice', 'zod']) {
      await mkdir(join(place.folder, 'node_modules', name), { recursive: true })
      await place.file(`node_modules/${name}/package.json`, `{"name":"${name}"}`)
    }
    const { stdout } = await place.run(['init'])
    expect(stdout).toContain('kept  package.json')
    expect(stdout).toContain('next:\n  npm pkg set type=module\n  npx sluice dev --sql tables.sql\n')
    expect(stdout).not.toContain('npm install')
  })

  test('the sample message goes through the sample config', async () => {
    const { code, stdout } = await place.run(['init'])
    expect(code).toBe(0)
    expect(stdout).toContain('  npm install SLUICE.tgz zod\n')
    expect(stdout).toContain('"npm ci && npm pack"')
    expect(stdout).not.toContain('npm pkg set')
    // Nothing is installed in a temporary folder: the two packages are named by their place instead.
    const config = join(place.folder, 'sluice.config.ts')
    const text = await readFile(config, 'utf8')
    const located = text
      .replace("'sluice'", `'${new URL('../../src/index.ts', import.meta.url).href}'`)
      .replace("'zod'", `'${import.meta.resolve('zod')}'`)
    await writeFile(config, located)
    const dev = await place.dev(['--sql', 'tables.sql'])
    const sent = await place.run(['send', 'product', 'messages/products.json', '--wait', '--json'], { env: dev.env })
    expect(JSON.parse(sent.stdout)).toMatchObject({ status: 3, counts: { created: 2 } })
  })
})
