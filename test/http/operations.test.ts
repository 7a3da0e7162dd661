/** Tasks by a click, probes, metrics, the API's description, and what no route answers. */
import { Hono } from 'hono'
import { beforeEach, describe, expect, test } from 'vitest'
import { defineIntegration } from '../../src/config.ts'
import { createApp } from '../../src/http/app.ts'
import { idShape, pageShape } from '../../src/http/contract/common.ts'
import { messageShape, receiptShape } from '../../src/http/contract/message.ts'
import { routes } from '../../src/http/contract/routes.ts'
import { runCreatedShape, runPreviewShape, taskRunShape, taskViewShape } from '../../src/http/contract/task.ts'
import { DatabaseError, type Db } from '../../src/store/db.ts'
import { createPglite } from '../../src/store/pglite.ts'
import { onBoth } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'
import { createInbox } from '../support/inbox.ts'
import { adminToken, createTestApp, origin, problem, read, request, type TestApp } from './support.ts'

const tree = defineIntegration({
  name: 'tree',
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $ref: '#/$defs/node',
    $defs: { node: { type: 'object', properties: { id: { type: 'string' }, parent: { $ref: '#' }, kind: { const: { $ref: '#/data' } } } } },
  },
  key: 'id',
  target: (t) => t.handler({ apply: () => 'created' }),
})

const one = { ms_id: 'o-1', title: 'City hospital', changed_at: '2026-01-01T00:00:00Z' }

onBoth((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization, employee, tree])
  })

  describe('tasks', () => {
    test('a click is queued, done and told', async () => {
      const response = await app.call('POST', '/api/tasks/reprocess/runs', {
        body: { integration: 'organization', errorCode: 'broken', sinceDays: 7 },
      })
      const location = response.headers.get('Location')
      const { id } = await read(response, 202, runCreatedShape)
      expect(location).toBe(`../../task-runs/${id}`)
      const noted = await app.rows(
        `SELECT actor, subject, details ->> 'task' AS task, details -> 'parameters' ->> 'errorCode' AS code FROM sluice.audit_log WHERE action = 'task.run'`,
      )
      expect(noted).toEqual([{ actor: 'admin', subject: id, task: 'reprocess', code: 'broken' }])
      const queued = await app.get(`/api/task-runs/${id}`, taskRunShape)
      expect(queued).toMatchObject({
        task: 'reprocess',
        startedBy: 'click',
        actor: 'admin',
        state: 'queued',
        parameters: { integration: 'organization', errorCode: 'broken', sinceDays: 7 },
      })
      await app.drain()
      expect(await app.get(`/api/task-runs/${id}`, taskRunShape)).toMatchObject({
        state: 'finished',
        result: expect.anything(),
        error: null,
      })
      const { items } = await app.get('/api/tasks', pageShape(taskViewShape))
      expect(items.map(({ task }) => task).sort()).toEqual(['process', 'prune', 'reprocess', 'rollup', 'split'])
      expect(items.find(({ task }) => task === 'reprocess')).toMatchObject({ cron: '*/15 * * * *', lastRun: { id } })
    })

    test('a preview counts what a click would find, and does nothing', async () => {
      const preview = async (task: string, body: unknown) =>
        read(await app.call('POST', `/api/tasks/${task}/preview`, { body }), 200, runPreviewShape)
      const { id } = await app.send('employee', [
        { ms_id: 'e-1', name: 'Ada', organization_ms_id: 'o-1' },
        { ms_id: 'e-2', name: 'Grace' },
      ])
      expect(await preview('split', { messages: [id] })).toEqual({ unit: 'messages', count: 1 })
      await app.drain()
      expect(await preview('split', {})).toEqual({ unit: 'messages', count: 0 })
      expect(await preview('reprocess', { integration: 'employee' })).toEqual({ unit: 'instances', count: 1 })
      expect(await preview('reprocess', { messages: [id], replay: true })).toEqual({ unit: 'instances', count: 2 })
      expect(await preview('rollup', { messages: [id] })).toEqual({ unit: 'messages', count: 1 })
      expect(await preview('rollup', {})).toEqual({ unit: 'messages', count: 0 })
      expect(await preview('process', {})).toEqual({ unit: 'chunks', count: 0 })
      expect(await app.rows('SELECT FROM sluice.task_run')).toEqual([])
      await problem(await app.call('POST', '/api/tasks/reprocess/preview', { body: { integration: 'nobody' } }), 404, 'unknown_integration')
    })

    test('without a body it is for everything', async () => {
      await read(await app.call('POST', '/api/tasks/split/runs'), 202, runCreatedShape)
      await read(await app.call('POST', '/api/tasks/process/runs', { body: {} }), 202, runCreatedShape)
    })

    test.each([
      [{ message: ['1'] }, '/message'],
      [{ messages: ['x'] }, '/messages/0'],
      [{ messages: ['9223372036854775808'] }, '/messages/0'],
      [{ instances: ['1'] }, '/instances/0'],
      [{ sinceDays: -1 }, '/sinceDays'],
      [{ errorCode: 'a\0b' }, '/errorCode'],
      [{ draft: 'yes' }, '/draft'],
      [[], ''],
    ])('%j is refused', async (body, pointer) => {
      const refused = await problem(await app.call('POST', '/api/tasks/reprocess/runs', { body }), 400, 'bad_request')
      expect(refused.errors).toMatchObject([{ pointer }])
    })

    test('of many wrong ids the first are told', async () => {
      const refused = await problem(
        await app.call('POST', '/api/tasks/reprocess/runs', { body: { messages: Array(5000).fill('x') } }),
        400,
        'bad_request',
      )
      expect(refused.errors).toHaveLength(20)
      expect(refused.errorCount).toBe(5000)
      expect(refused.detail.length).toBeLessThan(2000)
    })

    test('what else is refused', async () => {
      const run = (task: string, body: unknown, headers: Record<string, string> = {}) =>
        app.call('POST', `/api/tasks/${task}/runs`, { body, headers })
      await problem(await run('clean', {}), 400, 'bad_request')
      await problem(await run('reprocess', { replay: true }), 400, 'invalid_parameters')
      await problem(await run('split', { replay: true }), 400, 'invalid_parameters')
      await problem(await run('rollup', { asDraft: true }), 400, 'invalid_parameters')
      await problem(await run('reprocess', { integration: 'nobody' }), 404, 'unknown_integration')
      await problem(await run('reprocess', `{"errorCode":"${'x'.repeat(1024 * 1024)}"}`), 413, 'body_too_large')
      await problem(await run('reprocess', '{}', { 'Content-Type': 'text/plain' }), 415, 'unsupported_media_type')
    })

    test('an id that nothing has is told, not run', async () => {
      const { id } = await app.send('organization', [one])
      const nowhere = String(Number(id) + 1)
      for (const body of [{ messages: [id, nowhere] }, { instances: [`${id}.1`] }, { instances: [`${nowhere}.0`] }]) {
        for (const what of ['runs', 'preview']) {
          const { detail } = await problem(await app.call('POST', `/api/tasks/reprocess/${what}`, { body }), 404, 'not_found')
          expect(detail).toBe(`There is no ${body.messages === undefined ? `instance ${body.instances?.[0]}` : `message ${nowhere}`}.`)
        }
      }
      expect((await app.call('POST', '/api/tasks/split/runs', { body: { messages: [id], instances: [`${id}.0`] } })).status).toBe(202)
    })

    test('runs, newest first, in pages, with filters', async () => {
      const ids: string[] = []
      for (const task of ['split', 'rollup', 'process'])
        ids.push((await read(await app.call('POST', `/api/tasks/${task}/runs`), 202, runCreatedShape)).id)
      const found = async (query: string) => (await app.pages(`/api/task-runs?${query}`, pageShape(taskRunShape), 2)).map(({ id }) => id)
      expect(await found('')).toEqual(ids.toReversed())
      expect(await found('task=rollup')).toEqual([ids[1]])
      expect(await found('state=running')).toEqual([])
      expect(await found('state=queued&task=process')).toEqual([ids[2]])
    })

    test('a token of some integrations sees the runs that name one of them', async () => {
      const token = await app.token('only-employees', 'operator', ['employee'])
      const foreign = await read(
        await app.call('POST', '/api/tasks/split/runs', { body: { integration: 'organization' } }),
        202,
        runCreatedShape,
      )
      const own = await read(
        await app.call('POST', '/api/tasks/split/runs', { token, body: { integration: 'employee' } }),
        202,
        runCreatedShape,
      )
      expect((await app.get('/api/task-runs', pageShape(taskRunShape), { token })).items.map(({ id }) => id)).toEqual([own.id])
      await problem(await app.call('GET', `/api/task-runs/${foreign.id}`, { token }), 404, 'not_found')
      // What it asked for itself names no integration.
      const { id } = await app.send('employee', [{ ms_id: 'e-1', name: 'Ada' }])
      const click = await read(await app.call('POST', '/api/tasks/split/runs', { token, body: { messages: [id] } }), 202, runCreatedShape)
      expect(await app.get(`/api/task-runs/${click.id}`, taskRunShape, { token })).toMatchObject({ actor: 'only-employees' })
      await opened.db.query('DELETE FROM sluice.api_token')
    })
  })

  describe('probes', () => {
    test('alive and ready', async () => {
      for (const path of ['/livez', '/readyz']) expect((await app.call('GET', path, { token: null })).status).toBe(200)
    })

    test('a database that answers with errors: alive, not ready, 503', async () => {
      const down = async (): Promise<never> => {
        throw new DatabaseError('the database system is shutting down', { sqlstate: '57P01' })
      }
      const broken: Db = { ...opened.db, query: down, transaction: down }
      const { services } = createInbox(broken, [organization], { token: adminToken })
      const { fetch } = createApp(services)
      expect((await fetch(request('GET', `${origin}/livez`))).status).toBe(200)
      const ready = await fetch(request('GET', `${origin}/readyz`))
      expect(ready.headers.get('Retry-After')).toBe('5')
      await problem(ready, 503, 'not_ready')
      for (const [method, path, body] of [
        ['GET', '/api/messages', undefined],
        ['GET', '/metrics', undefined],
        ['POST', '/api/integrations/organization/messages', [one]],
      ] as const) {
        const response = await fetch(request(method, `${origin}${path}`, { body }))
        expect(response.headers.get('Retry-After')).toBe('5')
        const refused = await problem(response, 503, 'unavailable')
        expect(JSON.stringify(refused)).not.toContain('shutting down')
      }
    })

    test('a login that the database refuses: 503', async () => {
      const refusing = async (): Promise<never> => {
        throw new DatabaseError('password authentication failed for user "sluice"', { sqlstate: '28P01' })
      }
      const { services } = createInbox({ ...opened.db, query: refusing, transaction: refusing }, [organization], { token: adminToken })
      const { fetch } = createApp(services)
      const refused = await problem(await fetch(request('GET', `${origin}/api/messages`)), 503, 'unavailable')
      expect(JSON.stringify(refused)).not.toContain('password')
    })

    test('what nobody expected is 500 and says nothing of the inside', async () => {
      const odd: Db = { ...opened.db, query: () => Promise.reject(new Error('secret detail')) }
      const logged: object[] = []
      const { services } = createInbox(odd, [organization], { token: adminToken })
      const log = { ...services.log, error: (fields: object) => logged.push(fields) }
      const { fetch } = createApp({ ...services, log })
      const refused = await problem(await fetch(request('GET', `${origin}/api/messages`)), 500, 'internal')
      expect(JSON.stringify(refused)).not.toContain('secret')
      expect(logged).toMatchObject([{ error: { message: 'secret detail' }, instance: refused.instance }])
    })
  })

  test('metrics', async () => {
    await app.send('organization', [one, { ...one, ms_id: 'o-2' }])
    await app.drain()
    await app.send('employee', [{ ms_id: 'e-1', name: 'bad' }])
    await app.drain()
    await app.send('employee', [{ ms_id: 'e-2', name: 'Ann' }])
    const response = await app.call('GET', '/metrics', { token: await app.token('prometheus', 'viewer') })
    expect(response.headers.get('Content-Type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const lines = (await response.text()).split('\n')
    const value = (line: string): number =>
      Number(
        lines
          .find((candidate) => candidate.startsWith(`${line} `))
          ?.split(' ')
          .at(-1),
      )
    expect(value('sluice_instances{integration="organization",outcome="created"}')).toBe(2)
    expect(value('sluice_failed_instances{integration="employee",code="check_violation"}')).toBe(1)
    expect(value('sluice_messages{status="3"}')).toBe(1)
    expect(value('sluice_messages{status="1"}')).toBe(1)
    expect(value('sluice_backlog_instances{integration="organization"}')).toBe(0)
    expect(value('sluice_oldest_waiting_seconds{integration="employee"}')).toBeGreaterThan(0)
    expect(value('sluice_oldest_waiting_seconds{integration="organization"}')).toBe(0)
    expect(value('sluice_stage_seconds{integration="organization",stage="process"}')).toBeGreaterThan(0)
    const again = await (await app.call('GET', '/metrics')).text()
    expect(again).toMatch(/sluice_http_request_duration_seconds_count\{method="GET",route="\/metrics",status="200"\} 1/)
    await opened.db.query('DELETE FROM sluice.api_token')
  })

  describe('the description', () => {
    test('has every route, and the schemas of the integrations', async () => {
      const document = (await (await app.call('GET', '/api/openapi.json', { token: null })).json()) as {
        openapi: string
        servers: { url: string }[]
        paths: Record<
          string,
          Record<string, { operationId: string; security: object[]; parameters?: { name: string }[]; requestBody?: unknown }>
        >
        components: { schemas: Record<string, Record<string, unknown>> }
      }
      expect(document.openapi).toMatch(/^3\.1/)
      expect(new URL(document.servers[0]?.url ?? '', 'http://x/base/api/openapi.json').pathname).toBe('/base/')
      for (const [name, route] of Object.entries(routes)) {
        const operation = document.paths[route.path]?.[route.method]
        expect(operation?.operationId).toBe(name)
        const signed = name === 'receive' ? [{ signature: [] }] : []
        expect(operation?.security).toEqual(route.roles === null ? [] : [{ token: [] }, ...signed])
      }
      expect(document.components.schemas.Message).toMatchObject({
        properties: { status: { type: 'integer', enum: [0, 1, -1, 2, -2, 3, -3] } },
      })
      expect(document.paths[routes.receive.path]?.post?.requestBody).toMatchObject({
        required: true,
        content: { 'application/x-ndjson': {} },
      })
      expect(document.paths['/api/tokens']?.post?.requestBody).toMatchObject({ required: true })
      expect(document.paths['/api/messages']?.get?.parameters?.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['limit', 'cursor', 'integration', 'status', 'from', 'to', 'externalId', 'text']),
      )
      expect(document.components.schemas['object.organization']).toMatchObject({ properties: { ms_id: { type: 'string' } } })
      expect(document.paths['/api/integrations/tree/messages']?.post?.requestBody).toMatchObject({
        content: { 'application/json': { schema: { anyOf: [{ $ref: '#/components/schemas/object.tree' }, { type: 'array' }] } } },
      })
      // References stay right where the schema stands now; data that looks like one is left alone.
      expect(document.components.schemas['object.tree']).toMatchObject({
        $ref: '#/components/schemas/object.tree/$defs/node',
        $defs: { node: { properties: { parent: { $ref: '#/components/schemas/object.tree' }, kind: { const: { $ref: '#/data' } } } } },
      })
      expect(unresolved(document)).toEqual([])
    })

    test('as a page that loads nothing', async () => {
      const response = await app.call('GET', '/api/docs', { token: null })
      const page = await response.text()
      expect(response.headers.get('Content-Security-Policy')).toMatch(/^default-src 'none'; style-src 'sha256-/)
      for (const route of Object.values(routes)) expect(page).toContain(route.path)
      expect(page).not.toMatch(/<script|src=|https?:|@import/)
      expect(page).toContain('href="openapi.json"')
    })
  })

  test('what no route answers', async () => {
    await problem(await app.call('GET', '/api/nothing', { token: null }), 404, 'not_found')
    await problem(await app.call('GET', '/', { token: null }), 404, 'not_found')
    const response = await app.call('DELETE', '/api/messages', { token: null })
    expect(response.headers.get('Allow')).toBe('GET, HEAD')
    await problem(response, 405, 'method_not_allowed')
    expect((await app.call('GET', '/api/integrations/organization/messages')).headers.get('Allow')).toBe('POST')
    expect((await app.call('PUT', '/api/tokens')).headers.get('Allow')).toBe('GET, HEAD, POST')
  })

  test('every answer has the headers that protect', async () => {
    for (const path of ['/api/messages', '/api/nothing', '/api/docs', '/livez']) {
      expect(Object.fromEntries((await app.call('GET', path)).headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringMatching(/^default-src 'none'/),
      })
    }
  })

  describe('under a base path', () => {
    test.each([
      ['stripped by who mounts it', (app: TestApp) => new Hono().mount('/a/b', app.fetch)],
      ['not stripped', (app: TestApp) => ({ fetch: app.fetch })],
    ])('%s', async (_, mount) => {
      const outer = mount(app)
      const at = `${origin}/a/b`
      const response = await outer.fetch(
        request('POST', `${at}/api/integrations/organization/messages`, { body: [{ ...one, ms_id: 'https://x/1?a=%2F' }] }),
      )
      const location = new URL(response.headers.get('Location') ?? '', `${at}/api/integrations/organization/messages`)
      const { id } = await read(response, 202, receiptShape)
      expect(await read(await outer.fetch(request('GET', location.href)), 200, messageShape)).toMatchObject({ id })
      await app.drain()
      const object = await outer.fetch(request('GET', `${at}/api/objects/organization/${encodeURIComponent('https://x/1?a=%2F')}`))
      expect(object.status).toBe(200)
    })
  })
})

test('a database without Sluice’s tables is not ready', async () => {
  const db = await createPglite()
  const { fetch } = createTestApp(db, [organization])
  const refused = await problem(await fetch(request('GET', `${origin}/readyz`, { token: null })), 503, 'not_ready')
  expect(refused.detail).toContain('sluice migrate')
  await db.close()
})

test('ids on the wire', () => {
  expect(idShape.safeParse('9223372036854775807').success).toBe(true)
  expect(idShape.safeParse('9223372036854775808').success).toBe(false)
})

/** References of a document that point at nothing in it. */
function unresolved(document: unknown): string[] {
  const missing: string[] = []
  const visit = (value: unknown, key = ''): void => {
    if (typeof value !== 'object' || value === null || key === 'const') return
    for (const [name, member] of Object.entries(value)) {
      if (name === '$ref' && typeof member === 'string' && find(document, member) === undefined) missing.push(member)
      visit(member, name)
    }
  }
  visit(document)
  return missing
}

function find(document: unknown, reference: string): unknown {
  return reference
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (value, name) => (value as Record<string, unknown> | undefined)?.[name.replaceAll('~1', '/').replaceAll('~0', '~')],
      document,
    )
}
