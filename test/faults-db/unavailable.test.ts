/** Fault 9: a full disk, a database that is gone, no connection left, a password that was changed. Never a false 2xx, and nobody has to restart anything. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { receiptShape } from '../../src/http/contract/message.ts'
import type { Db } from '../../src/store/db.ts'
import { migrate } from '../../src/store/migrate.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { startWorker, type Worker } from '../../src/worker/worker.ts'
import { createTestApp, problem, read, type TestApp } from '../http/support.ts'
import { organization, resetCompany } from '../support/company.ts'
import { hasNative } from '../support/database.ts'
import { type PostgresServer, startPostgres } from '../support/postgres.ts'

const path = '/api/integrations/organization/messages'
const name = 'sluice_test'

/** Where a file system of its own can be mounted, a disk is really full; as root on Linux, mostly. */
const canMount = hasNative && process.platform === 'linux' && process.getuid?.() === 0 && probeMount()
if (!canMount) console.warn('\n!! No file system can be mounted here: the test of a really full disk is SKIPPED.\n')

function probeMount(): boolean {
  const folder = mountDisk()
  if (folder !== null) unmountDisk(folder)
  return folder !== null
}

/** A folder with a disk of its own; null where that can't be. */
function mountDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-disk-'))
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', folder]).status === 0) {
    // PostgreSQL runs as nobody.
    chownSync(folder, 65534, 65534)
    return folder
  }
  rmSync(folder, { recursive: true })
  return null
}

function unmountDisk(folder: string): void {
  execFileSync('umount', [folder])
  rmSync(folder, { recursive: true, force: true })
}

describe.skipIf(!hasNative)('while the database can’t be used', { timeout: 120_000 }, () => {
  let server: PostgresServer
  let disk: string | null = null
  let url: string
  let db: Db
  let app: TestApp
  let worker: Worker | undefined
  const open: { close(): Promise<void> }[] = []

  beforeAll(async () => {
    // Only here are more sessions than connections wanted.
    server = await startPostgres({ settings: { fsync: 'off', max_connections: '20' } })
    if (canMount) disk = mountDisk()
    await asAdmin(async (admin) => {
      if (disk !== null) await admin.query(`CREATE TABLESPACE small LOCATION '${disk}'`)
      await admin.query(`CREATE DATABASE ${name}${disk === null ? '' : ' TABLESPACE small'}`)
      await admin.query(`CREATE ROLE inbox LOGIN PASSWORD 'first'; ALTER DATABASE ${name} OWNER TO inbox`)
    })
    url = urlFor('inbox:first')
    const first = createPostgres({ url })
    await migrate(first)
    await first.close()
  }, 120_000)
  beforeEach(async () => {
    db = createPostgres({ url, connections: 4 })
    open.push(db)
    await resetCompany(db)
    // What a crash leaves unvalidated is taken up a second later, not a minute.
    app = createTestApp(db, [organization], { worker: { poll: 0.05 }, validateGrace: 1, tasks: { split: { cron: '* * * * * *' } } })
  })
  afterEach(async () => {
    await worker?.stop()
    worker = undefined
    for (const each of open.splice(0)) await each.close()
  })
  afterAll(async () => {
    await server?.remove()
    if (disk !== null) unmountDisk(disk)
  })

  function urlFor(user: string): string {
    const found = new URL(server.url)
    found.pathname = `/${name}`
    return found.href.replace('postgres@', `${user}@`)
  }

  async function asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }

  /** Ends the idle connections of the pool: what it wants next are new ones. */
  async function endSessions(): Promise<void> {
    const sessions = "FROM pg_stat_activity WHERE usename = 'inbox'"
    await asAdmin((admin) => admin.query(`SELECT pg_terminate_backend(pid) ${sessions}`))
    const left = () => asAdmin(async (admin) => (await admin.query(`SELECT ${sessions}`)).rowCount)
    await expect.poll(left, { timeout: 60_000 }).toBe(0)
  }

  /** SQLSTATE that a new connection is refused with; null when it isn't. */
  async function stateOfLogin(at: string): Promise<string | null> {
    const client = new pg.Client({ connectionString: at })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return null
    } catch (error) {
      return (error as { code?: string }).code ?? 'none'
    } finally {
      await client.end()
    }
  }

  const objects = (id: string) => [{ ms_id: id, title: 'T', changed_at: '2026-05-01' }]
  const send = (body: unknown, key?: string) =>
    app.call('POST', path, { body, ...(key === undefined ? {} : { headers: { 'Idempotency-Key': key } }) })
  /** A body of several parts, so that some are stored before the message is. */
  const large = (id: string) => [{ ms_id: id, title: 'T', changed_at: '2026-05-01', filling: 'x'.repeat(3 * 1024 * 1024) }]

  async function accepted(body: unknown, key?: string): Promise<string> {
    return (await read(await send(body, key), 202, receiptShape)).id
  }

  /** 503, with when to come again. */
  async function unavailable(response: Response): Promise<void> {
    expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0)
    await problem(response, 503, 'unavailable')
  }

  /** Everything that was answered with 2xx is there once and processed; nothing else is. */
  async function onlyThese(ids: readonly string[]): Promise<void> {
    await expect
      .poll(async () => app.rows('SELECT id, status FROM sluice.message ORDER BY id'), { timeout: 90_000, interval: 100 })
      .toEqual(ids.map((id) => ({ id, status: 3 })))
  }

  test('the database is gone: 503, and when it is there again everything goes on', async () => {
    worker = startWorker(app.services, { name: 'w' })
    const before = await accepted(objects('o-1'))
    await onlyThese([before])
    await server.stop('immediate')
    try {
      for (const body of [objects('o-2'), large('o-2')]) await unavailable(await send(body))
      await unavailable(await app.call('GET', '/api/messages'))
      await problem(await app.call('GET', '/readyz', { token: null }), 503, 'not_ready')
      expect((await app.call('GET', '/livez', { token: null })).status).toBe(200)
    } finally {
      await server.start()
    }
    const after = await accepted(objects('o-3'))
    await onlyThese([before, after])
  })

  test('the database goes while work is going on: what was answered is there, what was not is not there twice', async () => {
    worker = startWorker(app.services, { name: 'w' })
    const sending = Array.from({ length: 30 }, (_, index) => send(objects(`o-${index}`), `key-${index}`))
    // In the middle: as soon as the first of them is answered.
    await Promise.race(sending)
    await server.stop('immediate')
    await server.start()
    const answers = await Promise.all(sending)
    const ids: string[] = []
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 202) ids.push((await read(answer, 202, receiptShape)).id)
      else {
        await unavailable(answer)
        ids.push(await accepted(objects(`o-${index}`), `key-${index}`))
      }
    }
    expect(new Set(ids).size).toBe(30)
    await onlyThese(ids.sort((a, b) => Number(a) - Number(b)))
    expect(await app.rows('SELECT max(writes) AS most, count(*)::integer AS rows FROM public.organization')).toEqual([
      { most: 1, rows: 30 },
    ])
  })

  test.each(['message', 'message_body', 'instance', 'chunk'] as const)(
    'a disk that is full for sluice.%s: 503 or processed later, never lost',
    async (table) => {
      worker = startWorker(app.services, { name: 'w' })
      const before = await accepted(objects('o-1'))
      await onlyThese([before])
      // 53100 is what PostgreSQL says when a file can't grow.
      await db.exec(`
      CREATE FUNCTION public.no_space() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
      CREATE TRIGGER no_space BEFORE INSERT OR UPDATE ON sluice.${table} FOR EACH STATEMENT EXECUTE FUNCTION public.no_space()`)
      const ids = [before]
      try {
        for (const body of [objects('o-2'), large('o-3')]) {
          const answer = await send(body)
          if (answer.status === 202) ids.push((await read(answer, 202, receiptShape)).id)
          else await unavailable(answer)
        }
        expect(ids).toHaveLength(table === 'message' || table === 'message_body' ? 1 : 3)
      } finally {
        await db.exec('DROP FUNCTION public.no_space CASCADE')
      }
      ids.push(await accepted(objects('o-4')))
      await onlyThese(ids)
      expect(await app.rows('SELECT status FROM sluice.instance WHERE status = -2')).toEqual([])
      // No part of what was refused stays behind.
      expect(
        await app.rows('SELECT FROM sluice.message_body b WHERE NOT EXISTS (SELECT FROM sluice.message m WHERE m.upload_id = b.upload_id)'),
      ).toEqual([])
    },
  )

  test.skipIf(!canMount)('a disk that is really full', async () => {
    worker = startWorker(app.services, { name: 'w' })
    const before = await accepted(large('o-1'))
    await onlyThese([before])
    const filler = join(disk ?? '', 'filler')
    const { bavail, bsize } = statfsSync(disk ?? '')
    writeFileSync(filler, Buffer.alloc(bavail * bsize - 64 * 1024))
    try {
      await unavailable(await send(large('o-2')))
    } finally {
      rmSync(filler)
    }
    const after = await accepted(large('o-3'))
    await onlyThese([before, after])
  })

  test('no connection is left: 503, and the worker comes back by itself', async () => {
    const before = await accepted(objects('o-1'))
    await db
      .query('ALTER ROLE inbox CONNECTION LIMIT 2')
      .catch(() => asAdmin((admin) => admin.query('ALTER ROLE inbox CONNECTION LIMIT 2')))
    const held: pg.Client[] = []
    try {
      await asAdmin((admin) => admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'inbox'"))
      await expect
        .poll(() => asAdmin(async (admin) => (await admin.query("SELECT FROM pg_stat_activity WHERE usename = 'inbox'")).rowCount))
        .toBe(0)
      for (let count = 0; count < 2; count++) {
        const client = new pg.Client({ connectionString: url })
        client.on('error', () => undefined)
        await client.connect()
        held.push(client)
      }
      worker = startWorker(app.services, { name: 'w' })
      for (const body of [objects('o-2'), large('o-2')]) await unavailable(await send(body))
    } finally {
      await Promise.all(held.map((client) => client.end()))
      await asAdmin((admin) => admin.query('ALTER ROLE inbox CONNECTION LIMIT -1'))
    }
    const after = await accepted(objects('o-3'))
    await onlyThese([before, after])
  })

  test('the password was changed: 503 until this process has the new one; the worker needs no restart when it is changed back', async () => {
    const before = await accepted(objects('o-1'))
    await asAdmin(async (admin) => {
      const { rows } = await admin.query<{ hba_file: string }>('SHOW hba_file')
      await admin.query(
        `COPY (VALUES ('local all all trust'), ('host all postgres 127.0.0.1/32 trust'), ('host all all 127.0.0.1/32 scram-sha-256')) TO '${rows[0]?.hba_file}'`,
      )
      await admin.query("ALTER ROLE inbox PASSWORD 'second'")
      await admin.query('SELECT pg_reload_conf()')
    })
    // The postmaster reads its file a moment after it is told.
    await expect.poll(() => stateOfLogin(url), { timeout: 60_000 }).toBe('28P01')
    await endSessions()
    worker = startWorker(app.services, { name: 'w' })
    for (const body of [objects('o-2'), large('o-2')]) await unavailable(await send(body))
    await asAdmin((admin) => admin.query("ALTER ROLE inbox PASSWORD 'first'"))
    const after = await accepted(objects('o-2'))
    await onlyThese([before, after])
  })
})
