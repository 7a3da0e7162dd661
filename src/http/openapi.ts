/** The API's own description: OpenAPI 3.1, from the table of routes and the schemas of the integrations. */
import { OpenAPIHono, type z } from '@hono/zod-openapi'
import type { Services } from '../services.ts'
import { problemShape } from './contract/common.ts'
import { type Answer, type Route, routes } from './contract/routes.ts'

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>

/** Describes the API of one server. */
export function describeApi(services: Services): Document {
  const { openAPIRegistry: registry } = new OpenAPIHono()
  registry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer', description: 'See `sluice token create`.' })
  registry.registerComponent('securitySchemes', 'signature', {
    type: 'apiKey',
    in: 'header',
    name: 'webhook-signature',
    description: 'Standard Webhooks, for sources in the option `webhooks`; with `webhook-id`, `webhook-timestamp` and `?source=`.',
  })
  for (const [name, route] of Object.entries<Route>(routes)) registry.registerPath(pathOf(name, route))
  return withIntegrations(generate(registry, services.version), services)
}

function generate(registry: OpenAPIHono['openAPIRegistry'], version: string): Document {
  const host = new OpenAPIHono()
  host.openAPIRegistry = registry
  return host.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Sluice',
      version,
      description:
        'An integration inbox: messages come in, each of their objects is applied to a target, and what became of it can be read. All times are ISO 8601 in UTC, ids are strings, lists are `{ items, next }`.',
    },
    // Relative to this document, so that it is right under any base path.
    servers: [{ url: '..' }],
  })
}

type PathConfig = Parameters<OpenAPIHono['openAPIRegistry']['registerPath']>[0]

function pathOf(name: string, route: Route): PathConfig {
  const { method, path, summary, description, group, roles, params, query, headers } = route
  const who = roles === null ? 'Takes no token.' : `For: ${roles.join(', ')}.`
  return {
    method,
    path,
    operationId: name,
    tags: [group],
    summary,
    description: description === undefined ? who : `${description}\n\n${who}`,
    security: roles === null ? [] : [{ token: [] }, ...(route === routes.receive ? [{ signature: [] }] : [])],
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(headers === undefined ? {} : { headers }),
      ...bodyOf(route),
    },
    responses: responsesOf(route),
  }
}

/** A body that may be left out is taken as `{}`. */
function bodyOf({ body, stream }: Route): Pick<NonNullable<PathConfig['request']>, 'body'> {
  const content = stream ?? (body === undefined ? undefined : { 'application/json': body })
  if (content === undefined) return {}
  return { body: { required: body?.safeParse({}).success !== true, content: contentOf(content) } }
}

function contentOf(content: Record<string, z.ZodType>): Record<string, { schema: z.ZodType }> {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]))
}

function responsesOf({ answers, refusals = [] }: Route): PathConfig['responses'] {
  const responses: PathConfig['responses'] = {}
  for (const [status, answer] of Object.entries(answers)) responses[status] = responseOf(answer)
  const codes = refusals.length === 0 ? '' : ` Codes: ${refusals.map((code) => `\`${code}\``).join(', ')}.`
  responses['4XX'] = { description: `Refused.${codes}`, content: { 'application/problem+json': { schema: problemShape } } }
  responses['5XX'] = { description: 'Not done.', content: { 'application/problem+json': { schema: problemShape } } }
  return responses
}

function responseOf({ description, content = {}, headers = {} }: Answer): PathConfig['responses'][string] {
  return {
    description,
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }])),
    content: contentOf(content),
  }
}

type JsonObject = Record<string, unknown>

/** Adds each integration's schema as a component, and its intake as a path of its own. */
function withIntegrations(document: Document, services: Services): Document {
  const schemas: JsonObject = { ...document.components?.schemas }
  const paths: JsonObject = { ...document.paths }
  const intake = document.paths?.[routes.receive.path]?.post
  for (const name of services.config.integrations.keys()) {
    const schema = services.validators.get(name)?.jsonSchema ?? {}
    // Component names have no ":", so this can't meet one of ours.
    const component = `object.${name}`
    schemas[component] = withLocalReferences(schema, `#/components/schemas/${component}`)
    const object = { $ref: `#/components/schemas/${component}` }
    paths[routes.receive.path.replace('{name}', name)] = {
      post: {
        ...intake,
        operationId: `receive.${name}`,
        summary: `Send a message of ${name}`,
        tags: [name],
        parameters: intake?.parameters?.filter((parameter) => !('name' in parameter && parameter.in === 'path')),
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: { anyOf: [object, { type: 'array', items: object }] } },
            'application/x-ndjson': { schema: { type: 'string', description: `One object of ${name} per line.` } },
          },
        },
      },
    }
  }
  return {
    ...document,
    paths: paths as Document['paths'],
    components: { ...document.components, schemas: schemas as NonNullable<Document['components']>['schemas'] },
  } as Document
}

/** Keywords whose values are data, not schemas. */
const data = new Set(['const', 'enum', 'default', 'examples', 'example'])

/** A schema moved into this document: what pointed at its own root points at where it stands now. One with an `$id` needs no help. */
function withLocalReferences(schema: unknown, root: string): unknown {
  if (Array.isArray(schema)) return schema.map((item) => withLocalReferences(item, root))
  if (typeof schema !== 'object' || schema === null || typeof (schema as JsonObject).$id === 'string') return schema
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === '$ref' && typeof value === 'string' && value.startsWith('#')) return [key, `${root}${value.slice(1)}`]
      return [key, data.has(key) ? value : withLocalReferences(value, root)]
    }),
  )
}
