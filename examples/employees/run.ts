/**
 * Employees are sent before the positions and organizations that they refer to: they wait, and go on by themselves.
 *
 *     node examples/employees/run.ts
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSluice } from '../../src/index.ts' // in your project: from 'sluice'
import config from './sluice.config.ts'

interface Message {
  id: string
  status: number
  statusLabel: string
  counts: Record<string, number>
}

const token = 'an-example-token-of-32-characters-or-more'
const folder = await mkdtemp(join(tmpdir(), 'sluice-employees-'))
const sluice = createSluice({ ...config, database: { folder, connections: 1 }, token })
try {
  await sluice.migrate()
  await sluice.services.db.exec(await readFile(new URL('tables.sql', import.meta.url), 'utf8'))
  sluice.work()

  console.log('1. The employees come first.')
  const employees = await send('employee', [
    { ms_id: 1, name: 'Ada', position_ms_id: 'nurse', organization_ms_id: 'o-1', date_joined: '2024-02-01' },
    { ms_id: 2, name: 'Boris', position_ms_id: 'doctor', organization_ms_id: 'o-1', date_joined: '2025-09-15' },
    { ms_id: 3, name: 'Chen', position_ms_id: 'nurse', organization_ms_id: 'o-2', date_joined: '2026-01-10' },
  ])
  await finished(employees, -3)
  for (const { externalId, error } of await failures(employees)) console.log(`   employee ${externalId} waits: ${error.message}`)

  console.log('2. Then positions, areas and organizations.')
  const others = [
    await send('position', [
      { ms_id: 'nurse', title: 'Nurse' },
      { ms_id: 'doctor', title: 'Doctor' },
    ]),
    await send('area', [
      { ms_id: 10, title: 'East' },
      { ms_id: 11, title: 'West' },
    ]),
    await send('organization', [
      {
        ms_id: 'o-1',
        title: 'City hospital',
        phone_number: '555-0100',
        district_ms_id: 'north',
        area_ms_id_list: [10, 11],
        changed_at: '2026-01-15T09:00:00Z',
      },
      { ms_id: 'o-2', title: 'Village clinic', district_ms_id: 'south', area_ms_id_list: [11], changed_at: '2026-01-15T09:00:00Z' },
    ]),
  ]
  for (const id of others) await finished(id, 3)

  console.log('3. The employees go on by themselves.')
  await finished(employees, 3)
  for (const row of await staff()) console.log(`   ${row}`)
} finally {
  await sluice.close()
  await rm(folder, { recursive: true })
}

/** Posts a message as a master system would, but without a network in between. */
async function send(integration: string, objects: readonly object[]): Promise<string> {
  const { id } = await call<Message>(`api/integrations/${integration}/messages`, { method: 'POST', body: JSON.stringify(objects) })
  return id
}

/** Waits until a message has the status given, and prints it. */
async function finished(id: string, status: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const message = await call<Message & { integration: string }>(`api/messages/${id}`)
    if (message.status === status) {
      const { created = 0, failed = 0 } = message.counts
      console.log(`   message ${id} (${message.integration}): ${status} ${message.statusLabel}, ${created} created, ${failed} failed`)
      return
    }
    await sleep(100)
  }
  throw new Error(`message ${id} did not reach status ${status}`)
}

async function failures(id: string): Promise<{ externalId: string; error: { message: string } }[]> {
  const page = await call<{ items: { externalId: string; error: { message: string } }[] }>(`api/messages/${id}/instances?status=-2`)
  return page.items
}

async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await sluice.fetch(new Request(`http://example/${path}`, { ...init, headers }))
  const body = await response.json()
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(body)}`)
  return body as T
}

async function staff(): Promise<string[]> {
  const { rows } = await sluice.services.db.query<{ line: string }>(`
    SELECT format('%s is a %s at %s (district %s, areas %s)', e.name, lower(p.title), o.title, d.title,
      (SELECT string_agg(a.title, ' and ' ORDER BY a.title) FROM organization_area oa JOIN area a ON a.id = oa.area_id
       WHERE oa.organization_id = o.id)) AS line
    FROM employee e
    JOIN position p ON p.id = e.position_id
    JOIN organization o ON o.id = e.organization_id
    JOIN district d ON d.id = o.district_id
    ORDER BY e.name`)
  return rows.map((row) => row.line)
}
