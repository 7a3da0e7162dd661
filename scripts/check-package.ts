/** Packs Sluice as npm would publish it, installs that into an empty folder, and uses it there as a user would. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const script = `
import { createSluice } from 'sluice'
import { createTestSluice } from 'sluice/testing'
import { toNodeHandler } from 'sluice/node'

if (typeof createSluice !== 'function' || typeof toNodeHandler !== 'function') throw new Error('an export is missing')
const { default: config } = await import('./sluice.config.ts')
const { readFileSync } = await import('node:fs')
await using sluice = await createTestSluice(config, { sql: readFileSync('tables.sql', 'utf8') })
const { id } = await sluice.send('product', readFileSync('messages/products.json', 'utf8'))
await sluice.drain()
const outcomes = await sluice.outcomes(id)
const inbox = createSluice(config)
const page = await inbox.fetch(new Request('http://localhost/', { headers: { Accept: 'text/html' } }))
const script = /src="[.][/](assets[/][^"]+)"/.exec(await page.text())?.[1]
if ((await inbox.fetch(new Request('http://localhost/' + script))).status !== 200) throw new Error('the admin UI is missing')
if (outcomes.length === 0 || outcomes.some((each) => each.outcome !== 'created')) throw new Error(JSON.stringify(outcomes))
`

/** A user's program: every type that an export names has to be there, also those of other packages. Checked without `skipLibCheck`. */
const typed = `
import { createSluice, type Db, type TargetBuilder } from 'sluice'
import { toNodeHandler } from 'sluice/node'
import { createTestSluice } from 'sluice/testing'
import config from './sluice.config.ts'

const sluice = createSluice(config)
export const handler = toNodeHandler(sluice)
export const inbox = await createTestSluice(config)
export type Target = TargetBuilder<{ id: string }>
// A pool is known for one: with its types missing it would be \`any\`, and a number would do.
type Pool = Exclude<NonNullable<NonNullable<Parameters<typeof createSluice>[1]>['db']>, Db>
// @ts-expect-error
export const pool: Pool = 1
`
const compilerOptions = {
  strict: true,
  noEmit: true,
  target: 'es2024',
  module: 'nodenext',
  types: ['node'],
  allowImportingTsExtensions: true,
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'))
const user = join(folder, 'user')
try {
  run('npm', ['pack', '--silent', '--pack-destination', folder], resolve('.'))
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack made no tarball')
  run('publint', ['--strict', join(folder, tarball)], resolve('.'))
  mkdirSync(user)
  writeFileSync(join(user, 'package.json'), '{ "private": true, "type": "module" }\n')
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball)], user)
  run('npx', ['sluice', '--help'], user)
  run('npx', ['sluice', 'init'], user)
  writeFileSync(join(user, 'use.ts'), script)
  run(process.execPath, ['use.ts'], user)
  writeFileSync(join(user, 'typed.ts'), typed)
  writeFileSync(join(user, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.ts'] }))
  run('tsc', ['-p', '.'], user)
} finally {
  rmSync(folder, { recursive: true })
}

/** Runs a command silently. Throws, with what it printed, when it fails. */
function run(command: string, args: string[], cwd: string): void {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed (${error?.message ?? status}):\n${stdout}${stderr}`)
}
