/** Opens the site of examples/payload; for processes that a test starts, too. */
import type { MakeDrizzle } from '../../src/payload/index.ts'
import type { RealPayload } from './payload.ts'

export const example = new URL('../../examples/payload/', import.meta.url)

/** The site with its database at `url`, as it is there. */
export async function openSite(url: string): Promise<RealPayload> {
  // By variable: neither is there when the types of the root are checked.
  const config = new URL('payload.config.mjs', example).href
  const library = new URL('node_modules/payload/dist/index.js', example).href
  const { siteConfig } = await import(config)
  const { getPayload } = await import(library)
  return (await getPayload({ config: siteConfig(url), disableOnInit: true, key: url })) as RealPayload
}

/** What a user imports from `@payloadcms/db-postgres/drizzle/node-postgres`. */
export async function openDrizzle(): Promise<MakeDrizzle> {
  const proxy = new URL('node_modules/@payloadcms/db-postgres/dist/drizzle-proxy/node-postgres.js', example).href
  return (await import(proxy)).drizzle as MakeDrizzle
}
