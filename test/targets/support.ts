/** A target driven without the flow: a test says which objects come, what their references resolve to, and looks at the results. */
import { parseExact, parsePlain } from '../../src/json/exact.ts'
import type { Result } from '../../src/model/outcome.ts'
import type { Db, Queryable, Transaction } from '../../src/store/db.ts'
import { type TargetBuilder, targetBuilder } from '../../src/targets/builder.ts'
import type { ApplyContext, ApplyItem, ObjectToApply, Plan, Target, TargetSpec } from '../../src/targets/target.ts'

/** An object of a test: plain, or its JSON text. */
// biome-ignore lint/suspicious/noExplicitAny: callbacks of tests look at whatever the test sends
export type Loose = any

/** Declares a target whose callbacks take whatever the test sends. */
export function declare(target: (t: TargetBuilder<Loose>) => TargetSpec): TargetSpec {
  return target(targetBuilder() as TargetBuilder<Loose>)
}

export interface ItemOptions {
  id?: string
  ordinal?: number
  deletion?: ApplyItem['deletion']
  /** A deletion that passes the schema only as a deletion. */
  isBare?: boolean
  /** Fewer fields than it carries, as for an older version. */
  fields?: string[]
  /** By external ID, what references resolve to. Default: the external ID itself. Null: missing. */
  refs?: Record<string, string | null>
  isKnown?: boolean
}

/** An object on its way, as the flow would give it. */
export function objectOf(value: unknown, options: ItemOptions = {}): ObjectToApply {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const source = parseExact(text)
  const own = source as Record<string, unknown>
  return {
    messageId: '1',
    ordinal: options.ordinal ?? 0,
    externalId: options.id ?? String(own.id),
    text,
    source,
    output: options.isBare === true ? undefined : parsePlain(text),
    deleted: options.deletion === 'deleted',
    attempt: 1,
    generation: 0,
  }
}

/** An object, planned and settled. */
export function itemOf(target: Target, value: unknown, options: ItemOptions = {}): ApplyItem {
  const object = objectOf(value, options)
  const plan = target.plan(object)
  const refs = options.refs ?? {}
  return {
    object,
    plan,
    fields: new Set(options.fields ?? plan.fields),
    references: plan.references.map(({ wantedId }) => (Object.hasOwn(refs, wantedId) ? (refs[wantedId] ?? null) : wantedId)),
    deletion: options.deletion ?? 'live',
    isKnown: options.isKnown ?? false,
  }
}

/** A target on a database. */
export interface Bench {
  readonly target: Target
  /** Statements of the last batch. */
  statements: string[]
  plan(value: unknown, options?: ItemOptions): Plan
  /** Applies one object. */
  one(value: unknown, options?: ItemOptions): Promise<Result>
  /** Applies a batch in one transaction. */
  many(values: readonly unknown[], options?: ItemOptions): Promise<Result[]>
  apply(items: readonly ApplyItem[]): Promise<Result[]>
  rows<Row = Record<string, unknown>>(sql: string): Promise<Row[]>
}

const noLog = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** What a target is told besides its objects. */
export function contextOf(options: Partial<ApplyContext> = {}): ApplyContext {
  return {
    integration: 'thing',
    asDraft: false,
    signal: new AbortController().signal,
    log: noLog,
    afterCommit: () => undefined,
    ...options,
  }
}

/** Runs SQL, then prepares a target. */
export async function benchOf(db: Db, sql: string, declared: (t: TargetBuilder<Loose>) => TargetSpec): Promise<Bench> {
  await db.exec(sql)
  const target = await declare(declared).prepare(db, 'thing')
  const bench: Bench = {
    target,
    statements: [],
    plan: (value, options) => target.plan(objectOf(value, options)),
    one: async (value, options) => {
      const [result] = await bench.many([value], options)
      if (result === undefined) throw new Error('no result')
      return result
    },
    many: (values, options) => bench.apply(values.map((value, ordinal) => itemOf(target, value, { ordinal, ...options }))),
    apply: (items) => {
      bench.statements = []
      return db.transaction((tx) => target.apply(counting(tx, bench.statements), items, contextOf()))
    },
    rows: async <Row>(query: string) => (await db.query<Row>(query)).rows,
  }
  return bench
}

/** The same transaction, writing its statements down. */
export function counting(tx: Transaction, statements: string[]): Transaction {
  const query: Queryable['query'] = (sql, parameters) => {
    statements.push(typeof sql === 'string' ? sql : sql.text)
    return tx.query(sql, parameters)
  }
  return { ...tx, query }
}
