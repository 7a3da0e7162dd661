/**
 * What a user writes: `defineIntegration`, `defineConfig`; every option with its meaning, unit and default. The only
 * place that reads the environment.
 */
import { z } from 'zod'
import { messageOf, SluiceError } from './errors.ts'
import { assertCron } from './model/cron.ts'
import { type InvalidPolicy, integrationName, invalidPolicies, type VersionDeclaration, versionTypes } from './model/integration.ts'
import { isWebhookSecret } from './model/webhook.ts'
import type { JsonSchema, OutputOf, SchemaLike, StandardSchema } from './schema/schema.ts'
import { type TargetBuilder, targetBuilder } from './targets/builder.ts'
import type { TargetSpec } from './targets/target.ts'

/** What `defineIntegration` takes. `T` is the object as the schema gives it out. */
export interface IntegrationDefinition<T> {
  /** Name in URLs and in the database: lower case letters, digits, `_` and `-`, at most 63. */
  name: string
  /** Dot path of the field that is the external ID: a string or an integer. */
  key: string
  /** The source's own version of an object. Default: order of arrival. */
  version?: VersionDeclaration
  /**
   * Whether the object says that it is gone. A deletion needs only key and version to pass the schema; it is called with
   * the bare object then. Default: objects are never deleted.
   */
  deleted?: (object: T) => boolean
  /** `refuse` (default): one incorrect object refuses its message. `keep-valid`: the others go on, that one ends at -2 `invalid`. */
  onInvalid?: InvalidPolicy
  /**
   * Dot paths of fields whose values appear in no log and no error, and that viewers and senders see masked; in an array, of its elements;
   * `*` is any field. So are those that the schema marks by `"sensitive": true` (Zod: `.meta({ sensitive: true })`). Default: none.
   */
  sensitive?: readonly string[]
  /** What objects are applied to. */
  target: (t: TargetBuilder<T>) => TargetSpec
}

/** A declared kind of object: what `defineIntegration` gives and `defineConfig` takes. */
export interface Integration {
  readonly name: string
  readonly schema: SchemaLike
  readonly key: string
  readonly version: VersionDeclaration | undefined
  readonly deleted: ((object: unknown) => boolean) | undefined
  readonly onInvalid: InvalidPolicy
  /** Dot paths. */
  readonly sensitive: readonly string[]
  readonly target: TargetSpec
}

const definitionShape = z.strictObject({
  name: z.string().regex(integrationName, 'must be lower case letters, digits, "_" or "-", beginning with a letter, at most 63'),
  schema: z.custom<SchemaLike>(
    (value) => value !== null && (typeof value === 'object' || typeof value === 'function'),
    'must be a Standard Schema or a JSON Schema',
  ),
  key: z.string().min(1),
  version: z.strictObject({ field: z.string().min(1), type: z.enum(versionTypes) }).optional(),
  deleted: z.custom<(object: unknown) => boolean>((value) => typeof value === 'function', 'must be a function').optional(),
  onInvalid: z.enum(invalidPolicies).optional(),
  sensitive: z.array(z.string().min(1)).optional(),
  target: z.custom<(t: TargetBuilder<unknown>) => TargetSpec>(
    (value) => typeof value === 'function',
    'must be a function of the target builder',
  ),
})

/**
 * Declares a kind of object: how it is checked, what identifies it, where it goes.
 *
 * The type of an object flows from the schema to every callback. A plain JSON Schema takes it as a type argument:
 * `defineIntegration<Employee>({ schema: { type: 'object', … }, … })`.
 *
 * @throws SluiceError `invalid_config` naming the option that is wrong or unknown
 */
export function defineIntegration<S extends StandardSchema>(definition: IntegrationDefinition<OutputOf<S>> & { schema: S }): Integration
export function defineIntegration<T = unknown>(definition: IntegrationDefinition<T> & { schema: JsonSchema }): Integration
export function defineIntegration(definition: unknown): Integration {
  const subject = `integration ${JSON.stringify((definition as { name?: unknown } | null)?.name ?? '?')}`
  const parsed = parseOptions(definitionShape, definition, subject)
  const target = parsed.target(targetBuilder())
  if (parsed.deleted !== undefined && !target.handlesDeletion) {
    throw invalidConfig(`${subject}: "deleted" is given, but the target says nothing of deletions: add "onDelete"`)
  }
  return {
    name: parsed.name,
    schema: parsed.schema,
    key: parsed.key,
    version: parsed.version,
    deleted: parsed.deleted,
    onInvalid: parsed.onInvalid ?? 'refuse',
    sensitive: parsed.sensitive ?? [],
    target,
  }
}

const KiB = 1024
const MiB = 1024 * KiB

const cron = z.string().superRefine((text, context) => {
  try {
    assertCron(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) })
  }
})
const seconds = z.number().positive()
const count = z.int().positive()
const days = z.number().positive().max(36_500).nullable().default(null)

const body = days.describe('Days after the end until the exact bytes go. `null`: they stay.')
const message = days.describe('Days after the end until the message goes with all that is left of it, its idempotency key too.')
const parts = z
  .strictObject({
    body,
    history: days.describe('Days until the values before and after, and earlier attempts, go from its instances.'),
    instances: days.describe('Days until its instances go, with their data and errors.'),
    message,
  })
  .prefault({})

/** Not told what was given: it may be most of a secret. */
const webhookSecret = z.string().refine(isWebhookSecret, 'must be whsec_ and base64 of 24 to 64 bytes')

/** Every option of a config beside its integrations. `describe` is what docs/configuration.md says of it. */
export const optionsShape = z.strictObject({
  database: z
    .strictObject({
      url: z.string().optional().describe("PostgreSQL URL. Default: the environment's DATABASE_URL; without it PGlite."),
      folder: z.string().default('.sluice/data').describe('Folder of the embedded database (PGlite), used when there is no URL.'),
      connections: count.default(10).describe('Most connections of one process. PGlite always has one.'),
      preparedStatements: z
        .boolean()
        .optional()
        .describe(
          'Prepare the statements of every message on each connection. Default: true. `false` behind a pooler that shares connections between transactions and keeps no prepared statements (PgBouncer before 1.21).',
        ),
    })
    .prefault({}),
  limits: z
    .strictObject({
      body: count.default(64 * MiB).describe('Largest body as sent, in bytes. More is 413 `body_too_large`.'),
      decompressed: count
        .default(256 * MiB)
        .describe('Largest body after Content-Encoding, in bytes. More is 413 `decompressed_too_large`.'),
      objects: count.default(1_000_000).describe('Most objects in a message. More is 413 `too_many_objects`.'),
      depth: count.default(64).describe("Deepest nesting of arrays and objects; the message's own array counts. More is 400 `too_deep`."),
      keyLength: count.default(1024).describe('Longest key, in bytes. More is 400 `key_too_long`.'),
      numberLength: count.default(1024).describe('Longest number, in bytes. More is 400 `number_too_long`.'),
      errors: count.default(100).describe('Most schema errors that are kept and answered; the total is always told.'),
      rate: z
        .number()
        .positive()
        .nullable()
        .default(null)
        .describe(
          'Messages a minute that one process takes from one source, as many at once; more is 429 `too_many_requests`. `null`: no limit.',
        ),
      page: count.default(1000).describe('Largest page of a list (`?limit=`).'),
    })
    .prefault({}),
  validateWithin: seconds
    .default(10)
    .describe('Seconds that a sender waits for validation (of a large message: and split); after that the answer is 202 with status 0.'),
  validateGrace: seconds
    .default(60)
    .describe('Seconds after which a message left at 0 (its receiver crashed) is validated by the split task.'),
  chunkSize: count
    .max(10_000)
    .default(1000)
    .describe(
      'Most instances in a chunk: the unit that a worker claims and applies in one transaction. A message of more objects is split in the pass that validates it.',
    ),
  worker: z
    .strictObject({
      concurrency: count.default(1).describe('Chunks that one worker process has in hand at once. PGlite: 1.'),
      processes: count.default(2).describe('Worker processes of `sluice work`.'),
      poll: seconds.default(1).describe('Seconds between looks at the queue when no notification comes.'),
      lease: seconds
        .default(60)
        .describe(
          'Seconds that a claim holds; a chunk whose worker is silent for longer, outside of a transaction, goes to another. Also the longest that a statement of an applying transaction may run, and that it may sit idle.',
        ),
      deadline: seconds
        .default(300)
        .describe('Seconds after which a worker process that is still at one chunk, or at splitting, is killed by its supervisor.'),
      notify: z.boolean().default(true).describe('Listen for notifications. Off behind a pooler in transaction mode; polling goes on.'),
    })
    .prefault({}),
  tasks: z
    .strictObject({
      split: z
        .strictObject({ cron: cron.default('* * * * *').describe('When split runs by the clock: messages left unsplit or unvalidated.') })
        .prefault({}),
      process: z
        .strictObject({
          cron: cron
            .default('* * * * *')
            .describe('When process runs by the clock: lost chunks, and what waits for references that have come.'),
        })
        .prefault({}),
      reprocess: z
        .strictObject({
          cron: cron.default('*/15 * * * *').describe('When reprocess runs by the clock: transient failures that are due.'),
          sinceDays: count.default(7).describe("How many days back it looks, by the message's arrival."),
        })
        .prefault({}),
      rollup: z
        .strictObject({
          cron: cron.default('*/5 * * * *').describe('When rollup runs by the clock: messages whose last chunk ended without it.'),
        })
        .prefault({}),
      prune: z
        .strictObject({ cron: cron.default('23 2 * * *').describe('When prune runs by the clock: what `retention` lets go.') })
        .prefault({}),
    })
    .prefault({}),
  retention: z
    .strictObject({
      processed: parts,
      processedWithErrors: parts,
      incorrect: z.strictObject({ body, message }).prefault({}),
      runs: days.default(30).describe('Days until a run of a task that has ended goes; null: never.'),
      audit: days.describe('Days until an entry of the audit log goes; null: never.'),
    })
    .prefault({}),
  server: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe('Address that `sluice serve` and `sluice dev` listen on.'),
      port: z.int().min(0).max(65535).optional().describe("Port. Default: the environment's PORT, else 7300. 0: any free one."),
    })
    .prefault({}),
  webhooks: z
    .record(
      z
        .string()
        .min(1)
        .refine((name) => name !== 'admin', 'is the name of the token of the config'),
      z.strictObject({
        secrets: z.array(webhookSecret).min(1).max(2),
        integrations: z.array(z.string()).min(1).optional(),
      }),
    )
    .default({})
    .describe(
      'Sources that sign their messages (Standard Webhooks), by name: `secrets`, one or, while they are exchanged, two of `whsec_…`; `integrations` that the source may send to, default all. See docs/security.md.',
    ),
  token: z
    .string()
    .min(32, 'must be 32 characters or more')
    .optional()
    .describe("An admin's bearer token. Default: the environment's SLUICE_TOKEN; without it only tokens in the database."),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('How much is logged, as JSON lines on stderr.'),
})

const integrationsShape = z.array(
  z.custom<Integration>(
    (value) => typeof value === 'object' && value !== null && 'target' in value,
    'must be what defineIntegration() gave',
  ),
)
const configShape = optionsShape.extend({ integrations: integrationsShape })

/** What a user passes to `defineConfig`. */
export type SluiceOptions = z.input<typeof optionsShape> & { integrations: readonly Integration[] }

/** A checked config with every default filled in. */
export type Config = Readonly<Omit<z.output<typeof optionsShape>, 'server'>> & {
  readonly server: { readonly host: string; readonly port: number }
  readonly integrations: ReadonlyMap<string, Integration>
}

/**
 * Checks a config and fills in the defaults.
 *
 * @param environment where DATABASE_URL, PORT and SLUICE_TOKEN are read. Default: the process's own.
 * @throws SluiceError `invalid_config` naming every option that is wrong or unknown
 */
export function defineConfig(options: SluiceOptions, environment: Record<string, string | undefined> = process.env): Config {
  const parsed = parseOptions(configShape, options, 'config')
  const integrations = new Map<string, Integration>()
  for (const integration of parsed.integrations) {
    if (integrations.has(integration.name)) throw invalidConfig(`config: two integrations are named "${integration.name}"`)
    integrations.set(integration.name, integration)
  }
  for (const integration of integrations.values()) checkReferences(integration, integrations)
  for (const [source, { integrations: named = [] }] of Object.entries(parsed.webhooks)) {
    const unknown = named.find((name) => !integrations.has(name))
    if (unknown !== undefined)
      throw invalidConfig(`config: "webhooks.${source}.integrations" names "${unknown}", which the config doesn't have`)
  }
  const url = databaseUrl(parsed.database.url, environment.DATABASE_URL)
  return {
    ...parsed,
    database: { ...parsed.database, ...(url === undefined ? {} : { url }) },
    server: { host: parsed.server.host, port: parsed.server.port ?? portFrom(environment.PORT) },
    token: tokenFrom(parsed.token, environment.SLUICE_TOKEN),
    integrations,
  }
}

/** `scheme://…`, and what `pg` takes for a Unix socket. */
const urlForm = /^([a-z][a-z0-9+.-]*:\/\/|socket:|\/)/i

/** Not parsed here: that is the driver's. A text without a scheme it would take for the name of a database. */
function databaseUrl(option: string | undefined, text: string | undefined): string | undefined {
  const url = option ?? text
  if (url === undefined || url === '') return undefined
  if (urlForm.test(url)) return url
  // What it is instead may be a password: it isn't told.
  const where = option === undefined ? 'environment: DATABASE_URL' : 'config: "database.url"'
  throw invalidConfig(`${where} is no URL. It must be such as postgres://user:password@host:5432/database`)
}

/** What the command line takes from the environment: which server to talk to, and the token to show it. */
export interface CliEnvironment {
  /** SLUICE_URL. Default: the local server on PORT. */
  url: string
  /** SLUICE_TOKEN. */
  token: string | undefined
}

/** Reads the environment for the commands that talk to a server. Throws SluiceError `invalid_config` for a PORT that is none. */
export function cliEnvironment(environment: Record<string, string | undefined> = process.env): CliEnvironment {
  const url = environment.SLUICE_URL
  return {
    url: url === undefined || url === '' ? `http://127.0.0.1:${portFrom(environment.PORT)}` : url,
    token: environment.SLUICE_TOKEN === '' ? undefined : environment.SLUICE_TOKEN,
  }
}

const defaultPort = 7300

function portFrom(text: string | undefined): number {
  if (text === undefined || text === '') return defaultPort
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw invalidConfig(`environment: PORT is "${text}", it must be 0 to 65535`)
  return port
}

function tokenFrom(option: string | undefined, text: string | undefined): string | undefined {
  if (option !== undefined) return option
  if (text === undefined || text === '') return undefined
  if (text.length < 32) throw invalidConfig('environment: SLUICE_TOKEN must be 32 characters or more')
  return text
}

function checkReferences(integration: Integration, all: ReadonlyMap<string, Integration>): void {
  for (const reference of integration.target.references) {
    if ('integration' in reference.wanted && !all.has(reference.wanted.integration)) {
      throw invalidConfig(
        `integration "${integration.name}": "${reference.field}" refers to the integration "${reference.wanted.integration}", which the config doesn't have`,
      )
    }
  }
}

function parseOptions<S extends z.ZodType>(shape: S, value: unknown, subject: string): z.output<S> {
  const result = shape.safeParse(value)
  if (result.success) return result.data
  const lines = result.error.issues.map((issue) => {
    const path = issue.path.join('.')
    if (issue.code === 'unrecognized_keys')
      return `unknown option ${issue.keys.map((key) => `"${[...issue.path, key].join('.')}"`).join(', ')}`
    return `${path === '' ? 'it' : `"${path}"`}: ${issue.message}`
  })
  throw invalidConfig(`${subject}: ${lines.join('; ')}`)
}

function invalidConfig(message: string): SluiceError {
  return new SluiceError('invalid_config', message)
}
