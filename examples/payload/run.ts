/**
 * Three hundred organizations become pages of a real Payload site: created, unchanged, edited, drafted, taken off, published
 * again and moved; then employees, rows of a table that refer to pages. Run `npm ci` in this folder first.
 *
 *     node examples/payload/run.ts
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSluice, defineConfig, defineIntegration } from '../../src/index.ts' // in your project: from 'sluice'
import { payloadSite } from '../../src/payload/index.ts' // in your project: from 'sluice/payload'
import { employee, employeesOf, employeeTable } from '../wagtail/employee.ts'
import { Organization, organizations } from '../wagtail/organization.ts'

interface Message {
  id: string
  status: number
  counts: Record<string, number>
}

interface Site {
  db: { migrate(): Promise<void>; destroy(): Promise<void> }
  create(options: { collection: string; data: object }): Promise<unknown>
  count(options: object): Promise<{ totalDocs: number }>
}

const token = 'an-example-token-of-32-characters-or-more'
const folder = await mkdtemp(join(tmpdir(), 'sluice-payload-'))
// By variable, so that the types of this repository can be checked without Payload. A project of its own imports them plainly.
const [library, config] = ['node_modules/payload/dist/index.js', 'payload.config.mjs'].map((path) => new URL(path, import.meta.url).href)
const { getPayload } = await import(String(library))
const { siteConfig } = await import(String(config))
const payload: Site = await getPayload({ config: siteConfig(`file:${join(folder, 'site.db')}`), disableOnInit: true })
await payload.db.migrate()
for (let number = 1; number <= 5; number++) await payload.create({ collection: 'districts', data: { name: `District ${number}` } })
for (let number = 1; number <= 20; number++) await payload.create({ collection: 'areas', data: { name: `Area ${number}` } })

const site = payloadSite({ payload: () => Promise.resolve(payload), collections: ['organizations'], places: { top: null } })
const organizationPages = defineIntegration({
  name: 'organization',
  schema: Organization,
  key: 'ms_id',
  deleted: (object) => object.deleted_at != null,
  target: (t) =>
    t.page(site, {
      type: 'organizations',
      parent: t.parent('organization', 'parent_ms_id', { top: t.place('top') }),
      title: 'title',
      fields: { phone: 'phone', address: 'address' },
      refs: { district: 'district_ms_id' }, // kept by the site itself: the ids are its own
      sets: { areas: 'area_ms_id_list' },
    }),
})
const sluice = createSluice({
  ...defineConfig({ integrations: [organizationPages, employee], logLevel: 'warn' }),
  database: { folder: join(folder, 'inbox'), connections: 1 },
  token,
})
try {
  await sluice.migrate()
  await sluice.services.db.exec(employeeTable)
  sluice.work()
  const all = organizations()
  const leaves = all.slice(0, 240)
  console.log(`\n${'what was sent'.padEnd(44)}status  ${'outcomes'.padEnd(34)}seconds`)
  await step('300 organizations, children first', all)
  await step('the same again', all)
  await step('30 with another phone', change(leaves.slice(0, 30), { phone: '555 9' }))
  await step('10 with another title, as drafts', change(leaves.slice(30, 40), { title: 'Renamed' }), '?draft=true')
  await step('12 deleted', change(leaves.slice(40, 52), { deleted_at: '2026-11-23' }))
  await step('the 12 are back', leaves.slice(40, 52))
  await step('5 under another organization', change(leaves.slice(60, 65), { parent_ms_id: 'R5-8' }))
  await step('20 employees of organizations', employeesOf(leaves.slice(0, 20)), '', 'employee')
  const { totalDocs } = await payload.count({ collection: 'organizations' })
  const live = await payload.count({ collection: 'organizations', where: { _status: { equals: 'published' } } })
  console.log(`\nPayload says: ${String(totalDocs)} pages, ${String(live.totalDocs)} live`)
} finally {
  await sluice.close()
  await payload.db.destroy()
  await rm(folder, { recursive: true, force: true })
}

function change(list: readonly Organization[], more: Partial<Organization>): Organization[] {
  return list.map((organization) => ({ ...organization, ...more }))
}

/** Sends a message, waits until it is finished, and prints what became of it. */
async function step(name: string, objects: readonly object[], query = '', integration = 'organization'): Promise<void> {
  const started = performance.now()
  const receipt = await call<Message>(`integrations/${integration}/messages${query}`, { method: 'POST', body: JSON.stringify(objects) })
  for (;;) {
    const { status, counts } = await call<Message>(`messages/${receipt.id}`)
    if (status !== 3 && status !== -3 && status !== -1) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      continue
    }
    const outcomes = Object.entries(counts).filter(([word, count]) => count > 0 && word !== 'processed')
    const words = outcomes.map(([word, count]) => `${count} ${word}`).join(', ')
    console.log(`${name.padEnd(44)}${String(status).padEnd(8)}${words.padEnd(34)}${((performance.now() - started) / 1000).toFixed(1)}`)
    return
  }
}

async function call<T>(path: string, init: { method?: string; body?: string } = {}): Promise<T> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await sluice.fetch(new Request(`http://sluice/api/${path}`, { ...init, headers }))
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as T
}
