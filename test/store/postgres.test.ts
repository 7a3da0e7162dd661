import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Db, prepared, type Queryable, type Transaction } from '../../src/store/db.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { withRetry } from '../../src/store/retry.ts'
import { createTestDatabase, hasNative, isPooled, type TestDatabase } from '../support/database.ts'

describe.skipIf(!hasNative)('postgres', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase('postgres')
  })
  afterAll(() => database?.close())

  const backendOf = async (db: Pick<Db, 'query'>): Promise<number> => {
    const { rows } = await db.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    return rows[0]?.pid ?? 0
  }
  const terminate = (pid: number) => database.db.query('SELECT pg_terminate_backend($1, 5000)', [pid])

  // Not node's once(): that one rejects at the error that comes before the end.
  const ended = (tx: Transaction) => new Promise((resolve) => (tx.native as pg.Client).once('end', () => resolve(undefined)))

  async function withPort<T>(work: (db: Db) => Promise<T>, url = database.directUrl): Promise<T> {
    const db = createPostgres({ url, connections: 1 })
    try {
      return await work(db)
    } finally {
      await db.close()
    }
  }

  describe('a broken connection', () => {
    test('inside a transaction fails it with the reason, rolls it back, and is not used again', async () => {
      await withPort(async (db) => {
        let pid = 0
        const failing = db.transaction(async (tx) => {
          await tx.query("INSERT INTO sluice.audit_log (actor, action, subject) VALUES ('a', 'broken', 's')")
          pid = await backendOf(tx)
          const gone = ended(tx)
          await terminate(pid)
          await gone
          await tx.query('SELECT 1')
        })
        await expect(failing).rejects.toMatchObject({ name: 'DatabaseError', sqlstate: '57P01' })
        // The pool has one connection: this one is new.
        expect(await backendOf(db)).not.toBe(pid)
        expect((await db.query("SELECT FROM sluice.audit_log WHERE action = 'broken'")).rowCount).toBe(0)
      })
    })

    test('while a statement runs fails that statement as one of the surroundings', async () => {
      await withPort(async (db) => {
        const failing = db.transaction(async (tx) => {
          const pid = await backendOf(tx)
          const sleeping = tx.query('SELECT pg_sleep(60)')
          await Promise.all([terminate(pid), sleeping])
        })
        await expect(failing).rejects.toMatchObject({ sqlstate: '57P01' })
        expect((await db.query('SELECT 1')).rowCount).toBe(1)
      })
    })

    test('that is idle is replaced, and ends no process', async () => {
      await withPort(async (db) => {
        const pid = await backendOf(db)
        await terminate(pid)
        // The pool may or may not have heard of it yet: then the statement that runs into it says so.
        await db
          .query('SELECT 1')
          .catch((error: unknown) => expect(error).toMatchObject({ sqlstate: expect.stringMatching(/^(08006|57P01)$/) }))
        expect(await backendOf(db)).not.toBe(pid)
      })
    })

    test('lost during COMMIT is told as unknown', async () => {
      await withPort(async (db) => {
        const failing = db.transaction(async (tx) => {
          await tx.query('SELECT 1')
          // The socket goes without a word, as when a network is unplugged.
          const client = tx.native as pg.Client & { connection: { stream: Socket } }
          client.once('error', () => undefined)
          const send = client.connection.stream.write.bind(client.connection.stream)
          client.connection.stream.write = ((data: Buffer) => {
            client.connection.stream.destroy()
            return send(data)
          }) as Socket['write']
        })
        await expect(failing).rejects.toMatchObject({ sqlstate: '08007', message: expect.stringContaining('not known') })
      })
    })

    test('a transaction that sat idle for too long fails with the server’s reason', async () => {
      await withPort(async (db) => {
        const failing = db.transaction(
          async (tx) => {
            await ended(tx)
            await tx.query('SELECT 1')
          },
          { idleTimeout: 50 },
        )
        await expect(failing).rejects.toMatchObject({ sqlstate: '25P03' })
      })
    })

    test('no server at all is 08006 with the reason', async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as { port: number }
      server.close()
      await once(server, 'close')
      await withPort(async (db) => {
        const refused = { name: 'DatabaseError', sqlstate: '08006', message: expect.stringContaining('ECONNREFUSED') }
        await expect(db.query('SELECT 1')).rejects.toMatchObject(refused)
        await expect(db.transaction(async () => undefined)).rejects.toMatchObject(refused)
        await expect(db.listen('sluice', () => undefined)).rejects.toMatchObject(refused)
      }, `postgres://postgres@127.0.0.1:${port}/postgres`)
    })
  })

  test('a statement that runs for too long is cancelled, and the transaction can be tried again', async () => {
    await withPort(async (db) => {
      const failing = db.transaction((tx) => tx.query('SELECT pg_sleep(60)'), { statementTimeout: 30 })
      await expect(failing).rejects.toMatchObject({ sqlstate: '57014' })
      expect(await db.transaction(async (tx) => (await tx.query('SELECT 1')).rowCount, { statementTimeout: 30_000 })).toBe(1)
    })
  })

  describe("the application's own pool", () => {
    test('keeps its own parsers and stays open', async () => {
      const pool = new pg.Pool({ connectionString: database.directUrl, max: 1 })
      const db = createPostgres({ pool })
      const ours = await db.query('SELECT \'{"a":1}\'::jsonb AS json, 5::bigint AS big, now() AS now')
      expect(ours.rows[0]).toEqual({ json: '{"a": 1}', big: '5', now: expect.stringMatching(/Z$/) })
      await db.transaction(async (tx) => {
        const { rows } = await (tx.native as pg.ClientBase).query('SELECT \'{"a":1}\'::jsonb AS json, now() AS now')
        expect(rows[0]).toEqual({ json: { a: 1 }, now: expect.any(Date) })
      })
      await db.close()
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
      expect(pool.listenerCount('error')).toBe(0)
      await pool.end()
    })

    test('with one connection still serves while the port listens', async () => {
      const pool = new pg.Pool({ connectionString: database.directUrl, max: 1 })
      const db = createPostgres({ pool })
      const heard = Promise.withResolvers<string>()
      const stop = await db.listen('sluice', heard.resolve)
      await db.transaction((tx) => tx.query("SELECT pg_notify('sluice', 'split')"))
      expect(await heard.promise).toBe('split')
      await stop()
      await db.close()
      await pool.end()
    })

    test('from another copy of pg has its errors understood', async () => {
      const pool = new pg.Pool({ connectionString: database.directUrl, max: 1 })
      const query = pool.query.bind(pool) as unknown as (config: unknown) => Promise<unknown>
      // What another copy throws is no instance of this one's class.
      const foreign = (config: unknown) =>
        query(config).catch((error: pg.DatabaseError) => {
          throw Object.assign(new Error(error.message), { ...error })
        })
      pool.query = foreign as unknown as typeof pool.query
      const db = createPostgres({ pool })
      await expect(db.query('SELECT nothing')).rejects.toMatchObject({ name: 'DatabaseError', sqlstate: '42703' })
      await pool.end()
    })
  })

  describe('listen', () => {
    test('goes on after its connection broke, and says that something may have been missed', async () => {
      await withPort(async (db) => {
        const heard: string[] = []
        let onHeard: () => void = () => undefined
        const next = () =>
          new Promise<void>((resolve) => {
            onHeard = resolve
          })
        const stop = await db.listen('sluice_break', (payload) => {
          heard.push(payload)
          onHeard()
        })
        const back = next()
        await database.db.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'LISTEN%sluice_break%'")
        await back
        expect(heard).toEqual([''])
        const again = next()
        await database.db.query("SELECT pg_notify('sluice_break', 'split')")
        await again
        expect(heard).toEqual(['', 'split'])
        await stop()
      })
    })

    test('close ends listeners that nobody stopped', async () => {
      const db = createPostgres({ url: database.directUrl })
      await db.listen('sluice_close', () => undefined)
      await db.close()
      await db.close()
      const { rowCount } = await database.db.query(
        "SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN%sluice_close%' AND state <> 'idle'",
      )
      expect(rowCount).toBe(0)
    })
  })

  test('many transactions at once over few connections all end', async () => {
    const db = createPostgres({ url: database.directUrl, connections: 2 })
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        db.transaction(async (tx) => (await tx.query<{ n: number }>('SELECT $1::int AS n', [index])).rows[0]?.n),
      ),
    )
    expect(results).toEqual(Array.from({ length: 40 }, (_, index) => index))
    await db.close()
  })

  describe('prepared statements', () => {
    const counted = prepared('SELECT count(*)::integer AS n FROM unnest($1::bigint[]) AS u (id)')
    const count = async (db: Queryable, ids: string[]) => (await db.query<{ n: number }>(counted, [ids])).rows[0]?.n
    const namesOn = async (db: Queryable) =>
      (await db.query<{ name: string }>("SELECT name FROM pg_prepared_statements WHERE name LIKE 'sluice%'")).rows.map(({ name }) => name)

    test('are kept by the connection, but not for long lists, nor where they are switched off', async () => {
      await withPort(async (db) => {
        expect(
          await count(
            db,
            Array.from({ length: 129 }, (_, id) => String(id)),
          ),
        ).toBe(129)
        expect(await namesOn(db)).toEqual([])
        expect(await count(db, ['1', '2'])).toBe(2)
        expect(await count(db, [])).toBe(0)
        expect(await namesOn(db)).toEqual([counted.name])
      })
      const off = createPostgres({ url: database.directUrl, connections: 1, preparedStatements: false })
      expect(await count(off, ['1', '2'])).toBe(2)
      expect(await namesOn(off)).toEqual([])
      await off.close()
    })

    test.each([
      ['one is there already', `PREPARE ${counted.name} AS SELECT 1`],
      ['one is gone', 'DEALLOCATE ALL'],
    ])('where %s, they fail once, to be tried again, and are given up', async (_, between) => {
      await withPort(async (db) => {
        if (between.startsWith('DEALLOCATE')) expect(await count(db, ['1'])).toBe(1)
        await db.exec(between)
        await expect(count(db, ['1', '2'])).rejects.toMatchObject({ sqlstate: '40001', message: expect.stringContaining('pooler') })
        expect(await count(db, ['1', '2'])).toBe(2)
        expect(await withRetry(() => db.transaction((tx) => count(tx, ['1', '2', '3'])))).toBe(3)
      })
    })

    test('of a table whose columns became others are given up as well', async () => {
      await withPort(async (db) => {
        await db.exec('CREATE TABLE sluice.changing (n integer)')
        const read = prepared('SELECT * FROM sluice.changing')
        await db.query(read)
        await db.exec('ALTER TABLE sluice.changing ADD more text')
        await expect(db.query(read)).rejects.toMatchObject({ sqlstate: '40001' })
        expect((await db.query(read)).rows).toEqual([])
        await db.exec('DROP TABLE sluice.changing')
      })
    })

    test.skipIf(!isPooled)('behind a pooler that keeps none, nobody’s work is lost', async () => {
      const db = createPostgres({ url: database.url, connections: 8 })
      const counts = await Promise.all(
        Array.from({ length: 50 }, () =>
          withRetry(() => db.transaction(async (tx) => (await count(tx, ['1'])) ?? (await count(tx, ['1'])))),
        ),
      )
      expect(counts).toEqual(Array.from({ length: 50 }, () => 1))
      await db.close()
    })
  })
})
