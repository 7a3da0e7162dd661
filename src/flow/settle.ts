/**
 * After a commit: who waited for what has come goes on. Each side looks again in a new transaction, so that a reference
 * and its object that were committed in the same second can't miss each other; a sweep finds what a crash left.
 */
import { messageOf } from '../errors.ts'
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
  setLinkAside,
  takeLinks,
} from '../store/links.ts'
import { type InstanceKey, requeueInstances } from '../store/requeue.ts'
import { withRetry } from '../store/retry.ts'
import { classify } from '../store/sqlstate.ts'
import type { FilledLink, Wanted } from '../targets/target.ts'
import { releaseConflicts } from './conflicts.ts'
import type { FlowContext } from './context.ts'
import { hideError } from './hide.ts'
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
 * Joins all that waits with the ledger, with the tables that nobody feeds, and with the sites whose editors it waits for. Run by the clock, for what a crash between
 * two commits left behind.
 *
 * @returns how many instances go on and how many links were filled
 */
export async function sweepReferences(context: FlowContext): Promise<{ released: number; linked: number }> {
  // No step keeps the next ones from being taken: a lookup table that is gone must not hold up what waits for other things.
  let linked = await orLogged(context, 'links whose other end has come', () =>
    fillPages(context, (after) => linksThatCame(context.db, after, pageSize)),
  )
  await orLogged(context, 'what waits and has come', () => withRetry(() => markComeFromLedger(context.db)))
  for (const wanted of wantedByConfig(context)) {
    const name = wantedName(wanted)
    linked += await orLogged(context, `what waits for ${name}`, () => sweepWanted(context, wanted, name))
  }
  let released = 0
  for (const { name, target } of context.config.integrations.values()) {
    if (target.kind === 'page') released += await orLogged(context, `conflicts of ${name}`, () => releaseConflicts(context, name))
  }
  for (;;) {
    const keys = await selectReleased(context.db, null, pageSize)
    const requeued = await requeueInstances(context.db, keys, { chunkSize: context.config.chunkSize })
    released += requeued
    if (keys.length < pageSize || requeued === 0) return { released, linked }
  }
}

async function sweepWanted(context: FlowContext, wanted: Wanted, name: string): Promise<number> {
  let linked = 0
  for (let after = ''; ; ) {
    const ids = await selectWanted(context.db, name, after, pageSize)
    const last = ids[ids.length - 1]
    if (last === undefined) return linked
    after = last
    const found = await findRefs(context.db, context, wanted, ids)
    linked += await cameNow(context, wanted, [...found.keys()])
  }
}

/** Does a step of the sweep; one that fails for any reason but the surroundings is logged and counts 0. */
async function orLogged(context: FlowContext, what: string, step: () => Promise<number>): Promise<number> {
  try {
    return await step()
  } catch (error) {
    if (classify(error) === 'surroundings') throw error
    context.log.error({ error }, `the sweep left out ${what}`)
    return 0
  }
}

async function cameNow(context: FlowContext, wanted: Wanted, ids: readonly string[]): Promise<number> {
  const name = wantedName(wanted)
  let linked = 0
  for (let from = 0; from < ids.length; from += pageSize) {
    const page = ids.slice(from, from + pageSize)
    linked += await fillPages(context, (after) => linksWanting(context.db, name, page, after, pageSize))
    const waited = await withRetry(() => markCome(context.db, name, page))
    if (waited.length === 0) continue
    const released: InstanceKey[] = await selectReleased(context.db, waited, waited.length)
    if (released.length > 0) await requeueInstances(context.db, released, { chunkSize: context.config.chunkSize })
  }
  return linked
}

/** Fills links page by page, whatever becomes of those before. */
async function fillPages(context: FlowContext, read: (after: string) => Promise<StoredLink[]>): Promise<number> {
  let linked = 0
  for (let after = '0'; ; ) {
    const links = await read(after)
    linked += await fill(context, links)
    const last = links[links.length - 1]
    if (last === undefined || links.length < pageSize) return linked
    after = last.id
  }
}

/**
 * Fills links in whose other end is there, by owner; one that a newer version of its object has replaced meanwhile is left
 * alone. Owners that this config doesn't have, or whose target doesn't fit now, keep their links for later.
 */
async function fill(context: FlowContext, links: readonly StoredLink[]): Promise<number> {
  let linked = 0
  for (const integration of [...new Set(links.map((link) => link.integration))].sort()) {
    if (!context.config.integrations.has(integration)) continue
    const own = links.filter((link) => link.integration === integration)
    linked += await orLogged(context, `links of ${integration}`, () => fillNarrowed(context, integration, own))
  }
  return linked
}

/** A page that the target refuses is halved, down to single links; one that is refused alone is set aside with the reason. */
async function fillNarrowed(context: FlowContext, integration: string, links: readonly StoredLink[]): Promise<number> {
  const [first] = links
  if (first === undefined) return 0
  try {
    return await withRetry(() => context.db.transaction((tx) => fillInside(tx, context, integration, links)))
  } catch (error) {
    if (classify(error) !== 'instance') throw error
    if (links.length === 1) {
      const { externalId, field, wanted, wantedId } = first
      const told = hideError(context, integration, error)
      context.log.error(
        { error: told, integration, externalId, field, wanted, wantedId },
        'a link was refused; it is set aside until its object comes again',
      )
      await setLinkAside(context.db, first.id, messageOf(told))
      return 0
    }
    const middle = links.length >> 1
    const head = await fillNarrowed(context, integration, links.slice(0, middle))
    return head + (await fillNarrowed(context, integration, links.slice(middle)))
  }
}

async function fillInside(tx: Transaction, context: FlowContext, integration: string, links: readonly StoredLink[]): Promise<number> {
  const owners = await lockObjects(tx, integration, [...new Set(links.map((link) => link.externalId))])
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
  const filled: FilledLink[] = []
  for (const link of taken) {
    const ownerRef = owners.get(link.externalId)?.ref ?? null
    const ref = refs.get(link.wanted)?.get(link.wantedId)
    if (ownerRef === null || ref === undefined) continue
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
