/** A database that is opened when it is first used. */
import type { Db } from './db.ts'

/** Makes a port out of a promise of one: `open` is called once, with the first statement; its failure is every caller's. */
export function lazyDb(kind: Db['kind'], open: () => Promise<Db>): Db {
  let opened: Promise<Db> | undefined
  const db = (): Promise<Db> => {
    opened ??= open()
    return opened
  }
  return {
    kind,
    query: async (sql, parameters) => (await db()).query(sql, parameters),
    transaction: async (work, options) => (await db()).transaction(work, options),
    exec: async (sql) => (await db()).exec(sql),
    listen: async (channel, onNotify) => (await db()).listen(channel, onNotify),
    close: async () => (await opened)?.close(),
  }
}
