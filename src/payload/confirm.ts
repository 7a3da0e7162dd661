/** Whether what was written is there: a commit that fails isn't told by Payload, whose database adapters drop its error. */
import type { Doc, LocalApi } from './local-api.ts'
import { own } from './plugin.ts'

/** How a batch gets at the site. */
export interface Access {
  api: LocalApi
  /** Operations that are one transaction where the site's are Sluice's, so that a page that fails leaves nothing; else each has its own. */
  part<T>(work: () => Promise<T>): Promise<T>
  /** The keys of pages that are not there as they were written last. Looks once, and forgets what it looked for. */
  lost(): Promise<ReadonlySet<string>>
}

/** An API that remembers what is written through it. */
export function remembering(api: LocalApi): Access {
  let written: { collection: string; doc: Doc }[] = []
  const noted = (collection: string, doc: unknown): unknown => {
    written.push({ collection, doc: doc as Doc })
    return doc
  }
  return {
    api: {
      config: api.config,
      collections: api.collections,
      db: api.db,
      find: (options) => api.find(options),
      create: async (options) => noted(options.collection, await api.create(options)),
      update: async (options) => noted(options.collection, await api.update(options)),
    },
    part: (work) => work(),
    async lost() {
      const given = written
      written = []
      const lost = new Set<string>()
      for (const collection of new Set(given.map((each) => each.collection))) {
        const docs = given.filter((each) => each.collection === collection).map(({ doc }) => doc)
        const where = { id: { in: [...new Set(docs.map(({ id }) => id))] } }
        const found = await api.find({ collection, where, depth: 0, limit: 0, pagination: false, trash: true, draft: true })
        const newest = new Map((found.docs as Doc[]).map(({ id, updatedAt }) => [id, String(updatedAt)]))
        for (const { id, updatedAt, [own.key]: key } of docs) if ((newest.get(id) ?? '') < String(updatedAt)) lost.add(String(key))
      }
      return lost
    },
  }
}
