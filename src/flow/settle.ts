/**
 * After a commit: who waited for what has come goes on. Each side looks again in a new transaction, so that a reference
 * and its object that were committed in the same second can't miss each other; a sweep finds what a crash left.
 */
import { parseExact } from '../json/exact.ts'
import type { Transaction } from '../store/db.ts'
import { lockObjects } from '../store/ledger.ts'
import {
  linksThatCame,
  linksWanting,
  markCome,
  markComeFromLedger,
  type StoredLink,
  selectReleased,
  selectWanted,
  takeLinks,
} from '../store/links.ts'
import { type InstanceKey, requeueInstances } from '../store/requeue.ts'
import { withRetry } from '../store/retry.ts'
import type { FilledLink, Wanted } from '../targets/target.ts'
import type { FlowContext } from './context.ts'
import type { BatchReport } from './process.ts'
import { findRefs, wantedName } from './references.ts'

const pageSize = 1000

/** Both sides of what a batch brought: the objects it made possible to refer to, and what it itself missed. */
export async function settleReferences(
  context: FlowContext,
  integration: string,
  report: Pick<BatchReport, 'gained' | 'missed'>,
): Promise<void> {
  // What waits by a mapping of the past is found by the sweep.
  if (wantedByConfig(context).some((wanted) => 'integration' in wanted && wanted.integration === integration))
    await cameNow(context, { integration }, report.gained)
  for (const [name, ids] of report.missed) {
    const wanted = wantedOf(context, name)
    if (wanted === null) continue
    const found = await findRefs(context.db, context, wanted, [...ids])
    await cameNow(context, wanted, [...found.keys()])
  }
}

/**
 * Joins all that waits with the ledger, and with the tables that nobody feeds. Run by the clock, for what a crash between
 * two commits left behind.
 *
 * @returns how many instances go on and how many links were filled
 */
export async function sweepReferences(context: FlowContext): Promise<{ released: number; linked: number }> {
  let linked = 0
  for (;;) {
    const links = await linksThatCame(context.db, pageSize)
    const filled = await fill(context, links)
    linked += filled
    if (links.length < pageSize || filled === 0) break
  }
  await markComeFromLedger(context.db)
  for (const wanted of wantedByConfig(context)) {
    const name = wantedName(wanted)
    for (let after = ''; ; ) {
      const ids = await selectWanted(context.db, name, after, pageSize)
      const last = ids[ids.length - 1]
      if (last === undefined) break
      after = last
      const found = await findRefs(context.db, context, wanted, ids)
      linked += await cameNow(context, wanted, [...found.keys()])
    }
  }
  let released = 0
  for (;;) {
    const keys = await selectReleased(context.db, null, pageSize)
    const requeued = await requeueInstances(context.db, keys, { chunkSize: context.config.chunkSize })
    released += requeued
    if (keys.length < pageSize || requeued === 0) return { released, linked }
  }
}

async function cameNow(context: FlowContext, wanted: Wanted, ids: readonly string[]): Promise<number> {
  const name = wantedName(wanted)
  let linked = 0
  for (let from = 0; from < ids.length; from += pageSize) {
    const page = ids.slice(from, from + pageSize)
    for (;;) {
      const links = await linksWanting(context.db, name, page, pageSize)
      const filled = await fill(context, links)
      linked += filled
      if (links.length < pageSize || filled === 0) break
    }
    const waited = await markCome(context.db, name, page)
    if (waited.length === 0) continue
    const released: InstanceKey[] = await selectReleased(context.db, waited, waited.length)
    if (released.length > 0) await requeueInstances(context.db, released, { chunkSize: context.config.chunkSize })
  }
  return linked
}

/** Fills links in whose other end is there; one that a newer version of its object has replaced meanwhile is left alone. */
function fill(context: FlowContext, links: readonly StoredLink[]): Promise<number> {
  if (links.length === 0) return Promise.resolve(0)
  return withRetry(() => context.db.transaction((tx) => fillInside(tx, context, links)))
}

async function fillInside(tx: Transaction, context: FlowContext, links: readonly StoredLink[]): Promise<number> {
  const owners = new Map<string, Map<string, string | null>>()
  for (const integration of [...new Set(links.map((link) => link.integration))].sort()) {
    const ids = [...new Set(links.filter((link) => link.integration === integration).map((link) => link.externalId))]
    const entries = await lockObjects(tx, integration, ids)
    owners.set(integration, new Map([...entries].map(([id, entry]) => [id, entry.ref])))
  }
  const refs = new Map<string, Map<string, string>>()
  for (const name of new Set(links.map((link) => link.wanted))) {
    const wanted = wantedOf(context, name)
    const ids = [...new Set(links.filter((link) => link.wanted === name).map((link) => link.wantedId))]
    if (wanted !== null) refs.set(name, await findRefs(tx, context, wanted, ids))
  }
  const came = links.filter((link) => refs.get(link.wanted)?.has(link.wantedId))
  const taken = await takeLinks(
    tx,
    came.map((link) => link.id),
  )
  for (const [integration, ownerRefs] of owners) {
    const filled: FilledLink[] = []
    for (const link of taken) {
      const ownerRef = ownerRefs.get(link.externalId)
      const ref = refs.get(link.wanted)?.get(link.wantedId)
      if (link.integration !== integration || ownerRef === null || ownerRef === undefined || ref === undefined) continue
      filled.push({
        externalId: link.externalId,
        ownerRef,
        field: link.field,
        details: link.details === null ? undefined : parseExact(link.details),
        ref,
      })
    }
    const target = await context.target(integration, tx)
    if (filled.length > 0) await target.fillLinks?.(tx, filled)
  }
  return taken.length
}

/** Everything that the config's mappings refer to. */
function wantedByConfig(context: FlowContext): Wanted[] {
  const byName = new Map<string, Wanted>()
  for (const integration of context.config.integrations.values()) {
    for (const { wanted } of integration.target.references) byName.set(wantedName(wanted), wanted)
  }
  return [...byName.values()]
}

function wantedOf(context: FlowContext, name: string): Wanted | null {
  return wantedByConfig(context).find((wanted) => wantedName(wanted) === name) ?? null
}
