/**
 * The contract between the flow and whatever objects are applied to.
 *
 * A {@link TargetSpec} is what a config declares (`t.table(…)`, `t.handler(…)`); `prepare` looks at the real thing (a
 * table's columns, say) and gives a {@link Target}. For each batch the flow then calls `plan` per object (pure), settles
 * versions against the ledger and resolves references, and calls `apply` once for many objects inside the transaction
 * that also records the results.
 */
import type { JsonValue } from '../json/exact.ts'
import type { Result } from '../model/outcome.ts'
import type { Queryable, Transaction } from '../store/db.ts'

/** What a reference points at: another integration's object, or a row of a table that nobody feeds. */
export type Wanted = { integration: string } | { table: string; key: string }

/** What to do while the other object is not there: wait for it (`-2 missing_reference`), or leave the link empty till it comes. */
export type WhenMissing = 'wait' | 'defer'

/** A reference that a target's mapping declares. */
export interface ReferenceDeclaration {
  /** Column or set that holds it. */
  field: string
  wanted: Wanted
  missing: WhenMissing
}

/** What a config declares a target to be. Inert until `prepare`. */
export interface TargetSpec {
  readonly kind: 'table' | 'page' | 'handler'
  /** For the check of the config: every integration named here must exist. */
  readonly references: readonly ReferenceDeclaration[]
  /** True when the mapping can apply deletions (`onDelete`, or a handler, which is told). */
  readonly handlesDeletion: boolean
  /** True when `plan` or `apply` needs the schema's output; else only the source text is read and nothing is validated again. */
  readonly needsOutput: boolean
  /** Plain data about the mapping, for people to read in the API and UI. */
  describe(): Record<string, unknown>
  /**
   * Looks at the real target. Throws SluiceError `target_mismatch` (table or column missing, no unique index on the key
   * column …), whose message names it and says what to do.
   */
  prepare(db: Queryable, integration: string): Promise<Target>
  /** SQL statements that would create what the database lacks; empty when it lacks nothing. */
  missingDdl?(db: Queryable, context?: DdlContext): Promise<string[]>
}

/** What a target is told of its config when it writes statements. */
export interface DdlContext {
  /** Dot path of the external ID. */
  key: string
  /** What objects look like, as JSON Schema; null where nobody can tell. */
  jsonSchema: Readonly<Record<string, unknown>> | null
  /** The table of another integration; null where its target is none. */
  tableOf(integration: string): DdlTable | null
}

/** A table of the config, as statements refer to it. */
export interface DdlTable {
  name: string
  /** Column of the external ID. */
  key: string
  /** Whether a column `id` of its own is made for it, which references hold. */
  hasId: boolean
  /** Whether the statements before make it, if it isn't there. */
  isMade: boolean
}

/** One object on its way to a target. */
export interface ObjectToApply {
  messageId: string
  ordinal: number
  externalId: string
  /** The object's own text, as received. */
  text: string
  /** The same, parsed; numbers that JavaScript can't hold are `ExactNumber`. */
  source: JsonValue
  /** The schema's output. Undefined when the target doesn't need it, and for a deletion that passes only as a deletion. */
  output: unknown
  /** What the integration's `deleted` said of it. */
  deleted: boolean
  /** From 1. */
  attempt: number
  /** Raised by a replay only: (message, ordinal, generation) is the idempotency key of an effect elsewhere. */
  generation: number
}

/** A reference that one object carries. */
export interface PlannedReference {
  field: string
  wanted: Wanted
  wantedId: string
  missing: WhenMissing
  /** What the target needs to fill the link in later, such as a set row's other columns. */
  details?: JsonValue
}

/** What one object asks of its target: computed without the database. */
export interface Plan {
  /** The fields that the object carries: the units that versions are kept for. Each is one of `Target.fields`. */
  fields: readonly string[]
  references: readonly PlannedReference[]
  /** The target's own. */
  payload: unknown
}

/** One object, settled: what to write of it. */
export interface ApplyItem {
  object: ObjectToApply
  plan: Plan
  /** Which of the plan's fields to write: all for the newest version, fewer for an older one that supplies what was lacking. */
  fields: ReadonlySet<string>
  /** Per reference of the plan, what it resolved to; null: deferred (leave empty), or not among `fields`. */
  references: readonly (string | null)[]
  /**
   * `live`: the newest version says that the object is there (revive it if it was deleted); `deleted`: it says that it is
   * gone; `keep`: an older version, which has no say in that.
   */
  deletion: 'live' | 'deleted' | 'keep'
  /** Whether the ledger knows the object. A hint: the target may have an unknown one, and may have lost a known one. */
  isKnown: boolean
}

export interface ApplyContext {
  integration: string
  asDraft: boolean
  signal: AbortSignal
  log: Logger
  /** Has something done once the batch is committed. What it throws is logged; it isn't done again. */
  afterCommit(work: () => Promise<void>): void
}

/** The part of pino's logger that targets and handlers see. */
export interface Logger {
  debug(fields: object, message?: string): void
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
}

/** A deferred link whose other end is there now. */
export interface FilledLink {
  externalId: string
  /** The owner's own ref in the target. */
  ownerRef: string
  field: string
  details: JsonValue | undefined
  /** What the link resolves to. */
  ref: string
}

/** What stands in the target for an object, as it is now: for people to look at. */
export interface ShownObject {
  /** The table as the mapping names it, or the site. */
  where: string
  /** What references to it resolve to. */
  ref: string | null
  /** JSON text: the columns that the mapping writes, its key and its ref. Null where the target shows none. */
  row: string | null
}

/** A target, looked at and ready. */
export interface Target {
  /** Every field that versions are kept for. */
  readonly fields: readonly string[]
  /**
   * Whether a deletion of an object that the ledger doesn't know makes something, which needs what it refers to. Default:
   * false, a deletion waits for nobody.
   */
  readonly createsDeleted?: boolean
  /** Throws {@link ObjectError} when the object can't be mapped. */
  plan(object: ObjectToApply): Plan
  /**
   * Applies objects with distinct external IDs, in the transaction given, and returns a result for each, in order. Throws
   * when the batch as a whole failed (the flow rolls back to its savepoint and narrows it down), with {@link AtItem} where
   * it knows which one did it.
   */
  apply(tx: Transaction, items: readonly ApplyItem[], context: ApplyContext): Promise<Result[]>
  /** Which external IDs the target holds itself, with their refs, though the ledger may not know them. */
  findRefs?(db: Queryable, externalIds: readonly string[]): Promise<Map<string, string>>
  /** What is there for an object now; null when nothing is. */
  show?(db: Queryable, externalId: string): Promise<ShownObject | null>
  /** A failure that ends when somebody else has finished: its code, and which of the objects that failed with it may be tried again. */
  conflict?: { code: string; selectOver(externalIds: readonly string[]): Promise<readonly string[]> }
  /** Fills deferred links in. Idempotent. Owner rows are locked through the ledger. */
  fillLinks?(tx: Transaction, links: readonly FilledLink[]): Promise<void>
  /** After the failure of a single object: says more of it (which column, which pointer) than the database did. */
  explain?(tx: Transaction, item: ApplyItem, error: unknown): Promise<{ column?: string; pointer?: string; message?: string } | null>
}

/** The object can't be mapped or applied, whatever the database says. Becomes a `permanent` failure of that instance. */
export class ObjectError extends Error {
  readonly code: string
  readonly pointer: string | undefined
  readonly column: string | undefined

  constructor(code: string, message: string, where: { pointer?: string; column?: string } = {}) {
    super(message)
    this.name = 'ObjectError'
    this.code = code
    this.pointer = where.pointer
    this.column = where.column
  }
}

/** Wraps what a batch threw when it is known which item did it: the rest need not be narrowed down. */
export class AtItem extends Error {
  readonly index: number

  constructor(index: number, cause: unknown) {
    super(`item ${index} of the batch failed`, { cause })
    this.name = 'AtItem'
    this.index = index
  }
}
