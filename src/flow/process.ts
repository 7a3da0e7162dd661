/**
 * Stage 4: a worker's claimed chunks are applied to their target. One transaction holds the effect on the target, the
 * instances' results, the ledger and the chunk's counts: all of it, or nothing.
 *
 * The story of a chunk: lock it by its epoch, load what waits, plan, lock the ledger, apply in rounds, record.
 */
import { messageOf } from '../errors.ts'
import { type Arrival, advance, decide } from '../model/fields.ts'
import { fingerprintOf } from '../model/fingerprint.ts'
import type { VersionType } from '../model/integration.ts'
import { type Applied, isFailed, type Result } from '../model/outcome.ts'
import { checkObject } from '../schema/check.ts'
import { addCounts, type ClaimedChunk, lockChunks, noCounts, type OutcomeCounts } from '../store/chunk.ts'
import type { Transaction } from '../store/db.ts'
import { type InstanceResult, loadWaiting, recordResults, type WaitingInstance } from '../store/instance.ts'
import { type LedgerEntry, lockObjects, writeObjects } from '../store/ledger.ts'
import { type AwaitedReference, hasDeferredLinks, insertAwaited } from '../store/links.ts'
import type { ApplyContext, ApplyItem, ObjectToApply, PlannedReference, Target } from '../targets/target.ts'
import { type FlowContext, integrationOf } from './context.ts'
import { failureOf, storableResult } from './failure.ts'
import { hideIn } from './hide.ts'
import { replaceDeferredLinks } from './links.ts'
import { applyNarrowed } from './narrow.ts'
import { ledgerName, References, wantedName } from './references.ts'

/** What a batch did, for what follows its commit. */
export interface BatchReport {
  /** Messages to roll up. */
  messages: Set<string>
  /** Objects of the integration that can be referred to from now on. */
  gained: string[]
  /** What instances or links of this batch still want, by name (`wantedName`). It may have come meanwhile. */
  missed: Map<string, Set<string>>
  counts: OutcomeCounts
  /** What the target wants done now. */
  afterCommit: (() => Promise<void>)[]
}

export interface BatchOptions {
  signal: AbortSignal
  /** Only this ordinal: objects go one by one after a worker was lost. */
  onlyOrdinal?: number
  /** Gives that ordinal this result instead of trying it. */
  instead?: Result
}

/** Applies claimed chunks of one integration and mode, inside the transaction given. Throws what is the chunk's failure, not an object's. */
export async function applyChunks(
  tx: Transaction,
  context: FlowContext,
  chunks: readonly ClaimedChunk[],
  options: BatchOptions,
): Promise<BatchReport> {
  const mine = await lockChunks(tx, chunks)
  const held = chunks.filter((chunk) => mine.has(chunk.id))
  const report: BatchReport = {
    messages: new Set(held.map((chunk) => chunk.messageId)),
    gained: [],
    missed: new Map(),
    counts: noCounts(),
    afterCommit: [],
  }
  const first = held[0]
  if (first === undefined) return report
  const instances = await loadWaiting(
    tx,
    held.map((chunk) => chunk.id),
    options.onlyOrdinal,
  )
  const batch = new Batch(tx, context, first.integration, await context.target(first.integration, tx), {
    integration: first.integration,
    asDraft: first.isDraft,
    signal: options.signal,
    log: context.log,
    afterCommit: (work) => report.afterCommit.push(work),
  })
  if (options.instead === undefined) await batch.apply(instances)
  else for (const instance of instances) batch.fail(instance, options.instead)
  await batch.record(report)
  await addCounts(tx, batch.countsByChunk(held, report.counts))
  return report
}

/** Of an object that was in hand both times when a worker was lost. */
export const quarantined: Result = {
  failed: {
    code: 'quarantined',
    class: 'permanent',
    message:
      'The worker process died twice while this object was in hand. It is not tried again by itself; reprocess it when the cause is mended.',
  },
}

/** An object with its plan, on its way. */
interface Planned {
  instance: WaitingInstance
  object: ObjectToApply
  plan: ApplyItem['plan']
  arrival: Arrival
}

/** One set-wise application of many instances. */
class Batch {
  readonly #tx: Transaction
  readonly #context: FlowContext
  readonly #integration: string
  readonly #ledgerName: string
  readonly #target: Target
  readonly #applyContext: ApplyContext
  readonly #references: References
  /** Shared by all the objects that carry every field. */
  readonly #allFields: ReadonlySet<string>
  readonly #results = new Map<WaitingInstance, Result>()
  readonly #awaited: AwaitedReference[] = []
  readonly #changed = new Map<string, LedgerEntry>()
  #ledger = new Map<string, LedgerEntry>()
  readonly #refsBefore = new Map<string, string | null>()
  readonly #applied: { item: ApplyItem; entry: LedgerEntry }[] = []

  constructor(tx: Transaction, context: FlowContext, integration: string, target: Target, applyContext: ApplyContext) {
    this.#tx = tx
    this.#context = context
    this.#integration = integration
    this.#ledgerName = ledgerName(context, integration, applyContext.asDraft)
    this.#target = target
    this.#applyContext = applyContext
    this.#references = new References(context)
    this.#allFields = new Set(target.fields)
  }

  fail(instance: WaitingInstance, result: Result): void {
    this.#results.set(instance, storableResult(result))
  }

  async apply(instances: readonly WaitingInstance[]): Promise<void> {
    if (instances.length === 0) return
    let pending = await this.#plan(instances)
    this.#ledger = await lockObjects(this.#tx, this.#ledgerName, [...new Set(pending.map((planned) => planned.object.externalId))])
    for (const entry of this.#ledger.values()) this.#refsBefore.set(entry.externalId, entry.ref)
    await this.#references.resolve(
      this.#tx,
      pending.flatMap((planned) => planned.plan.references),
    )
    let waitsForOthers = true
    while (pending.length > 0) {
      const { round, later } = this.#nextRound(pending, waitsForOthers)
      if (round.length > 0) await this.#applyRound(round)
      // Nothing could be done and nothing failed: what is left waits for itself in a circle, so it waits for good.
      waitsForOthers = later.length < pending.length
      pending = later
    }
  }

  /** Maps every object; one that can't be mapped fails by itself. */
  async #plan(instances: readonly WaitingInstance[]): Promise<Planned[]> {
    const { integration, validator } = integrationOf(this.#context, this.#integration)
    const planned: Planned[] = []
    for (const instance of instances) {
      const checking = checkObject(integration, validator, instance.data)
      const checked = checking instanceof Promise ? await checking : checking
      const issue = checked.issues[0]
      if (issue !== undefined) {
        this.fail(instance, {
          failed: { code: 'invalid', class: 'permanent', message: issue.message, pointer: `/${instance.ordinal}${issue.pointer}` },
        })
        continue
      }
      const object: ObjectToApply = {
        messageId: instance.messageId,
        ordinal: instance.ordinal,
        externalId: instance.externalId,
        text: instance.data,
        source: checked.source,
        output: checked.output,
        deleted: checked.deleted,
        attempt: instance.attempts + 1,
        generation: instance.generation,
      }
      try {
        const plan = this.#target.plan(object)
        planned.push({
          instance,
          object,
          plan,
          arrival: { version: checked.version, messageId: instance.messageId, ordinal: instance.ordinal },
        })
      } catch (error) {
        this.fail(instance, failureOf(error))
      }
    }
    return planned
  }

  /**
   * Picks what can be applied now. An object that comes a second time waits for its first, and one that refers to another
   * object of this batch waits for that one.
   */
  #nextRound(pending: readonly Planned[], waitsForOthers: boolean): { round: { planned: Planned; item: ApplyItem }[]; later: Planned[] } {
    const round: { planned: Planned; item: ApplyItem }[] = []
    const later: Planned[] = []
    const taken = new Set<string>()
    const open = new Set(pending.map((planned) => planned.object.externalId))
    for (const planned of pending) {
      const { externalId } = planned.object
      if (taken.has(externalId)) {
        later.push(planned)
        continue
      }
      const item = this.#settle(planned)
      if (item === null) continue
      const missing = this.#missing(item)
      if (
        waitsForOthers &&
        missing.some((reference) => this.#isOwn(reference) && reference.wantedId !== externalId && open.has(reference.wantedId))
      ) {
        taken.add(externalId)
        later.push(planned)
      } else if (missing.length > 0) {
        this.#failMissing(planned.instance, missing)
      } else {
        taken.add(externalId)
        round.push({ planned, item })
      }
    }
    return { round, later }
  }

  /** Compares with the ledger: what of the object is to be written. Null when nothing is: superseded. */
  #settle(planned: Planned): ApplyItem | null {
    const entry = this.#entry(planned)
    const canSupplyLate = entry.ref !== null
    const decision = decide(this.#versionType(), entry, planned.arrival, planned.plan.fields, this.#target.fields, canSupplyLate)
    if (decision.kind === 'superseded') {
      this.#results.set(planned.instance, { outcome: 'superseded' })
      return null
    }
    const isKnown = entry.ref !== null
    const { deleted } = planned.object
    const needsNoLink = deleted && (isKnown || this.#target.createsDeleted !== true)
    const fields = needsNoLink ? this.#linkable(planned, decision.supply) : this.#setOf(decision.supply)
    return {
      object: planned.object,
      plan: planned.plan,
      fields,
      references: planned.plan.references.map((reference) => (fields.has(reference.field) ? this.#references.find(reference) : null)),
      deletion: decision.kind === 'late' ? 'keep' : deleted ? 'deleted' : 'live',
      isKnown,
    }
  }

  /** A deletion waits for nobody: what it can't link it leaves as it is. */
  #linkable({ plan }: Planned, supply: readonly string[]): ReadonlySet<string> {
    const fields = new Set(supply)
    for (const reference of plan.references)
      if (reference.missing === 'wait' && this.#references.find(reference) === null) fields.delete(reference.field)
    return fields
  }

  #setOf(supply: readonly string[]): ReadonlySet<string> {
    return supply.length === this.#allFields.size ? this.#allFields : new Set(supply)
  }

  #missing(item: ApplyItem): PlannedReference[] {
    return item.plan.references.filter(
      (reference, index) => reference.missing === 'wait' && item.fields.has(reference.field) && item.references[index] === null,
    )
  }

  #isOwn(reference: PlannedReference): boolean {
    return 'integration' in reference.wanted && reference.wanted.integration === this.#integration
  }

  #failMissing(instance: WaitingInstance, missing: readonly PlannedReference[]): void {
    const list = missing.map((reference) => `${wantedName(reference.wanted)} "${reference.wantedId}" (${reference.field})`).join(', ')
    const isItself = missing.some((reference) => this.#isOwn(reference) && reference.wantedId === instance.externalId)
    this.fail(instance, {
      failed: {
        code: 'missing_reference',
        class: 'missing_reference',
        message: isItself
          ? `Waits for ${list}: itself. It can only be applied where that reference is deferred (missing: 'defer').`
          : `Waits for ${list}. It is processed by itself when that has come.`,
        column: missing[0]?.field ?? '',
      },
    })
    for (const reference of missing) {
      this.#awaited.push({
        messageId: instance.messageId,
        ordinal: instance.ordinal,
        wanted: wantedName(reference.wanted),
        wantedId: reference.wantedId,
        field: reference.field,
      })
    }
  }

  async #applyRound(round: readonly { planned: Planned; item: ApplyItem }[]): Promise<void> {
    const results = await applyNarrowed(
      this.#tx,
      this.#target,
      round.map(({ item }) => item),
      this.#applyContext,
    )
    for (const [index, { planned, item }] of round.entries()) {
      const result = results[index]
      if (result === undefined) throw new Error(`the target gave ${results.length} results for ${round.length} objects`)
      this.#results.set(planned.instance, storableResult(result))
      if (!isFailed(result) && result.outcome !== 'superseded') this.#advance(planned, item, result)
    }
  }

  #advance(planned: Planned, item: ApplyItem, result: Applied): void {
    const entry = this.#entry(planned)
    const kind = item.deletion === 'keep' ? 'late' : 'newest'
    // A handler that ignores a living object leaves it what it was.
    const isIgnored = result.outcome === 'ignored' && (item.deletion === 'deleted' || entry.ref === null)
    const isGone = result.ref === undefined && (result.outcome === 'deleted' || isIgnored)
    // What is gone for good has lost every field: nothing older may fill them when the object comes back.
    const supplied = isGone || item.fields === this.#allFields ? this.#target.fields : [...item.fields]
    const versions = advance(
      this.#versionType(),
      entry,
      planned.arrival,
      { kind, supply: supplied },
      supplied,
      this.#target.fields,
      planned.object.deleted,
    )
    const next: LedgerEntry = { ...entry, ...versions, ref: isGone ? null : (result.ref ?? entry.ref) }
    this.#ledger.set(entry.externalId, next)
    this.#changed.set(entry.externalId, next)
    this.#references.learn(this.#integration, entry.externalId, next.ref)
    this.#applied.push({ item, entry: next })
  }

  #entry(planned: Planned): LedgerEntry {
    const entry = this.#ledger.get(planned.object.externalId)
    if (entry === undefined) throw new Error(`no ledger row for "${planned.object.externalId}"`)
    return entry
  }

  #mayDefer(): boolean {
    return integrationOf(this.#context, this.#integration).integration.target.references.some((reference) => reference.missing === 'defer')
  }

  #versionType(): VersionType | null {
    return integrationOf(this.#context, this.#integration).integration.version?.type ?? null
  }

  /** Writes what became of the batch, and notes what follows its commit. */
  async record(report: BatchReport): Promise<void> {
    const sensitive = this.#context.sensitive.get(this.#integration)
    const results: InstanceResult[] = [...this.#results].map(([instance, told]) => {
      const result = sensitive === undefined ? told : hideIn(sensitive, instance.data, told)
      const fingerprint = isFailed(result) ? fingerprintOf(result.failed.code, result.failed.message) : ''
      return { instance, integration: this.#integration, result, fingerprint }
    })
    if (this.#changed.size > 0) await writeObjects(this.#tx, this.#ledgerName, [...this.#changed.values()])
    // Links that an earlier mapping deferred go with the version that they belong to, too.
    const hasLinks = this.#mayDefer() || (await hasDeferredLinks(this.#tx, this.#integration))
    const deferred = hasLinks ? await replaceDeferredLinks(this.#tx, this.#integration, this.#applied) : []
    if (results.length > 0) await recordResults(this.#tx, results)
    if (this.#awaited.length > 0) await insertAwaited(this.#tx, this.#awaited)
    for (const { wanted, wantedId } of [...this.#awaited, ...deferred]) {
      const ids = report.missed.get(wanted) ?? new Set()
      report.missed.set(wanted, ids.add(wantedId))
    }
    for (const entry of this.#changed.values()) {
      if (entry.ref !== null && this.#refsBefore.get(entry.externalId) === null) report.gained.push(entry.externalId)
    }
  }

  countsByChunk(chunks: readonly ClaimedChunk[], sum: OutcomeCounts): Map<string, OutcomeCounts> {
    const byChunk = new Map(chunks.map((chunk) => [chunk.id, noCounts()]))
    for (const [instance, result] of this.#results) {
      const name = isFailed(result) ? 'failed' : result.outcome
      const counts = byChunk.get(instance.chunkId)
      if (counts !== undefined) counts[name]++
      sum[name]++
    }
    return byChunk
  }
}

/** The error that a chunk is given back with. */
export function chunkError(error: unknown): { code: string; message: string } {
  const code = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : 'error'
  return {
    code: typeof error === 'object' && error !== null && 'sqlstate' in error && typeof error.sqlstate === 'string' ? error.sqlstate : code,
    message: messageOf(error),
  }
}
