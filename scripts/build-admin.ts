/** Builds the admin UI into `dist/admin`. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const built = new URL('../dist/admin/index.html', import.meta.url)

export async function buildAdmin(): Promise<void> {
  await build({ configFile: fileURLToPath(new URL('../admin/vite.config.ts', import.meta.url)), logLevel: 'warn' })
}

/** For `npm start`, which has to be quick. */
export async function buildAdminIfMissing(): Promise<void> {
  if (existsSync(built)) return
  console.log('Building the admin UI …')
  await buildAdmin()
}
