/** The page target: objects become pages of a CMS, each where it belongs in the tree, published, as a draft, or taken off. */
import type { Result } from '../../model/outcome.ts'
import { editorDraft } from '../../model/retention.ts'
import type { Transaction } from '../../store/db.ts'
import type { ApplyContext, ApplyItem, ShownObject, Target, TargetSpec } from '../target.ts'
import type { DesiredPage, DesiredState, PageErrorCode, PageResult } from './contract.ts'
import {
  describePage,
  type PageMapping,
  type ParsedPageMapping,
  pageFields,
  pageNeedsOutput,
  pageReferences,
  parsePageMapping,
} from './mapping.ts'
import { type PagePayload, type PlannedId, planPage } from './plan.ts'
import { resultOf } from './result.ts'

/**
 * Maps objects to pages of a site.
 *
 * The site is written to outside Sluice's transaction, unless it shares that: at least once. Since the site compares what is wanted with
 * what is there, a repetition changes nothing.
 *
 * @throws SluiceError `invalid_config` naming the type and option
 */
export function pageTarget<T>(site: unknown, given: PageMapping<T>): TargetSpec {
  const mapping = parsePageMapping(site, given)
  return {
    kind: 'page',
    references: pageReferences(mapping),
    handlesDeletion: true,
    needsOutput: pageNeedsOutput(mapping),
    describe: () => describePage(mapping),
    prepare: (_db, integration) => Promise.resolve(prepare(mapping, integration)),
  }
}

function prepare(mapping: ParsedPageMapping, integration: string): Target {
  return {
    fields: pageFields(mapping),
    plan: (object) => planPage(mapping, integration, object),
    apply: (tx, items, context) => applyPages(tx, mapping, integration, items, context),
    findRefs: (_db, externalIds) => findPages(mapping, integration, externalIds),
    show: (_db, externalId) => showPage(mapping, integration, externalId),
    conflict: { code: editorDraftCode, selectOver: (externalIds) => withoutDraft(mapping, integration, externalIds) },
  }
}

/** Pages that are there though the ledger doesn't know them: their site was filled by another inbox, say. */
async function findPages({ site }: ParsedPageMapping, integration: string, externalIds: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let from = 0; from < externalIds.length; from += site.capabilities.batch) {
    const ids = externalIds.slice(from, from + site.capabilities.batch)
    const pages = await site.lookup(ids.map((externalId) => ({ integration, externalId })))
    for (const page of pages) if (page?.pageId != null) found.set(page.externalId, page.pageId)
  }
  return found
}

const editorDraftCode: PageErrorCode = editorDraft

/** Of pages that an editor's draft stood on, those where none stands any more. */
async function withoutDraft({ site }: ParsedPageMapping, integration: string, externalIds: readonly string[]): Promise<string[]> {
  const free: string[] = []
  for (let from = 0; from < externalIds.length; from += site.capabilities.batch) {
    const ids = externalIds.slice(from, from + site.capabilities.batch)
    const pages = await site.lookup(ids.map((externalId) => ({ integration, externalId })))
    // A page that isn't there any more has no draft either.
    free.push(...ids.filter((_, index) => pages[index]?.editorDraft !== true))
  }
  return free
}

async function showPage(mapping: ParsedPageMapping, integration: string, externalId: string): Promise<ShownObject | null> {
  const ref = (await findPages(mapping, integration, [externalId])).get(externalId)
  return ref === undefined ? null : { where: mapping.site.name, ref, row: null }
}

/**
 * The time by the database's clock, to the microsecond. It is asked for when the objects are locked in the ledger: who asks later for
 * one of them is given more. Beside it, after how many milliseconds the database ends a transaction that is idle; 0: never.
 */
async function nextVersion(tx: Transaction): Promise<{ version: string; idle: number }> {
  const { rows } = await tx.query<{ version: string; idle: number }>(
    `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS version,
       (SELECT setting::integer FROM pg_catalog.pg_settings WHERE name = 'idle_in_transaction_session_timeout') AS idle`,
  )
  const [row] = rows
  if (row === undefined) throw new Error('the database told no time')
  return row
}

/**
 * Lets a site take longer than the transaction may be idle: as long as this process is alive, it says so. Else the chunk of a slow site
 * would be taken for one whose worker is lost, and its objects for those that kill workers.
 */
async function whileAwake<Answer>(tx: Transaction, idle: number, work: () => Promise<Answer>): Promise<Answer> {
  if (idle === 0) return work()
  let last: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    // What fails here, fails again in the next statement, where it is told.
    last = tx.query('SELECT').catch(() => undefined)
  }, idle / 3)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    await last
  }
}

async function applyPages(
  tx: Transaction,
  mapping: ParsedPageMapping,
  integration: string,
  items: readonly ApplyItem[],
  { asDraft, signal, log, afterCommit }: ApplyContext,
): Promise<Result[]> {
  const { site, policy } = mapping
  const { version, idle } = await nextVersion(tx)
  const results: Result[] = []
  for (let from = 0; from < items.length; from += site.capabilities.batch) {
    const pages = items
      .slice(from, from + site.capabilities.batch)
      .map((item) => ({ ...desiredPage(mapping, integration, item, asDraft), version }))
    const answers = await whileAwake(tx, idle, () => site.apply(pages, policy, { signal, log, native: tx.native }))
    if (answers.length !== pages.length) throw new Error(`${site.name} gave ${answers.length} results for ${pages.length} pages`)
    results.push(...answers.map((answer, index) => orIgnored(pages[index], answer)))
    const urls = [...new Set(answers.flatMap((answer) => [...answer.urls, ...(answer.repeats?.urls ?? [])]))]
    if (urls.length > 0 && site.revalidate !== undefined) afterCommit(async () => site.revalidate?.(urls))
  }
  return results
}

/** Taking off what never was there does nothing, and there is nothing to refer to. */
function orIgnored(page: DesiredPage | undefined, answer: PageResult): Result {
  return page?.state === 'unpublished' && answer.pageId === null && answer.error === null ? { outcome: 'ignored' } : resultOf(answer)
}

function desiredPage(
  mapping: ParsedPageMapping,
  integration: string,
  { object, plan, references }: ApplyItem,
  asDraft: boolean,
): Omit<DesiredPage, 'version'> {
  const payload = plan.payload as PagePayload
  const idOf = (id: PlannedId): string => (typeof id === 'string' ? id : (references[id] ?? ''))
  const state: DesiredState = object.deleted ? 'unpublished' : asDraft ? 'draft' : 'published'
  return {
    integration,
    externalId: object.externalId,
    type: mapping.type,
    parent: parentOf(mapping, payload),
    title: payload.title,
    slug: payload.slug,
    fields: payload.fields,
    references: mapValues(payload.references, (id) => (id === null ? null : idOf(id))),
    sets: mapValues(payload.sets, (ids) => ids.map(idOf)),
    state,
    key: `${object.messageId}.${object.ordinal}.${object.generation}`,
  }
}

function parentOf({ parent }: ParsedPageMapping, { parentId }: PagePayload): DesiredPage['parent'] {
  if (parent.kind === 'place') return parent
  if (parentId !== null) return { kind: 'page', integration: parent.integration, externalId: parentId }
  return parent.top === null ? null : { kind: 'place', place: parent.top }
}

function mapValues<From, To>(values: Record<string, From>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]))
}
