/** References to other objects: from external IDs to what the target's columns hold. */
import { SluiceError } from '../errors.ts'
import type { Queryable } from '../store/db.ts'
import { findObjectRefs } from '../store/ledger.ts'
import type { PlannedReference, Wanted } from '../targets/target.ts'
import type { FlowContext } from './context.ts'

/** The name that stands in the database for what a reference points at: an integration, or `table:<name>.<column>`. */
export function wantedName(wanted: Wanted): string {
  return 'integration' in wanted ? wanted.integration : `table:${wanted.table}.${wanted.key}`
}

/**
 * The name that objects of an integration have in the ledger. Versions of drafts and of what is live are kept apart: a newer
 * draft must not keep an older live version from being published. A table knows no drafts.
 */
export function ledgerName(context: FlowContext, integration: string, asDraft: boolean): string {
  const isTable = context.config.integrations.get(integration)?.target.kind === 'table'
  return asDraft && !isTable ? `${integration}:draft` : integration
}

/** Which of these external IDs are there, and what references to them resolve to: by the ledger, else by the target itself. */
export async function findRefs(db: Queryable, context: FlowContext, wanted: Wanted, ids: readonly string[]): Promise<Map<string, string>> {
  if (!('integration' in wanted)) return context.findTableRefs(db, wanted.table, wanted.key, ids)
  const refs = await findObjectRefs(db, wanted.integration, ids)
  let unknown = ids.filter((id) => !refs.has(id))
  const drafts = ledgerName(context, wanted.integration, true)
  if (unknown.length > 0 && drafts !== wanted.integration) {
    for (const [id, ref] of await findObjectRefs(db, drafts, unknown)) refs.set(id, ref)
    unknown = ids.filter((id) => !refs.has(id))
  }
  if (unknown.length === 0) return refs
  // A target that doesn't fit its mapping pauses its own integration; the ones that refer to it only wait.
  const target = await context.target(wanted.integration, db).catch((error: unknown) => {
    if (error instanceof SluiceError && error.code === 'target_mismatch') return null
    throw error
  })
  for (const [id, ref] of (await target?.findRefs?.(db, unknown)) ?? []) refs.set(id, ref)
  return refs
}

/** The references of one batch: looked up once, and learned as the batch itself brings objects. */
export class References {
  readonly #context: FlowContext
  readonly #refs = new Map<string, Map<string, string>>()

  constructor(context: FlowContext) {
    this.#context = context
  }

  /** Looks up all that these references want, one query per kind of object. */
  async resolve(db: Queryable, references: readonly PlannedReference[]): Promise<void> {
    const byName = new Map<string, { wanted: Wanted; ids: Set<string> }>()
    for (const reference of references) {
      const name = wantedName(reference.wanted)
      const entry = byName.get(name) ?? { wanted: reference.wanted, ids: new Set() }
      entry.ids.add(reference.wantedId)
      byName.set(name, entry)
    }
    for (const [name, { wanted, ids }] of byName) this.#refs.set(name, await findRefs(db, this.#context, wanted, [...ids]))
  }

  /** What a reference resolves to; null while it is missing. */
  find(reference: PlannedReference): string | null {
    return this.#refs.get(wantedName(reference.wanted))?.get(reference.wantedId) ?? null
  }

  /** The batch applied an object: from now on it resolves, or, if it was removed, it doesn't. */
  learn(integration: string, externalId: string, ref: string | null): void {
    const refs = this.#refs.get(integration)
    if (ref === null) refs?.delete(externalId)
    else refs?.set(externalId, ref)
  }
}
