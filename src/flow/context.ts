/** What every stage of the flow works with. Built once by `services.ts`. */
import type { Config, Integration } from '../config.ts'
import { SluiceError } from '../errors.ts'
import type { SensitiveFields } from '../schema/sensitive.ts'
import type { Validator } from '../schema/validator.ts'
import type { Db, Queryable } from '../store/db.ts'
import type { Logger, Target } from '../targets/target.ts'

export interface FlowContext {
  readonly config: Config
  readonly db: Db
  readonly log: Logger
  /** By name of integration. */
  readonly validators: ReadonlyMap<string, Validator>
  /** By name of integration; only those that have any. */
  readonly sensitive: ReadonlyMap<string, SensitiveFields>
  /**
   * The prepared target of an integration; it is looked at through `db`, which inside a transaction must be that
   * transaction. Throws SluiceError `target_mismatch` when the real thing doesn't fit the mapping.
   */
  target(integration: string, db: Queryable): Promise<Target>
  /** Forgets a prepared target, so that the next use looks at the real thing again. */
  forgetTarget(integration: string): void
  /** Keys of a table that nobody feeds: which of these IDs it has, and what references to them resolve to. */
  findTableRefs(db: Queryable, table: string, key: string, ids: readonly string[]): Promise<Map<string, string>>
}

/** An integration of the config with its validator. Throws SluiceError `unknown_integration`. */
export function integrationOf(context: FlowContext, name: string): { integration: Integration; validator: Validator } {
  const integration = context.config.integrations.get(name)
  const validator = context.validators.get(name)
  if (integration === undefined || validator === undefined) {
    const known = [...context.config.integrations.keys()].join(', ')
    throw new SluiceError('unknown_integration', `There is no integration "${name}". This server has: ${known}.`, {
      details: { integration: name },
    })
  }
  return { integration, validator }
}
