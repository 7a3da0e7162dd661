/** Every route there is: method, path, who may call it, what goes in and out. The application, the API's description and the tests read this one table. */
import { z } from '@hono/zod-openapi'
import { access, externalIdShape, idShape, instanceIdShape, pageQuery, pageShape, type Role } from './common.ts'
import {
  errorGroupShape,
  errorsQuery,
  instanceItemShape,
  instanceShape,
  instancesQuery,
  messageInstancesQuery,
  objectHistoryShape,
  targetObjectShape,
} from './instance.ts'
import { integrationShape, resumedShape } from './integration.ts'
import { dryRunShape, intakeHeaders, intakeQuery, messageShape, messagesQuery, receiptShape } from './message.ts'
import { overviewShape } from './overview.ts'
import { sessionShape } from './session.ts'
import { runCreatedShape, runPreviewShape, runRequestShape, taskRunShape, taskRunsQuery, taskShape, taskViewShape } from './task.ts'
import { createdTokenShape, tokenRequestShape, tokenShape } from './token.ts'

/** One answer of a route. No `content`: no body. */
export interface Answer {
  description: string
  content?: Record<string, z.ZodType>
  headers?: Record<string, string>
}

export interface Route {
  method: 'get' | 'post' | 'delete'
  /** As OpenAPI writes it: `/api/messages/{id}`. */
  path: string
  /** Roles that may call it; null: no token needed. */
  roles: readonly Role[] | null
  group: string
  summary: string
  description?: string
  params?: z.ZodObject
  query?: z.ZodObject
  headers?: z.ZodObject
  /** Of a JSON body that the application reads whole. */
  body?: z.ZodType
  /** Of a body that the handler reads itself, by content type. */
  stream?: Record<string, z.ZodType>
  answers: Record<number, Answer>
  /** Codes of the refusals beside those that any route may give. */
  refusals?: readonly string[]
}

const json = (schema: z.ZodType): Record<string, z.ZodType> => ({ 'application/json': schema })
const text = z.string()
const none = z.strictObject({})
const anObject = z.record(z.string(), z.unknown())

const byId = z.object({ id: idShape })
/** Any text: what is no name of an integration is an unknown integration. */
const integrationParam = z.string().openapi({ example: 'organization' })
const byName = z.object({ name: integrationParam })
const page = z.strictObject(pageQuery)

export const routes = {
  receive: {
    method: 'post',
    path: '/api/integrations/{name}/messages',
    roles: access.send,
    group: 'Intake',
    summary: 'Send a message',
    description:
      'A JSON object, a JSON array of objects, or NDJSON (one object per line); gzip allowed. Without a Content-Type it is read as JSON. The exact bytes are committed before the answer; splitting and processing follow by themselves.',
    params: byName,
    query: intakeQuery,
    headers: intakeHeaders,
    stream: { 'application/json': z.union([anObject, z.array(anObject)]), 'application/x-ndjson': text },
    answers: {
      200: {
        description: 'Finished within `Prefer: wait=N`; or the outcome of a dry run.',
        content: json(z.union([messageShape, dryRunShape])),
      },
      202: {
        description: 'Stored, and correct as far as is known (status 0: still being validated).',
        content: json(receiptShape),
        headers: {
          Location: 'The message, relative to the request.',
          'Idempotency-Replayed': '`true` when the same key and body came before.',
        },
      },
    },
    refusals: [
      'schema',
      'validation_timeout',
      'json_syntax',
      'bad_encoding',
      'bad_idempotency_key',
      'body_interrupted',
      'body_too_large',
      'decompressed_too_large',
      'too_many_objects',
      'unknown_integration',
      'idempotency_conflict',
      'unsupported_media_type',
      'unsupported_encoding',
    ],
  },
  messages: {
    method: 'get',
    path: '/api/messages',
    roles: access.readOwn,
    group: 'Reads',
    summary: 'List messages, newest first or oldest first',
    query: messagesQuery,
    answers: { 200: { description: 'A page.', content: json(pageShape(messageShape)) } },
    refusals: ['search_too_wide'],
  },
  message: {
    method: 'get',
    path: '/api/messages/{id}',
    roles: access.readOwn,
    group: 'Reads',
    summary: 'One message with the counts of its instances',
    params: byId,
    query: none,
    answers: { 200: { description: 'The message.', content: json(messageShape) } },
    refusals: ['not_found'],
  },
  messageBody: {
    method: 'get',
    path: '/api/messages/{id}/body',
    roles: access.readOwn,
    group: 'Reads',
    summary: 'The exact bytes of a message, after Content-Encoding',
    params: byId,
    query: none,
    answers: {
      200: {
        description: 'The bytes. Of a body that is no JSON the type is application/octet-stream.',
        content: { 'application/json': z.unknown(), 'application/x-ndjson': text, 'application/octet-stream': text },
        headers: { ETag: 'SHA-256 of the bytes, hexadecimal.', 'Repr-Digest': 'The same, as RFC 9530 has it.' },
      },
      206: { description: 'The part that `Range: bytes=first-last` asks for.', headers: { 'Content-Range': 'Which part of how many.' } },
      304: { description: 'As `If-None-Match` has it already.' },
    },
    refusals: ['not_found', 'pruned'],
  },
  messageInstances: {
    method: 'get',
    path: '/api/messages/{id}/instances',
    roles: access.readOwn,
    group: 'Reads',
    summary: 'Instances of a message, by ordinal',
    description:
      'With `Accept: application/x-ndjson` all of them from the cursor on, one per line; `limit` is the page that is read at a time.',
    params: byId,
    query: messageInstancesQuery,
    answers: {
      200: { description: 'A page, or a stream.', content: { ...json(pageShape(instanceItemShape)), 'application/x-ndjson': text } },
    },
    refusals: ['not_found', 'pruned'],
  },
  instances: {
    method: 'get',
    path: '/api/instances',
    roles: access.readOwn,
    group: 'Reads',
    summary: 'Instances of all messages, newest first',
    query: instancesQuery,
    answers: { 200: { description: 'A page.', content: json(pageShape(instanceItemShape)) } },
  },
  instance: {
    method: 'get',
    path: '/api/instances/{id}',
    roles: access.readOwn,
    group: 'Reads',
    summary: 'One instance with its data, error, changes and history',
    params: z.object({ id: instanceIdShape }),
    query: none,
    answers: {
      200: {
        description: 'The instance. `data` is the text as sent: numbers may have more digits than a double holds.',
        content: json(instanceShape),
      },
    },
    refusals: ['not_found', 'pruned'],
  },
  object: {
    method: 'get',
    path: '/api/objects/{integration}/{externalId}',
    roles: access.read,
    group: 'Reads',
    summary: 'An object: the ledger, and every instance that touched it, newest first',
    params: z.object({ integration: integrationParam, externalId: externalIdShape }),
    query: page,
    answers: { 200: { description: 'The object.', content: json(objectHistoryShape) } },
    refusals: ['not_found'],
  },
  targetObject: {
    method: 'get',
    path: '/api/objects/{integration}/{externalId}/target',
    roles: access.read,
    group: 'Reads',
    summary: 'What stands in the target for an object, as it is now',
    params: z.object({ integration: integrationParam, externalId: externalIdShape }),
    query: none,
    answers: { 200: { description: 'The row, or where the page is.', content: json(targetObjectShape) } },
    refusals: ['unknown_integration', 'target_mismatch'],
  },
  overview: {
    method: 'get',
    path: '/api/overview',
    roles: access.read,
    group: 'Reads',
    summary: 'What needs a person now, and how the work goes',
    query: none,
    answers: { 200: { description: 'The overview, of the integrations that the token may see.', content: json(overviewShape) } },
  },
  events: {
    method: 'get',
    path: '/api/events',
    roles: access.readOwn,
    group: 'Reads',
    summary: 'Server-sent events: something may be new',
    description: 'An event `changed` at most once a second, when anything was written. The stream ends after a minute; come again then.',
    query: none,
    answers: { 200: { description: 'A stream.', content: { 'text/event-stream': text } } },
  },
  errors: {
    method: 'get',
    path: '/api/errors',
    roles: access.read,
    group: 'Reads',
    summary: 'Failures, grouped by integration, code and cause',
    query: errorsQuery,
    answers: { 200: { description: 'A page.', content: json(pageShape(errorGroupShape)) } },
  },
  integrations: {
    method: 'get',
    path: '/api/integrations',
    roles: access.read,
    group: 'Integrations',
    summary: 'The integrations of this server',
    query: page,
    answers: { 200: { description: 'A page.', content: json(pageShape(integrationShape)) } },
  },
  integration: {
    method: 'get',
    path: '/api/integrations/{name}',
    roles: access.read,
    group: 'Integrations',
    summary: 'One integration: schema, limits, target, whether it is paused',
    params: byName,
    query: none,
    answers: { 200: { description: 'The integration.', content: json(integrationShape) } },
    refusals: ['unknown_integration'],
  },
  resume: {
    method: 'post',
    path: '/api/integrations/{name}/resume',
    roles: access.operate,
    group: 'Integrations',
    summary: 'Go on with an integration that was paused because its target did not fit',
    params: byName,
    query: none,
    answers: { 200: { description: 'It is processed again.', content: json(resumedShape) } },
    refusals: ['unknown_integration'],
  },
  tasks: {
    method: 'get',
    path: '/api/tasks',
    roles: access.read,
    group: 'Tasks',
    summary: 'The tasks: when they run by the clock, and their last run',
    query: page,
    answers: { 200: { description: 'A page.', content: json(pageShape(taskViewShape)) } },
  },
  taskRuns: {
    method: 'get',
    path: '/api/task-runs',
    roles: access.read,
    group: 'Tasks',
    summary: 'Runs of tasks, newest first',
    query: taskRunsQuery,
    answers: { 200: { description: 'A page.', content: json(pageShape(taskRunShape)) } },
  },
  taskRun: {
    method: 'get',
    path: '/api/task-runs/{id}',
    roles: access.read,
    group: 'Tasks',
    summary: 'One run: who started it, with what, and what it did',
    params: byId,
    query: none,
    answers: { 200: { description: 'The run.', content: json(taskRunShape) } },
    refusals: ['not_found'],
  },
  runTask: {
    method: 'post',
    path: '/api/tasks/{task}/runs',
    roles: access.operate,
    group: 'Tasks',
    summary: 'Run a task, for chosen ids or a filter',
    description: 'A token limited to integrations has to name messages, instances or an integration of its own.',
    params: z.object({ task: taskShape }),
    query: none,
    body: runRequestShape,
    answers: {
      202: { description: 'Queued.', content: json(runCreatedShape), headers: { Location: 'The run, relative to the request.' } },
    },
    refusals: ['bad_request', 'body_too_large'],
  },
  previewRun: {
    method: 'post',
    path: '/api/tasks/{task}/preview',
    roles: access.operate,
    group: 'Tasks',
    summary: 'Count what a run would do, and do nothing',
    params: z.object({ task: taskShape }),
    query: none,
    body: runRequestShape,
    answers: { 200: { description: 'How many it finds now.', content: json(runPreviewShape) } },
    refusals: ['bad_request', 'body_too_large'],
  },
  tokens: {
    method: 'get',
    path: '/api/tokens',
    roles: access.administer,
    group: 'Tokens',
    summary: 'Tokens, newest first, revoked ones too',
    query: page,
    answers: { 200: { description: 'A page.', content: json(pageShape(tokenShape)) } },
  },
  createToken: {
    method: 'post',
    path: '/api/tokens',
    roles: access.administer,
    group: 'Tokens',
    summary: 'Give out a token',
    query: none,
    body: tokenRequestShape,
    answers: { 201: { description: 'The token, and its secret for the only time.', content: json(createdTokenShape) } },
    refusals: ['token_name_taken', 'token_name_reserved', 'unknown_integration'],
  },
  revokeToken: {
    method: 'delete',
    path: '/api/tokens/{id}',
    roles: access.administer,
    group: 'Tokens',
    summary: 'Revoke a token',
    params: byId,
    query: none,
    answers: { 204: { description: 'It is not accepted any more.' } },
    refusals: ['not_found'],
  },
  session: {
    method: 'get',
    path: '/api/session',
    roles: access.readOwn,
    group: 'Session',
    summary: 'Who am I?',
    query: none,
    answers: { 200: { description: 'The owner of the token or session.', content: json(sessionShape) } },
  },
  signIn: {
    method: 'post',
    path: '/api/session',
    roles: access.readOwn,
    group: 'Session',
    summary: 'Exchange a bearer token for a session cookie',
    description:
      'For browsers. The cookie is HttpOnly and SameSite=Strict, and ends after twelve hours or with the token. Requests that come with it and change something need the header `X-Sluice-Page: 1`.',
    query: none,
    answers: {
      200: {
        description: 'Signed in.',
        content: json(sessionShape),
        headers: { 'Set-Cookie': 'The session, for the paths beside this one.' },
      },
    },
  },
  signOut: {
    method: 'delete',
    path: '/api/session',
    roles: access.readOwn,
    group: 'Session',
    summary: 'End the session',
    query: none,
    answers: { 204: { description: 'It is over, and its cookie removed.' } },
  },
  livez: {
    method: 'get',
    path: '/livez',
    roles: access.open,
    group: 'Operations',
    summary: 'Does the process answer?',
    answers: { 200: { description: 'It does.', content: { 'text/plain': text } } },
  },
  readyz: {
    method: 'get',
    path: '/readyz',
    roles: access.open,
    group: 'Operations',
    summary: 'Is the database there, with every migration?',
    answers: { 200: { description: 'It is.', content: { 'text/plain': text } } },
    refusals: ['not_ready'],
  },
  metrics: {
    method: 'get',
    path: '/metrics',
    roles: access.read,
    group: 'Operations',
    summary: 'Prometheus metrics, for tokens that are not limited to integrations',
    answers: { 200: { description: 'Text format 0.0.4.', content: { 'text/plain': text } } },
  },
  openapi: {
    method: 'get',
    path: '/api/openapi.json',
    roles: access.open,
    group: 'Operations',
    summary: 'This description, with the schemas of the integrations',
    answers: { 200: { description: 'OpenAPI 3.1.', content: json(z.record(z.string(), z.unknown())) } },
  },
  docs: {
    method: 'get',
    path: '/api/docs',
    roles: access.open,
    group: 'Operations',
    summary: 'This description as a page',
    answers: { 200: { description: 'A page that loads nothing.', content: { 'text/html': text } } },
  },
} as const satisfies Record<string, Route>

export type RouteName = keyof typeof routes
