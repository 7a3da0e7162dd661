/** Builds the admin UI into `dist/admin`. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const source = fileURLToPath(new URL('../admin', import.meta.url))
const built = fileURLToPath(new URL('../dist/admin/index.html', import.meta.url))

/** For `npm start`, which has to be quick. */
export async function buildAdminIfMissing(): Promise<void> {
  if (existsSync(built)) return
  console.log('Building the admin UI …')
  await buildAdmin()
}

/** For tests, which must not test what was. */
export async function buildAdminIfStale(): Promise<void> {
  if (!existsSync(built) || statSync(built).mtimeMs < newestChange()) await buildAdmin()
}

async function buildAdmin(): Promise<void> {
  await build({ configFile: join(source, 'vite.config.ts'), logLevel: 'warn' })
}

function newestChange(): number {
  const files = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Math.max(...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs))
}
