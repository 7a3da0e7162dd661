/** `sluice init`: writes a config, its table and a sample message into a folder. Never overwrites a file. */
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { Command } from 'commander'
import { messageOf, SluiceError } from '../errors.ts'
import { run } from './command.ts'
import { ExitCode } from './exit.ts'

const config = `import { defineConfig, defineIntegration } from 'sluice'
import { z } from 'zod'

const Product = z.object({
  id: z.string(),
  title: z.string().min(1),
  price: z.number().nonnegative(),
  updated_at: z.iso.datetime({ offset: true }),
})

const product = defineIntegration({
  name: 'product',
  schema: Product, // Zod, Valibot, ArkType or plain JSON Schema
  key: 'id', // the field that identifies a product in the master system
  version: { field: 'updated_at', type: 'timestamp' }, // leave out: the order of arrival counts
  target: (t) =>
    t.table('product', {
      key: 'external_id', // the column that holds it
      columns: { title: 'title', price: 'price' },
    }),
})

export default defineConfig({ integrations: [product] })
`

const tables = `-- The table that the target writes to. The key column needs a unique index.
CREATE TABLE IF NOT EXISTS product (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  external_id text NOT NULL UNIQUE,
  title text NOT NULL,
  price numeric NOT NULL
);
`

const sample = `[
  { "id": "p-1", "title": "Pencil", "price": 0.85, "updated_at": "2026-01-15T09:00:00Z" },
  { "id": "p-2", "title": "Notebook", "price": 3.20, "updated_at": "2026-01-15T09:00:00Z" }
]
`

const manifest = `{
  "private": true,
  "type": "module",
  "scripts": {
    "dev": "sluice dev --sql tables.sql",
    "send": "sluice send product messages/products.json --wait"
  }
}
`

const files: readonly (readonly [name: string, text: string])[] = [
  ['sluice.config.ts', config],
  ['tables.sql', tables],
  ['messages/products.json', sample],
  ['package.json', manifest],
]

export function initCommand(): Command {
  const command = new Command('init')
    .description('write a config, its table and a sample message; existing files stay as they are')
    .argument('[folder]', 'where to', '.')
  return command.action((folder: string) =>
    run(command, async (output) => {
      const root = resolve(folder)
      const written: string[] = []
      const kept: string[] = []
      for (const [name, text] of files) ((await writeNew(join(root, name), text)) ? written : kept).push(name)
      output.result({ folder: root, written, kept }, () => [
        ...written.map((name) => `wrote ${name}`),
        ...kept.map((name) => `kept  ${name} (it was there)`),
        '',
        ...nextLines(root),
      ])
      return ExitCode.done
    }),
  )
}

/** What is still to be done in the folder, as commands. */
function nextLines(root: string): string[] {
  const { resolve: find } = createRequire(join(root, 'package.json'))
  const missing = ['sluice', 'zod'].filter((name) => {
    try {
      find(`${name}/package.json`)
      return false
    } catch {
      return true
    }
  })
  // Not on npm yet: what has that name there is somebody else's.
  const packages = missing.map((name) => (name === 'sluice' ? 'SLUICE.tgz' : name))
  return [
    'next:',
    ...(root === process.cwd() ? [] : [`  cd ${relative(process.cwd(), root)}`]),
    ...(isModule(root) ? [] : ['  npm pkg set type=module']),
    ...(packages.length === 0 ? [] : [`  npm install ${packages.join(' ')}`]),
    '  npx sluice dev --sql tables.sql',
    'and in another terminal, with the token that it prints:',
    '  npx sluice send product messages/products.json --wait',
    ...(missing.includes('sluice') ? ['', 'SLUICE.tgz is the file that "npm ci && npm pack" makes in a clone of Sluice.'] : []),
  ]
}

/** Whether Node takes the folder's `.ts` files for modules without a warning. */
function isModule(root: string): boolean {
  try {
    const { type } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { type?: unknown }
    return type === 'module'
  } catch {
    return false
  }
}

/** True when the file was not there and is now. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw new SluiceError('file_unreadable', `${path} can't be written: ${messageOf(error)}.`, { cause: error })
  }
}
