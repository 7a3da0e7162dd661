/**
 * Writes to a site within Sluice's own transaction, where both have one database: a page, its revision and what Sluice says of them are
 * committed together or not at all.
 *
 * Payload finds a transaction by an id in `db.sessions`. Each part of the work gets a savepoint of Sluice's transaction there instead of a
 * transaction of Payload's own: an operation that fails rolls back what it finds there by itself, and that mustn't be more.
 */
import { randomUUID } from 'node:crypto'
import { SluiceError } from '../errors.ts'
import { whichDatabaseSql } from '../targets/page.ts'
import type { Access } from './confirm.ts'
import type { LocalApi, Session } from './local-api.ts'
import type { MakeDrizzle } from './options.ts'

/** As much of node-postgres' client as is used. */
interface Client {
  query(statement: unknown, values?: unknown): Promise<{ rows: unknown[] }>
}

/** What drizzle says for a transaction, and what it is to be inside of one. */
const statements: Record<string, string> = {
  begin: 'SAVEPOINT sluice_part',
  commit: 'RELEASE SAVEPOINT sluice_part',
  rollback: 'ROLLBACK TO SAVEPOINT sluice_part',
}

/**
 * An API that works through Sluice's transaction.
 *
 * @param native the driver's client of that transaction
 * @throws SluiceError `target_mismatch` when the site's database isn't Sluice's
 */
export async function sharing(api: LocalApi, drizzle: MakeDrizzle, native: unknown): Promise<Access> {
  await expectSame(api, native)
  const client = native as Client
  const { sessions = {}, schema } = api.db
  const id = randomUUID()
  let isOpen = false
  const made = {
    client: {
      query(statement: unknown, values?: unknown) {
        const text = typeof statement === 'string' ? statement : (statement as { text: string }).text
        const instead = statements[text]
        return instead === undefined ? client.query(statement, values) : client.query(instead)
      },
    },
    schema,
  }
  const shared = drizzle(made as never)

  async function part<T>(work: () => Promise<T>): Promise<T> {
    if (isOpen) return work()
    isOpen = true
    try {
      return await shared.transaction(async (db) => {
        // Whoever ends it, ends this part. At once: what the site's own code does after that, past the transaction, must not wait for it.
        const end = async (): Promise<void> => {
          delete sessions[id]
          await client.query(statements.rollback)
        }
        sessions[id] = { db, resolve: end, reject: end } satisfies Session
        const result = await work()
        expectOpen()
        return result
      })
    } finally {
      isOpen = false
      delete sessions[id]
    }
  }
  const expectOpen = (): void => {
    if (!(id in sessions)) throw new Error("the site's own code ended the transaction of the write")
  }
  /** One operation. What names a transaction that is over would be committed by itself, and nobody would be told. */
  const within = <T>(operation: (req: { transactionID: string }) => Promise<T>): Promise<T> =>
    part(() => {
      expectOpen()
      // Anew for each: Payload changes it.
      return operation({ transactionID: id })
    })
  return {
    api: {
      config: api.config,
      collections: api.collections,
      // What belongs together is in one part already.
      db: {
        defaultIDType: api.db.defaultIDType,
        beginTransaction: () => Promise.resolve(null),
        commitTransaction: none,
        rollbackTransaction: none,
      },
      find: (options) => within((req) => api.find({ ...options, req })),
      create: (options) => within((req) => api.create({ ...options, req })),
      update: (options) => within((req) => api.update({ ...options, req })),
    },
    part,
    // Sluice's own commit is looked at.
    lost: () => Promise.resolve(new Set()),
  }
}

const none = (): Promise<void> => Promise.resolve()

const known = new WeakSet<object>()

/** That two connections are to one database. */
async function expectSame({ db }: LocalApi, native: unknown): Promise<void> {
  if (known.has(db)) return
  if (db.name !== 'postgres' || db.pool === undefined) throw mismatch(`Payload is on ${db.name ?? 'another kind of database'}`)
  const [theirs, ours] = await Promise.all([db.pool.query(whichDatabaseSql), (native as Client).query(whichDatabaseSql)])
  if (JSON.stringify(theirs.rows[0]) !== JSON.stringify(ours.rows[0])) throw mismatch('Payload is on another database than Sluice')
  known.add(db)
}

function mismatch(found: string): SluiceError {
  const message = `payloadSite: "sharedTransaction" needs Payload and Sluice in one PostgreSQL database, and ${found}. Give both the same URL, or leave the option out: then each page is a transaction of Payload's own.`
  return new SluiceError('target_mismatch', message)
}
