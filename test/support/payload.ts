/** A real Payload site for tests: examples/payload, where `npm ci` has been run, on SQLite or PostgreSQL. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalApi } from '../../src/payload/index.ts'
import { createTestDatabase, hasNative } from './database.ts'

const example = new URL('../../examples/payload/', import.meta.url)
export const hasPayload = existsSync(new URL('node_modules/payload', example))
if (!hasPayload) console.warn('SKIPPED: Payload is not installed. Run `npm ci` in examples/payload to test its adapter.')

export type PayloadDatabase = 'sqlite' | 'postgres'
/** Those that can be had here. */
export const payloadDatabases: readonly PayloadDatabase[] = hasNative ? ['sqlite', 'postgres'] : ['sqlite']

/** An organization, as Payload gives it. */
export interface Doc {
  id: number
  _status: string
  title: string
  phone: string | null
  about: string | null
  parent: number | null
}

type Hook = (given: { data: Partial<Doc>; doc?: Doc; operation: string; req: { transactionID?: number | string } }) => unknown

interface Client {
  on(event: 'error', listener: () => void): void
  end(): Promise<void>
}

/** As much of Payload as the tests use. */
export interface RealPayload extends Omit<LocalApi, 'create' | 'update' | 'find'> {
  find(options: object): Promise<{ docs: Doc[] }>
  findByID(options: object): Promise<Doc>
  create(options: object): Promise<Doc>
  update(options: object): Promise<Doc>
  delete(options: object): Promise<unknown>
  countVersions(options: object): Promise<{ totalDocs: number }>
  collections: { organizations: { config: { hooks: { beforeChange: Hook[]; afterChange: Hook[] } } } }
  db: LocalApi['db'] & { migrate(): Promise<void>; destroy(): Promise<void>; pool?: { _clients: Client[] } }
}

/** Opens a site with a database of its own; `close` removes it. */
export async function openPayload(kind: PayloadDatabase): Promise<{ payload: RealPayload; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-payload-'))
  const database = kind === 'postgres' ? await createTestDatabase('postgres') : null
  // By variable: neither is there when the types of the root are checked.
  const config = new URL('payload.config.mjs', example).href
  const library = new URL('node_modules/payload/dist/index.js', example).href
  const { siteConfig } = await import(config)
  const { getPayload } = await import(library)
  // The test databases have no search_path, which Sluice needs none of; Payload's migrations do.
  const url =
    database === null ? `file:${join(folder, 'site.db')}` : `${database.url}?options=${encodeURIComponent('-c search_path=public')}`
  const payload = (await getPayload({ config: siteConfig(url), disableOnInit: true, key: url })) as RealPayload
  await payload.db.migrate()
  return {
    payload,
    async close() {
      const { pool } = payload.db
      await payload.db.destroy()
      // Which leaves connections to PostgreSQL open, one of them taken out of its pool for good: the pool itself can't be ended.
      for (const client of [...(pool?._clients ?? [])]) {
        client.on('error', () => undefined)
        await client.end()
      }
      await database?.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
