/**
 * Three hundred organizations become pages of a real Wagtail site: created, unchanged, edited, drafted, taken off, published
 * again and moved. Needs Python 3.11 and pip.
 *
 *     node examples/wagtail/run.ts
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSluice } from '../../src/index.ts' // in your project: from 'sluice'
import { employeesOf, employeeTable } from './employee.ts'
import { type Organization, organizations } from './organization.ts'
import { startSite } from './site.ts'
import { wagtailConfig } from './sluice.config.ts'

interface Message {
  id: string
  status: number
  counts: Record<string, number>
}

const token = 'an-example-token-of-32-characters-or-more'
const secret = randomBytes(32).toString('base64')
const folder = await mkdtemp(join(tmpdir(), 'sluice-wagtail-'))
console.log('Starting the site; the first time Wagtail is installed, which takes a minute or so.')
const site = await startSite({ data: join(folder, 'site'), secret })
const sluice = createSluice({ ...wagtailConfig(site.url, secret), database: { folder: join(folder, 'inbox'), connections: 1 }, token })
try {
  await sluice.migrate()
  await sluice.services.db.exec(employeeTable)
  sluice.work()
  const all = organizations()
  const leaves = all.slice(0, 240)
  console.log(`\n${'what was sent'.padEnd(44)}status  ${'outcomes'.padEnd(34)}seconds`)
  await step('300 organizations, children first', all)
  await step('the same again', all)
  await step(
    '30 with another phone',
    change(leaves.slice(0, 30), (o) => ({ phone: `${o.phone}-9` })),
  )
  await step(
    '10 with another title, as drafts',
    change(leaves.slice(30, 40), (o) => ({ title: `${o.title}, renamed` })),
    '?draft=true',
  )
  await step(
    '12 deleted',
    change(leaves.slice(40, 52), () => ({ deleted_at: '2026-11-23' })),
  )
  await step('the 12 are back', leaves.slice(40, 52))
  await step(
    '5 under another organization',
    change(leaves.slice(60, 65), () => ({ parent_ms_id: 'R5-8' })),
  )
  await step('20 employees of organizations', employeesOf(leaves.slice(0, 20)), '', 'employee')

  const { fixtree, pages, live, withDraft, searchMisses, referencesWrong } = await site.inspect()
  console.log(`\nWagtail says: ${String(pages)} pages, ${String(live)} live, ${String(withDraft)} with a draft;`)
  console.log(`problems of the tree: ${JSON.stringify(fixtree)}, pages that search misses: ${JSON.stringify(searchMisses)},`)
  console.log(`wrong entries of the reference index: ${JSON.stringify(referencesWrong)}`)
} finally {
  await sluice.close()
  await site.stop()
  await rm(folder, { recursive: true })
}

function change(list: readonly Organization[], more: (organization: Organization) => Partial<Organization>): Organization[] {
  return list.map((organization) => ({ ...organization, ...more(organization) }))
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
