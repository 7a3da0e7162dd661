/** The Payload site of examples/payload, opened in this process. */
import { existsSync, readFileSync } from 'node:fs'
import type { LocalApi } from '../src/payload/index.ts'

const example = new URL('../examples/payload/', import.meta.url)
const library = new URL('node_modules/payload/', example)

/** As much of Payload as the script by hand uses. */
export interface BenchPayload extends Omit<LocalApi, 'create' | 'update' | 'find'> {
  find(options: object): Promise<{ docs: Record<string, unknown>[] }>
  create(options: object): Promise<{ id: number }>
  update(options: object): Promise<unknown>
  db: LocalApi['db'] & { migrate(): Promise<void> }
}

/** Its version; null where `npm ci` hasn't been run in examples/payload. */
export function payloadVersion(): string | null {
  const file = new URL('package.json', library)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : null
}

/** Opens the site. The tables are the caller's. */
export async function openSite(databaseUrl: string): Promise<BenchPayload> {
  // By variable: neither is there when the types of the root are checked.
  const [config, index] = [new URL('payload.config.mjs', example).href, new URL('dist/index.js', library).href]
  const { siteConfig } = await import(config)
  const { getPayload } = await import(index)
  return (await getPayload({ config: siteConfig(databaseUrl), disableOnInit: true })) as BenchPayload
}
