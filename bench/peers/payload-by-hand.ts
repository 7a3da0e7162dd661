/**
 * What a careful script does with Payload's Local API: one call for a page, which is a transaction of Payload's own. It keeps the ids
 * of what it has made in memory and asks for nothing. Argument: the database. One JSON line in, one out, on file 3; see ../pages.ts.
 */
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { ListedPage, PageObject } from '../pages.ts'
import { openSite } from '../payload-site.ts'

const collection = 'organizations'
const payload = await openSite(process.argv[2] ?? '')
await payload.db.migrate()
if ((await payload.find({ collection: 'areas', limit: 1 })).docs.length === 0)
  for (let number = 1; number <= 20; number++) await payload.create({ collection: 'areas', data: { name: `Area ${number}` } })
const ids = new Map<string, number>()
say({ ready: true })

for await (const line of createInterface(process.stdin)) {
  const { do: what, objects } = JSON.parse(line) as { do: 'create' | 'save' | 'list'; objects: PageObject[] }
  const started = performance.now()
  if (what === 'list') say({ pages: await list() })
  else {
    for (const object of objects) await (what === 'create' ? create(object) : save(object))
    say({ seconds: (performance.now() - started) / 1000 })
  }
}
process.exit()

function dataOf({ title, parent_ms_id, phone, area_ms_id_list }: PageObject): Record<string, unknown> {
  return {
    title,
    slug: title.toLowerCase().replaceAll(' ', '-'),
    parent: parent_ms_id === null ? null : ids.get(parent_ms_id),
    phone,
    areas: area_ms_id_list.map(Number),
    _status: 'published',
  }
}

async function create(object: PageObject): Promise<void> {
  const { id } = await payload.create({ collection, data: { ...dataOf(object), sluiceKey: object.ms_id }, depth: 0 })
  ids.set(object.ms_id, id)
}

async function save(object: PageObject): Promise<void> {
  await payload.update({ collection, id: ids.get(object.ms_id), data: dataOf(object), depth: 0 })
}

async function list(): Promise<ListedPage[]> {
  const { docs } = await payload.find({ collection, depth: 0, pagination: false })
  const { docs: versions } = await (payload as unknown as { findVersions: typeof payload.find }).findVersions({
    collection,
    depth: 0,
    pagination: false,
  })
  const titles = new Map(docs.map(({ id, title }) => [id, String(title)]))
  const revisions = Map.groupBy(versions, ({ parent }) => parent)
  return docs.map(({ id, title, slug, parent, phone, areas, _status }) => ({
    title: String(title),
    slug: String(slug),
    parent: titles.get(parent) ?? null,
    phone: String(phone),
    areas: (areas as number[]).map(String),
    live: _status === 'published',
    revisions: revisions.get(id)?.length ?? 0,
  }))
}

function say(value: object): void {
  writeSync(3, `${JSON.stringify(value)}\n`)
}
