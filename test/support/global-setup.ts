/** One PostgreSQL server for the whole test run: the major that SLUICE_TEST_PG says (18 or 14; default 18). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { hasPgbouncer, startPgbouncer } from './pgbouncer.ts'
import { hasPostgres, startPostgres } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the server's own database, or empty when this platform has no native PostgreSQL. */
    postgresUrl: string
    /** The same through PgBouncer in transaction mode, where SLUICE_TEST_POOLER asks for it; else empty. */
    poolerUrl: string
    /** For what tests share and make; gone after the run. */
    temporaryFolder: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const temporaryFolder = mkdtempSync(join(tmpdir(), 'sluice-databases-'))
  project.provide('temporaryFolder', temporaryFolder)
  const removeFolder = () => rmSync(temporaryFolder, { recursive: true })
  const major = process.env.SLUICE_TEST_PG === '14' ? 14 : 18
  if (!hasPostgres(major)) {
    console.warn(`\n!! No native PostgreSQL ${major} for this platform: every test that needs it is SKIPPED.\n`)
    project.provide('postgresUrl', '')
    project.provide('poolerUrl', '')
    return async () => removeFolder()
  }
  const server = await startPostgres({ major, settings: { fsync: 'off', max_connections: '200' } })
  project.provide('postgresUrl', server.url)
  const isPooled = process.env.SLUICE_TEST_POOLER === 'on'
  if (isPooled && !hasPgbouncer) throw new Error('SLUICE_TEST_POOLER needs PgBouncer: apt-get install pgbouncer')
  const pooler = isPooled ? await startPgbouncer(server.url) : null
  project.provide('poolerUrl', pooler?.url ?? '')
  return async () => {
    await pooler?.stop()
    await server.remove()
    removeFolder()
  }
}
