/** Deferred links: noted with the version that left them empty, replaced with it, filled when the other object comes. */
import { stringifyExact } from '../json/exact.ts'
import type { Transaction } from '../store/db.ts'
import type { LedgerEntry } from '../store/ledger.ts'
import { type DeferredLink, insertLinks, linksOf, takeLinks } from '../store/links.ts'
import type { ApplyItem } from '../targets/target.ts'
import { wantedName } from './references.ts'

/**
 * Replaces the links of the objects that a batch applied: a field that was written loses the links it had and gets those
 * that are still open; an object that is gone loses all. Links that stay the same are not touched.
 *
 * @returns the links that were left empty, old and new
 */
export async function replaceDeferredLinks(
  tx: Transaction,
  integration: string,
  applied: readonly { item: ApplyItem; entry: LedgerEntry }[],
): Promise<DeferredLink[]> {
  if (applied.length === 0) return []
  const stored = await linksOf(tx, integration, [...new Set(applied.map(({ item }) => item.object.externalId))])
  const open = new Map<string, Map<string, DeferredLink>>()
  for (const link of stored) add(open, link)
  const before = new Map(stored.map((link) => [link.id, link]))
  for (const { item, entry } of applied) {
    const links = open.get(item.object.externalId) ?? new Map<string, DeferredLink>()
    for (const [key, link] of links) if (entry.ref === null || item.fields.has(link.field)) links.delete(key)
    open.set(item.object.externalId, links)
    if (entry.ref === null) continue
    for (const [index, reference] of item.plan.references.entries()) {
      if (reference.missing !== 'defer' || !item.fields.has(reference.field) || item.references[index] !== null) continue
      add(open, {
        integration,
        externalId: item.object.externalId,
        field: reference.field,
        wanted: wantedName(reference.wanted),
        wantedId: reference.wantedId,
        details: reference.details === undefined ? null : stringifyExact(reference.details),
        messageId: item.object.messageId,
        ordinal: item.object.ordinal,
      })
    }
  }
  const kept = new Set<string>()
  const added: DeferredLink[] = []
  const all = [...open.values()].flatMap((links) => [...links.values()])
  // One that was set aside is tried again with the new version.
  const fillable = stored.filter((link) => link.error === null)
  const storedByKey = new Map(fillable.map((link) => [`${link.externalId}\u0000${keyOf(link)}`, link.id]))
  for (const link of all) {
    const id = storedByKey.get(`${link.externalId}\u0000${keyOf(link)}`)
    if (id === undefined) added.push(link)
    else kept.add(id)
  }
  await takeLinks(
    tx,
    [...before.keys()].filter((id) => !kept.has(id)),
  )
  await insertLinks(tx, added)
  return all
}

function keyOf(link: DeferredLink): string {
  return JSON.stringify([link.field, link.wanted, link.wantedId, link.details])
}

function add(open: Map<string, Map<string, DeferredLink>>, link: DeferredLink): void {
  const links = open.get(link.externalId) ?? new Map<string, DeferredLink>()
  open.set(link.externalId, links.set(keyOf(link), link))
}
