/** The handler target: anything else that objects are applied to, in the user's own code. */
import { SluiceError } from '../errors.ts'
import type { JsonValue } from '../json/exact.ts'
import { type Applied, type Failed, isFailed, type Outcome, outcomes, type Result } from '../model/outcome.ts'
import type { Transaction } from '../store/db.ts'
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
  /** Whether the integration's `deleted` says that it is gone. A bare deletion has no output: look at `raw`. */
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

/** One function, for one object or for many. */
export type HandlerOptions<T> =
  | { apply: (object: T, context: HandlerContext & HandlerItem) => HandlerResult | Promise<HandlerResult> }
  | {
      /** Results in the order of the objects, or one outcome for all. External IDs are distinct. */
      applyMany: (
        objects: readonly (HandlerItem & { object: T })[],
        context: HandlerContext,
      ) => readonly HandlerResult[] | Outcome | Promise<readonly HandlerResult[] | Outcome>
    }

/** Applies objects with the user's own code. Throws SluiceError `invalid_config`. */
export function handlerTarget(options: HandlerOptions<never>): TargetSpec {
  const names = Object.keys(options)
  const [name] = names
  if (names.length !== 1 || (name !== 'apply' && name !== 'applyMany')) {
    throw new SluiceError('invalid_config', `handler: give either "apply" or "applyMany", not ${names.map((each) => `"${each}"`).join(', ') || 'nothing'}`)
  }
  return {
    kind: 'handler',
    references: [],
    handlesDeletion: true,
    needsOutput: true,
    describe: () => ({ kind: 'handler', call: name }),
    prepare: async () => new HandlerTarget(options as HandlerOptions<unknown>),
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
    if ('applyMany' in this.#options) return this.#applyMany(this.#options.applyMany, handlerContext, items)
    const results: Result[] = []
    for (const [index, item] of items.entries()) {
      handlerContext.signal.throwIfAborted()
      try {
        results.push(checked(await this.#options.apply(item.object.output, { ...handlerContext, ...itemOf(item) })))
      } catch (error) {
        throw new AtItem(index, error)
      }
    }
    return results
  }

  async #applyMany(applyMany: Extract<HandlerOptions<unknown>, { applyMany: unknown }>['applyMany'], context: HandlerContext, items: readonly ApplyItem[]): Promise<Result[]> {
    const given = await applyMany(
      items.map((item) => ({ ...itemOf(item), object: item.object.output })),
      context,
    )
    if (typeof given === 'string') return items.map(() => checked(given))
    if (given.length !== items.length) {
      throw new ObjectError('invalid_result', `the handler gave ${given.length} results for ${items.length} objects; give one for each, in order`)
    }
    return given.map(checked)
  }
}

function itemOf({ object }: ApplyItem): HandlerItem {
  const { messageId, ordinal, externalId, source, text, deleted, attempt, generation } = object
  return { messageId, ordinal, externalId, raw: source, text, deleted, attempt, idempotencyKey: `${messageId}.${ordinal}.${generation}` }
}

function checked(result: HandlerResult): Result {
  if (typeof result === 'object' && result !== null && isFailed(result)) return result
  const applied: Applied = typeof result === 'string' ? { outcome: result } : result
  if (!outcomes.includes(applied?.outcome)) {
    throw new ObjectError('invalid_result', `the handler gave ${JSON.stringify(result)}; a result is one of ${outcomes.join(', ')}, an object with such an outcome, or failed(…)`)
  }
  return applied
}
