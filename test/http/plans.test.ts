/** What lists and pages read is found by an index: with sequential scans switched off, no plan is left with one of a table that grows. */
import { beforeAll, expect, test } from 'vitest'
import type { Db, Parameter } from '../../src/store/db.ts'
import { onPostgres } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'
import { createTestApp, type TestApp } from './support.ts'

const growing = [
  'message',
  'message_body',
  'instance',
  'failure',
  'chunk',
  'object',
  'deferred_link',
  'awaited_reference',
  'task_run',
  'employee',
]

interface Statement {
  sql: string
  parameters: readonly Parameter[]
}

onPostgres((opened) => {
  let app: TestApp
  let statements: Statement[]

  const recording = (db: Db): Db =>
    new Proxy(db, {
      get(target, name) {
        if (name !== 'query') return Reflect.get(target, name)
        return (sql: string, parameters: readonly Parameter[] = []) => {
          statements.push({ sql, parameters })
          return target.query(sql, parameters)
        }
      },
    })

  beforeAll(() => {
    statements = []
  })

  test.each([
    '/api/overview',
    '/api/messages',
    '/api/messages?integration=employee&status=-3&source=test',
    '/api/messages?from=2026-01-01T00:00:00Z&to=2126-01-01T00:00:00Z',
    '/api/messages?order=oldest&from=2026-01-01T00:00:00Z',
    '/api/messages?externalId=e-1',
    '/api/messages/1',
    '/api/messages/1/body',
    '/api/messages/1/instances',
    '/api/messages/1/instances?status=2',
    '/api/messages/1/instances?status=-2&errorCode=missing_reference',
    '/api/messages/1/instances?outcome=created',
    '/api/instances',
    '/api/instances?failed=true',
    '/api/instances?integration=employee&errorCode=missing_reference',
    '/api/instances?integration=employee&externalId=e-1',
    '/api/instances?integration=employee&errorCode=missing_reference&fingerprint=x',
    '/api/instances/1.0',
    '/api/objects/employee/e-2',
    '/api/objects/employee/e-2/target',
    '/api/errors',
    '/api/errors?integration=employee',
    '/api/errors?integration=employee&errorCode=missing_reference',
    '/api/tasks',
    '/api/task-runs',
    '/api/task-runs?task=rollup&state=queued',
  ])('%s', async (path) => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization, employee])
    await app.process('employee', [
      { ms_id: 'e-1', name: 'Ada', organization_ms_id: 'o-1' },
      { ms_id: 'e-2', name: 'Grace' },
    ])
    statements = []
    const reading = createTestApp(recording(opened.db), [organization, employee])
    const response = await reading.call('GET', path)
    expect(response.status).toBe(200)
    await response.text()
    expect(statements.length).toBeGreaterThan(0)
    const scanned: string[] = []
    for (const { sql, parameters } of statements) {
      for (const table of await scans(sql, parameters)) scanned.push(`${table}: ${sql}`)
    }
    expect(scanned).toEqual([])
  })

  test('a read without an index would be found', async () => {
    expect(await scans('SELECT id FROM sluice.message WHERE body_size > $1', [5])).toEqual(['message'])
  })

  /** Tables that grow and that a statement would read from end to end. */
  const scans = (sql: string, parameters: readonly Parameter[]): Promise<string[]> =>
    opened.db.transaction(async (tx) => {
      await tx.query('SET LOCAL enable_seqscan = off')
      const { rows } = await tx.query<{ 'QUERY PLAN': string }>(`EXPLAIN (FORMAT JSON) ${sql}`, parameters)
      const found: string[] = []
      JSON.parse(rows[0]?.['QUERY PLAN'] ?? '[]', (key, value: unknown) => {
        const node = value as { 'Node Type'?: string; 'Relation Name'?: string } | null
        if (key !== '' && node?.['Node Type'] === 'Seq Scan' && growing.includes(node['Relation Name'] ?? ''))
          found.push(node['Relation Name'] ?? '')
        return value
      })
      return found
    })
})
