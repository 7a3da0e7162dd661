/** The handler target: anything else that objects are applied to, in the user's own code. */
import { SluiceError } from '../errors.ts'
import { type JsonValue, parsePlain } from '../json/exact.ts'
import { mayBeUnstorable, unstorableReason } from '../json/storable.ts'
import { type Applied, type Failed, type FailureClass, isFailed, type Outcome, outcomes, type Result } from '../model/outcome.ts'
import type { Transaction } from '../store/db.ts'
import { invalid, options } from './options.ts'
import { type ApplyItem, AtItem, type Logger, ObjectError, type Target, type TargetSpec } from './target.ts'

/** What a handler is told of one object, beside the schema's output. */
export interface HandlerItem {
  messageId: string
  ordinal: number
  externalId: string
  /** The object as it came, parsed; numbers that JavaScript can't hold are `ExactNumber`. */
  raw: JsonValue
  /** The object's own text. */
  text: string
  /**
   * Whether the integration's `deleted` says that it is gone. A deletion needs only its external ID and version to pass the
   * schema: then the object is the bare one, as it came.
   */
  deleted: boolean
  /** From 1. */
  attempt: number
  /** The same for every attempt at one instance; only a replay gives a new one. For effects outside the database. */
  idempotencyKey: string
}

/** What a handler works with. */
export interface HandlerContext {
  /** The transaction that also records the result: an effect through it happens exactly once. */
  tx: Transaction
  log: Logger
  /** Aborted when the worker stops or its deadline passes. */
  signal: AbortSignal
  asDraft: boolean
  integration: string
}

/** A result: an outcome's word, an outcome with more, or `failed(code, message)`. */
export type HandlerResult = Outcome | Applied | Failed

/** Results in the order of the objects, or one outcome for all. */
export type HandlerResults = readonly HandlerResult[] | Outcome

/**
 * One function, for one object (`apply`) or for many (`applyMany`).
 *
 * What `apply` throws is a `transient` failure of that object; `failed(…)` says more. Effects through `tx` are rolled back
 * when it throws, and kept when it returns.
 *
 * The objects of `applyMany` have distinct external IDs; it gives results in their order, or one outcome for all. When it
 * throws, it is called again with fewer, until the bad ones stand alone.
 */
export type HandlerOptions<T, One extends HandlerResult = HandlerResult, Many extends HandlerResults = HandlerResults> =
  | { apply: (object: T, context: HandlerContext & HandlerItem) => One | Promise<One>; applyMany?: never }
  | { applyMany: (objects: readonly (HandlerItem & { object: T })[], context: HandlerContext) => Many | Promise<Many>; apply?: never }

/** Applies objects with the user's own code. Throws SluiceError `invalid_config`. */
export function handlerTarget<T>(given: HandlerOptions<T>): TargetSpec {
  const { apply, applyMany } = options('handler', given, ['apply', 'applyMany'])
  if ((apply === undefined) === (applyMany === undefined)) throw invalid('handler: give either "apply" or "applyMany"')
  if (typeof (apply ?? applyMany) !== 'function')
    throw invalid(`handler: "${apply === undefined ? 'applyMany' : 'apply'}" must be a function`)
  return {
    kind: 'handler',
    references: [],
    handlesDeletion: true,
    needsOutput: true,
    describe: () => ({ calls: apply === undefined ? 'applyMany' : 'apply' }),
    // Every object is one that the integration's schema has passed: a T.
    prepare: async () => new HandlerTarget(given as HandlerOptions<unknown>),
  }
}

/** A handler sees objects whole: versions are kept for the object, not for its fields. */
const wholeObject = '*'

class HandlerTarget implements Target {
  readonly fields = [wholeObject]
  readonly #options: HandlerOptions<unknown>

  constructor(options: HandlerOptions<unknown>) {
    this.#options = options
  }

  plan: Target['plan'] = () => ({ fields: this.fields, references: [], payload: null })

  apply: Target['apply'] = async (tx, items, context) => {
    const { log, signal, asDraft, integration } = context
    // The user's own statements are planned as they would be anywhere else.
    await tx.query('SET LOCAL enable_seqscan = DEFAULT')
    const results = await this.#call(items, { tx, log, signal, asDraft, integration })
    await tx.query('SET LOCAL enable_seqscan = off')
    return results
  }

  async #call(items: readonly ApplyItem[], handlerContext: HandlerContext): Promise<Result[]> {
    const { apply, applyMany } = this.#options
    if (applyMany !== undefined) return callMany(applyMany, handlerContext, items)
    const results: Result[] = []
    for (const [index, item] of items.entries()) {
      if (handlerContext.signal.aborted) throw stopped()
      try {
        results.push(checked(await apply(objectOf(item), { ...handlerContext, ...itemOf(item) })))
      } catch (error) {
        throw new AtItem(index, error)
      }
    }
    return results
  }
}

async function callMany(
  applyMany: NonNullable<HandlerOptions<unknown>['applyMany']>,
  context: HandlerContext,
  items: readonly ApplyItem[],
): Promise<Result[]> {
  if (context.signal.aborted) throw stopped()
  const given = await applyMany(
    items.map((item) => ({ ...itemOf(item), object: objectOf(item) })),
    context,
  )
  if (typeof given === 'string') return items.map(() => checked(given))
  if (!Array.isArray(given) || given.length !== items.length) {
    const what = Array.isArray(given) ? `${given.length} results` : shown(given)
    throw invalidResult(`the handler gave ${what} for ${items.length} objects; give one result for each, in order, or one outcome for all`)
  }
  return given.map((result: unknown, index) => {
    try {
      return checked(result)
    } catch (error) {
      throw new AtItem(index, error)
    }
  })
}

/** The chunk goes back as it was, and another worker takes it. */
function stopped(): SluiceError {
  return new SluiceError('stopped', 'The worker was stopped before the handler had seen every object of its batch.', { retryable: true })
}

function objectOf({ object }: ApplyItem): unknown {
  return object.output === undefined && object.deleted ? parsePlain(object.text) : object.output
}

function itemOf({ object }: ApplyItem): HandlerItem {
  const { messageId, ordinal, externalId, source, text, deleted, attempt, generation } = object
  return { messageId, ordinal, externalId, raw: source, text, deleted, attempt, idempotencyKey: `${messageId}.${ordinal}.${generation}` }
}

/** A handler declares no references, so that nothing could release what waits for one. */
const failureClasses: readonly unknown[] = ['transient', 'permanent'] satisfies FailureClass[]

/** A result as the contract has it. Throws ObjectError `invalid_result`: a handler may be plain JavaScript. */
function checked(given: unknown): Result {
  const result = (typeof given === 'string' ? { outcome: given } : given) as Result | null | undefined
  if (typeof result === 'object' && result !== null) {
    if (isFailed(result)) {
      const { code, message, class: failureClass } = result.failed ?? {}
      if (typeof code === 'string' && typeof message === 'string' && failureClasses.includes(failureClass)) return result
    } else if (outcomes.includes(result.outcome)) {
      if (result.ref === undefined || typeof result.ref === 'string') return expectStorable(result)
      throw invalidResult(`the handler gave the ref ${shown(result.ref)}; a ref is a text, for it stands for the object in references`)
    }
  }
  throw invalidResult(
    `the handler gave ${shown(given)}; a result is one of ${outcomes.join(', ')}, an object with such an outcome, or failed(code, message)`,
  )
}

/** Refused here, where what the handler did through `tx` is still undone. */
function expectStorable(result: Applied): Applied {
  const isStorable = unstorableReason(result.ref ?? '') === null && !mayBeUnstorable(JSON.stringify(result.changes) ?? '')
  if (isStorable) return result
  throw invalidResult("the handler's ref or changes have U+0000 or half of a surrogate pair in them, which PostgreSQL can't hold")
}

function invalidResult(message: string): ObjectError {
  return new ObjectError('invalid_result', message)
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
