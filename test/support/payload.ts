/** A real Payload site for tests: examples/payload, where `npm ci` has been run, on SQLite or PostgreSQL. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LocalApi } from '../../src/payload/index.ts'
import type { Editor } from '../conformance/site.ts'
import { createTestDatabase, hasNative } from './database.ts'
import { example, openSite } from './payload-open.ts'

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
  areas: number[]
}

type Hook = (given: { data: Partial<Doc>; doc?: Doc; operation: string; req: { transactionID?: number | string } }) => unknown

interface Client {
  on(event: 'error', listener: () => void): void
  end(): Promise<void>
}

/** As much of Payload as the tests use. */
export interface RealPayload extends Omit<LocalApi, 'create' | 'update' | 'find' | 'collections'> {
  find(options: object): Promise<{ docs: Doc[] }>
  findByID(options: object): Promise<Doc>
  create(options: object): Promise<Doc>
  update(options: object): Promise<Doc>
  delete(options: object): Promise<unknown>
  countVersions(options: object): Promise<{ totalDocs: number }>
  collections: { organizations: { config: { hooks: { beforeChange: Hook[]; afterChange: Hook[] } } } }
  db: Omit<LocalApi['db'], 'pool'> & {
    migrate(): Promise<void>
    destroy(): Promise<void>
    createVersion(given: { versionData: Partial<Doc> }): Promise<unknown>
    pool?: NonNullable<LocalApi['db']['pool']> & { _clients: Client[] }
  }
}

/** Opens a site with a database of its own; `close` removes it. */
export async function openPayload(kind: PayloadDatabase): Promise<{ payload: RealPayload; url: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-payload-'))
  const database = kind === 'postgres' ? await createTestDatabase('postgres') : null
  const url = database === null ? `file:${join(folder, 'site.db')}` : withSearchPath(database.url)
  const payload = await openSite(url)
  await payload.db.migrate()
  return {
    payload,
    url,
    async close() {
      await closeSite(payload)
      await database?.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The test databases have no search_path, which Sluice needs none of; Payload does. */
export function withSearchPath(url: string): string {
  return `${url}?options=${encodeURIComponent('-c search_path=public')}`
}

/** Closes what `openSite` opened. */
export async function closeSite(payload: RealPayload): Promise<void> {
  const { pool } = payload.db
  await payload.db.destroy()
  // Which leaves connections to PostgreSQL open, one of them taken out of its pool for good: the pool itself can't be ended.
  for (const client of [...(pool?._clients ?? [])]) {
    client.on('error', () => undefined)
    await client.end()
  }
}

/** An editor of the site, who saves as Payload's admin UI does. */
export function payloadEditor(payload: RealPayload): Editor {
  const collection = 'organizations'
  const save = async (id: string, data: object, draft: boolean): Promise<void> => {
    await payload.update({ collection, id: Number(id), data, draft, depth: 0 })
  }
  const text = ({ title, phone, about }: Doc) => ({ title, phone: phone ?? '', text: about ?? '' })
  return {
    write: (id, about) => save(id, { about }, true),
    takeOff: (id) => save(id, { _status: 'draft' }, false),
    publish: (id) => save(id, { _status: 'published' }, false),
    move: (id, under) => save(id, { parent: Number(under) }, false),
    remove: (id) => save(id, { deletedAt: new Date().toISOString() }, false),
    async look(pageId) {
      const id = Number(pageId)
      const shown = await payload.findByID({ collection, id, depth: 0 })
      const newest = await payload.findByID({ collection, id, depth: 0, draft: true })
      const { totalDocs } = await payload.countVersions({ collection, where: { parent: { equals: id } } })
      return {
        live: shown._status === 'published',
        parent: shown.parent === null ? null : String(shown.parent),
        areas: shown.areas.map(String).toSorted(),
        shown: text(shown),
        newest: text(newest),
        revisions: totalDocs,
      }
    },
  }
}
