import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const config = resolve('.dependency-cruiser.mjs')
const program = resolve('node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')

let project: string

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'sluice-layers-'))
})

afterEach(() => rmSync(project, { recursive: true }))

/** Lays the files and gives back what the rules of the layers refuse, as `rule: from → to`. */
function refused(files: Record<string, string>): string[] {
  for (const [path, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    writeFileSync(join(project, path), text)
  }
  const run = spawnSync(process.execPath, [program, '--config', config, '--output-type', 'json', 'src'], { cwd: project, encoding: 'utf8' })
  const report = JSON.parse(run.stdout) as { summary: { violations: { rule: { name: string }; from: string; to: string }[] } }
  return report.summary.violations
    .map(({ rule, from, to }) => (from === to ? `${rule.name}: ${from}` : `${rule.name}: ${from} → ${to}`))
    .sort()
}

test('imports that go down the layers pass', () => {
  expect(
    refused({
      'src/index.ts': "export { receive } from './flow/index.ts'\n",
      'src/flow/index.ts': "export { receive } from './receive.ts'\n",
      'src/flow/receive.ts':
        "import { fail } from '../errors.ts'\nimport type { Db } from '../store/db.ts'\nexport const receive = (db: Db) => fail(db)\n",
      'src/store/db.ts': 'export interface Db { query: string }\n',
      'src/errors.ts': 'export const fail = (value: unknown) => value\n',
    }),
  ).toEqual([])
})

test('an import that goes up is refused: of a value, of a type, and at run time', () => {
  expect(
    refused({
      'src/index.ts': "export * from './model/value.ts'\nexport * from './model/type.ts'\nexport * from './model/late.ts'\n",
      'src/model/value.ts': "import { query } from '../store/db.ts'\nexport const value = query\n",
      'src/model/type.ts': "import type { Db } from '../store/db.ts'\nexport type Model = Db\n",
      'src/model/late.ts': "export const late = () => import('../store/db.ts')\n",
      'src/store/db.ts': 'export interface Db { query: string }\nexport const query = 1\n',
    }),
  ).toEqual([
    'layer-model: src/model/late.ts → src/store/db.ts',
    'layer-model: src/model/type.ts → src/store/db.ts',
    'layer-model: src/model/value.ts → src/store/db.ts',
  ])
})

test('a stage that imports the next stage, and a target that reads tables of the inbox, are refused', () => {
  expect(
    refused({
      'src/index.ts': "export * from './flow/split.ts'\nexport * from './targets/table.ts'\n",
      'src/flow/split.ts': "export * from './process.ts'\n",
      'src/flow/process.ts': 'export const processChunks = 1\n',
      'src/targets/table.ts': "export * from '../store/message.ts'\n",
      'src/store/message.ts': 'export const message = 1\n',
    }),
  ).toEqual([
    'layer-targets: src/targets/table.ts → src/store/message.ts',
    'stages-know-only-their-own: src/flow/split.ts → src/flow/process.ts',
  ])
})

test('cycles are refused, also those of types only', () => {
  expect(
    refused({
      'src/index.ts': "export * from './json/scan.ts'\n",
      'src/json/scan.ts': "import type { Span } from './span.ts'\nexport interface Scan { span: Span }\n",
      'src/json/span.ts': "import type { Scan } from './scan.ts'\nexport interface Span { scan: Scan }\n",
    }),
  ).toEqual(['no-cycles: src/json/scan.ts → src/json/span.ts'])
})

test('a dead file, a file without a layer, a missing file, a test and a package for developers are refused', () => {
  expect(
    refused({
      'package.json': '{"type":"module","devDependencies":{"tool":"1.0.0"}}',
      'node_modules/tool/package.json': '{"name":"tool","version":"1.0.0","main":"index.js"}',
      'node_modules/tool/index.js': 'module.exports = 1\n',
      'src/index.ts':
        "export * from './elsewhere/new.ts'\nexport * from './json/gone.ts'\nexport * from '../test/helper.ts'\nexport * from 'tool'\n",
      'src/elsewhere/new.ts': "export * from '../errors.ts'\n",
      'src/errors.ts': 'export const fail = 1\n',
      'src/json/dead.ts': 'export const dead = 1\n',
      'test/helper.ts': 'export const helper = 1\n',
    }),
  ).toEqual([
    'layer-for-every-file: src/elsewhere/new.ts → src/errors.ts',
    'layer-root: src/index.ts → src/elsewhere/new.ts',
    'no-dead-files: src/json/dead.ts',
    'no-missing-files: src/index.ts → ./json/gone.ts',
    'only-what-users-get: src/index.ts → node_modules/tool/index.js',
    'outside-is-out: src/index.ts → test/helper.ts',
  ])
})
