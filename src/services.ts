/** The core, wired: what the flow, the tasks, the workers and the HTTP side share in one process. */
import { readFileSync } from 'node:fs'
import type { Config } from './config.ts'
import { SluiceError } from './errors.ts'
import type { FlowContext } from './flow/index.ts'
import { createLogger } from './log.ts'
import { type SensitiveFields, sensitiveFields } from './schema/sensitive.ts'
import { createValidator, type Validator } from './schema/validator.ts'
import type { Db } from './store/db.ts'
import { createTableLookup } from './targets/table/references.ts'
import type { Logger, Target } from './targets/target.ts'

/** What a process of Sluice works with. */
export interface Services extends FlowContext {
  /** Version of the package. */
  readonly version: string
}

/** Builds the services of a process. Compiles every schema; targets are looked at when first used. */
export function createServices(config: Config, db: Db, log: Logger = createLogger(config)): Services {
  const validators = new Map<string, Validator>()
  const sensitive = new Map<string, SensitiveFields>()
  for (const integration of config.integrations.values()) {
    const { name } = integration
    const validator = createValidator(integration.schema, name)
    validators.set(name, validator)
    const fields = sensitiveFields(integration.sensitive, validator.jsonSchema)
    if (fields === null) continue
    sensitive.set(name, fields)
    for (const path of [integration.key, integration.version?.field]) {
      if (path === undefined || !fields.covers(path)) continue
      const message = `integration "${name}": "${path}" can't be sensitive: external IDs and versions stand in addresses, lists and logs`
      throw new SluiceError('invalid_config', message)
    }
  }
  const targets = new Map<string, Promise<Target>>()
  return {
    config,
    db,
    log,
    validators,
    sensitive,
    version: packageVersion(),
    findTableRefs: createTableLookup(),
    target(name, queryable) {
      const known = targets.get(name)
      if (known !== undefined) return known
      const integration = config.integrations.get(name)
      if (integration === undefined) throw new Error(`no integration "${name}"`)
      const preparing = integration.target.prepare(queryable, name)
      targets.set(name, preparing)
      // A failure is not kept: the table may be there next time.
      preparing.catch(() => targets.delete(name))
      return preparing
    },
    forgetTarget(name) {
      targets.delete(name)
    },
  }
}

/** Version of this package. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
