/**
 * Fault 8: whatever lies about in the queue, a claim reads little of it. Counted in pages that are visited, for a stopwatch says as much
 * of the machine.
 */
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { splitNext } from '../../src/flow/index.ts'
import { claimChunks, mostChunksAtOnce } from '../../src/store/chunk.ts'
import type { Db, Parameter, PreparedStatement, Queryable } from '../../src/store/db.ts'
import { migrate } from '../../src/store/migrate.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { QueueMarks, SplitMark } from '../../src/store/queue-marks.ts'
import { hasNative } from '../support/database.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'
import { correctMessage } from '../support/rows.ts'
import { createThings } from '../tasks/support.ts'

const integrations = ['thing', 'other', 'paused']
/** Pages that a claim may visit: a few levels of an index for each integration, and the rows that it takes. */
const fewPages = 80

interface Plan {
  Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number }
}

describe.skipIf(!hasNative)('the queue', { timeout: 240_000 }, () => {
  let server: PostgresServer
  let db: Db

  beforeAll(async () => {
    server = await startPostgres({ settings: { fsync: 'off', autovacuum_naptime: '1s' } })
    db = createPostgres({ url: server.url })
    await migrate(db)
  }, 120_000)
  beforeEach(() => db.exec('TRUNCATE sluice.chunk, sluice.paused_integration'))
  afterAll(async () => {
    await db?.close()
    await server?.remove()
  })

  /** Ready chunks of one instance each. */
  async function insertChunks(integration: string, count: number): Promise<void> {
    await db.query(
      `INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, total)
       SELECT n, $1, 'data', 0, 0, 0, 1 FROM generate_series(1, $2::integer) AS n`,
      [integration, count],
    )
  }

  const claim = (of: Db, size = 1, marks?: QueueMarks) =>
    claimChunks(of, { integrations, worker: 'w', leaseSeconds: 60, size, ...(marks === undefined ? {} : { marks }) })

  /** Does something, and counts the pages that the statements visited that looked for work. */
  async function countPages<T>(work: (counting: Db) => Promise<T>): Promise<{ pages: number; result: T }> {
    let pages = 0
    const counted = (queryable: Queryable): Queryable => ({
      async query<Row>(sql: string | PreparedStatement, parameters: readonly Parameter[] = []) {
        const text = typeof sql === 'string' ? sql : sql.text
        if (text.includes('SKIP LOCKED')) {
          const { rows } = await queryable.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`, parameters)
          const [plan] = JSON.parse(rows[0]?.['QUERY PLAN'] ?? '[]') as Plan[]
          pages += (plan?.Plan['Shared Hit Blocks'] ?? 0) + (plan?.Plan['Shared Read Blocks'] ?? 0)
        }
        return queryable.query<Row>(sql, parameters)
      },
    })
    const transaction: Db['transaction'] = (inside, options) => db.transaction((tx) => inside({ ...tx, ...counted(tx) }), options)
    const result = await work({ ...db, ...counted(db), transaction })
    expect(pages).toBeGreaterThan(0)
    return { pages, result }
  }

  async function pagesOfClaim(size = 1, marks?: QueueMarks): Promise<{ pages: number; integration: string | undefined }> {
    const { pages, result } = await countPages((counting) => claim(counting, size, marks))
    return { pages, integration: result[0]?.integration }
  }

  test('a long queue, of whatever integration, costs a claim nothing', async () => {
    await insertChunks('paused', 20_000)
    await db.query("INSERT INTO sluice.paused_integration (integration, reason) VALUES ('paused', '{}')")
    await insertChunks('of another config', 20_000)
    await insertChunks('thing', 20_000)
    await insertChunks('other', 5)
    // The planner knows nothing of the table yet, as after the beginning of a load; then all that there is to know.
    for (let round = 0; round < 2; round++) {
      const { pages, integration } = await pagesOfClaim()
      expect(integration).toBe('thing')
      expect(pages).toBeLessThan(fewPages)
      await db.exec('ANALYZE sluice.chunk')
    }
    await db.query("DELETE FROM sluice.chunk WHERE integration IN ('thing', 'other')")
    expect(await claim(db)).toEqual([])
  })

  test('while a transaction is held elsewhere, what is done piles up; a claim pays little for it, and room is used again afterwards', async () => {
    const holder = new pg.Client({ connectionString: server.url })
    await holder.connect()
    const load = 20_000
    try {
      await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()')
      await process(load)
      const marks = new QueueMarks(Number.POSITIVE_INFINITY)
      await insertChunks('thing', 200)
      // From the beginning, over all that is done: a page for some thirty rows.
      expect((await pagesOfClaim(1, marks)).pages).toBeLessThan(load / 10)
      // From there on, also where many small chunks go together: then a page for each of them beside.
      expect((await pagesOfClaim(1, marks)).pages).toBeLessThan(2 * fewPages)
      expect((await pagesOfClaim(1000, marks)).pages).toBeLessThan(2 * fewPages + mostChunksAtOnce)
      await holder.query('COMMIT')
    } finally {
      await holder.end()
    }
    const held = await size()
    const dead = async () =>
      (await db.query<{ dead: number }>(`SELECT n_dead_tup::integer AS dead FROM pg_stat_user_tables WHERE relname = 'chunk'`)).rows[0]
        ?.dead
    await expect.poll(dead, { timeout: 120_000, interval: 500 }).toBeLessThan(load / 10)
    await insertChunks('thing', 1)
    expect((await pagesOfClaim()).pages).toBeLessThan(fewPages)
    await process(load)
    // The same again takes twice the room where none is used again.
    expect(await size()).toBeLessThan(held * 1.5)
  })

  test('what becomes due before the mark is found by the next look from the beginning, or when there is nothing else', async () => {
    const chunkDue = async (seconds: number): Promise<string> => {
      await insertChunks('thing', 1)
      const { rows } = await db.query<{ id: string }>(
        'UPDATE sluice.chunk SET due_at = now() - make_interval(secs => $1) WHERE id = (SELECT max(id) FROM sluice.chunk) RETURNING id',
        [seconds],
      )
      return rows[0]?.id ?? ''
    }
    const marks = new QueueMarks(Number.POSITIVE_INFINITY)
    const next = async (of: QueueMarks) => (await claim(db, 1, of))[0]?.id
    const first = await chunkDue(10)
    expect(await next(marks)).toBe(first)
    // A split that took long commits chunks that became due before.
    const [late, later, young] = [await chunkDue(30), await chunkDue(20), await chunkDue(5)]
    expect(await next(marks)).toBe(young)
    expect(await next(marks)).toBe(late)
    const youngest = await chunkDue(1)
    expect(await next(marks)).toBe(later)
    expect(await next(marks)).toBe(youngest)
    const always = new QueueMarks(0)
    const [a, b] = [await chunkDue(5), await chunkDue(8)]
    expect([await next(always), await next(always)]).toEqual([b, a])
  })

  test('claims take turns: what comes while a giant goes through does not wait for it', async () => {
    await db.exec(`INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, total, due_at)
      SELECT 1, 'thing', 'data', n, n, n, 1, now() - interval '1 minute' FROM generate_series(0, 99) AS n`)
    const marks = new QueueMarks()
    const next = async () => (await claim(db, 1, marks))[0]?.messageId
    // Some of the giant first: it is alone.
    for (let index = 0; index < 10; index++) expect(await next()).toBe('1')
    await db.exec(`INSERT INTO sluice.chunk (message_id, integration, kind, number, first_ordinal, last_ordinal, total)
      VALUES (2, 'thing', 'data', 0, 0, 0, 1), (3, 'thing', 'data', 0, 0, 0, 1), (3, 'thing', 'data', 1, 1, 1, 1), (4, 'other', 'data', 0, 0, 0, 1)`)
    const order = [
      await next(),
      await next(),
      await next(),
      await next(),
      await next(),
      await next(),
      await next(),
      await next(),
      await next(),
    ]
    for (const message of ['2', '3', '4']) expect(order).toContain(message)
    // Nor does the giant wait for the others.
    expect(order.filter((message) => message === '1').length).toBeGreaterThanOrEqual(3)
  })

  test('the look for messages to split pays little for those that are split, too', async () => {
    // An ANALYZE in between would change the plan from one look to the next.
    await db.exec('ALTER TABLE sluice.message SET (autovacuum_enabled = false)')
    const holder = new pg.Client({ connectionString: server.url })
    await holder.connect()
    try {
      await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()')
      await db.query(
        `INSERT INTO sluice.message (integration, source, upload_id, body_sha256, body_size, format)
         SELECT 'thing', 'test', gen_random_uuid(), sha256(''), 2, 'json' FROM generate_series(1, 20000)`,
      )
      await db.query('UPDATE sluice.message SET status = 1, validated_at = now(), total = 0')
      await db.query('UPDATE sluice.message SET status = 2, split_at = now()')
      const mark = new SplitMark(Number.POSITIVE_INFINITY)
      const round = async () => {
        await correctMessage(db, 1)
        return countPages((counting) => splitNext(createThings(counting), ['thing'], mark))
      }
      const first = await round()
      const second = await round()
      expect([first.result, second.result]).toMatchObject([{ messages: 1 }, { messages: 1 }])
      expect(second.pages).toBeLessThan(first.pages / 4)
      // One that was validated later than those behind it, by far: there is nothing else.
      const late = await correctMessage(db, 1)
      await db.query(
        'INSERT INTO sluice.message (integration, source, upload_id, body_sha256, body_size, format) SELECT integration, source, gen_random_uuid(), body_sha256, 2, format FROM sluice.message LIMIT 2000',
      )
      mark.note(String(Number(late) + 2000))
      expect(await splitNext(createThings(db), ['thing'], mark)).toMatchObject({ messages: 1 })
    } finally {
      await holder.end()
    }
  })

  /** Claims chunks and finishes them, as workers do. */
  async function process(count: number): Promise<void> {
    await insertChunks('thing', count)
    for (;;) {
      const chunks = await claim(db, 1000)
      if (chunks.length === 0) return
      await db.query(
        "UPDATE sluice.chunk SET state = 'finished', finished_at = clock_timestamp(), lease_until = NULL, worker = NULL, created = 1 WHERE id = ANY($1)",
        [chunks.map(({ id }) => id)],
      )
    }
  }

  /** Bytes of the table and its indexes. */
  async function size(): Promise<number> {
    const { rows } = await db.query<{ bytes: number }>("SELECT pg_total_relation_size('sluice.chunk')::float8 AS bytes")
    return rows[0]?.bytes ?? 0
  }
})
