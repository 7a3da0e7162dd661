/** Who may do what: every route against every role, integrations of their own, a sender's own messages. */
import { beforeEach, describe, expect, test } from 'vitest'
import { access, pageShape, type Role, roles } from '../../src/http/contract/common.ts'
import { instanceItemShape, objectHistoryShape } from '../../src/http/contract/instance.ts'
import { messageShape, receiptShape } from '../../src/http/contract/message.ts'
import { type Route, type RouteName, routes } from '../../src/http/contract/routes.ts'
import { createdTokenShape, tokenShape } from '../../src/http/contract/token.ts'
import { hashToken } from '../../src/store/token.ts'
import { onBoth } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'
import { adminToken, createTestApp, origin, problem, read, type TestApp } from './support.ts'

/** A path of a route with something in the place of its parameters. */
function examplePath({ path }: Route): string {
  const given: Record<string, string> = {
    '{name}': 'organization',
    '{integration}': 'organization',
    '{externalId}': 'o-1',
    '{task}': 'split',
  }
  return path.replaceAll(/\{\w+\}/g, (parameter) => given[parameter] ?? (path.startsWith('/api/instances') ? '1.0' : '1'))
}

onBoth((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    await opened.db.query('TRUNCATE sluice.api_token, sluice.audit_log')
    app = createTestApp(opened.db, [organization, employee])
  })

  const one = [{ ms_id: 'o-1', title: 'City hospital', changed_at: '2026-01-01T00:00:00Z' }]
  const send = async (token: string, integration = 'organization', body: unknown = one) =>
    read(await app.call('POST', `/api/integrations/${integration}/messages`, { token, body }), 202, receiptShape)

  describe('every route', () => {
    const all = Object.entries<Route>(routes) as [RouteName, Route][]

    test.each(all)('%s asks for a token, unless it is open', async (_, route) => {
      const response = await app.call(route.method.toUpperCase(), examplePath(route), { token: null })
      if (route.roles === null) return expect(response.status).toBe(200)
      expect(response.headers.get('WWW-Authenticate')).toBe('Bearer realm="sluice"')
      await problem(response, 401, 'unauthorized')
    })

    test.each(roles)('a %s may call what the table says, and nothing else', async (role: Role) => {
      const token = await app.token(`a ${role}`, role)
      for (const [name, route] of all) {
        if (route.roles === null) continue
        const response = await app.call(route.method.toUpperCase(), examplePath(route), { token })
        // A stream of events has no end to wait for.
        if (name === 'events') await response.body?.cancel()
        else await response.text()
        expect({ name, isForbidden: response.status === 403 }).toEqual({ name, isForbidden: !route.roles.includes(role) })
        expect({ name, status: response.status }).not.toEqual({ name, status: 500 })
      }
    })

    test('only probes and the description are open', () => {
      const open = all.filter(([, route]) => route.roles === null).map(([name]) => name)
      expect(open).toEqual(['livez', 'readyz', 'openapi', 'docs'])
      expect(access.open).toBeNull()
    })
  })

  describe('tokens', () => {
    test.each(['Basic YTpi', 'Bearer', 'Bearer  ', 'Bearer a b', `Bearer ${adminToken}x`, `Bearer slc_${'A'.repeat(43)}`, adminToken])(
      '"%s" is none',
      async (header) => {
        const request = new Request(`${origin}/api/messages`, { headers: { Authorization: header } })
        await problem(await app.fetch(request), 401, 'unauthorized')
      },
    )

    test('the token of the config is an admin named admin', async () => {
      const { id } = await send(adminToken)
      expect(await app.get(`/api/messages/${id}`, messageShape)).toMatchObject({ source: 'admin' })
      await problem(await app.call('POST', '/api/tokens', { body: { name: 'admin', role: 'viewer' } }), 409, 'token_name_reserved')
    })

    test('without one in the config only tokens of the database are accepted', async () => {
      const strict = createTestApp(opened.db, [organization], { token: undefined })
      await problem(await strict.call('GET', '/api/messages'), 401, 'unauthorized')
    })

    test('are given out, listed and revoked', async () => {
      const created = await read(
        await app.call('POST', '/api/tokens', { body: { name: 'erp', role: 'sender', integrations: ['organization'] } }),
        201,
        createdTokenShape,
      )
      expect(created).toMatchObject({ name: 'erp', role: 'sender', integrations: ['organization'], lastUsedAt: null, revokedAt: null })
      // 256 bits as base64url.
      expect(created.token).toMatch(/^slc_[A-Za-z0-9_-]{43}$/)
      await send(created.token)

      const stored = await app.rows<{ row: string; hash: Uint8Array }>(
        'SELECT t::text AS row, token_sha256 AS hash FROM sluice.api_token t',
      )
      expect(stored[0]?.row).not.toContain(created.token)
      expect(Buffer.from(stored[0]?.hash ?? [])).toEqual(hashToken(created.token))
      const [listed] = await app.pages('/api/tokens', pageShape(tokenShape), 1)
      expect(listed).toMatchObject({ id: created.id, lastUsedAt: expect.any(String) })
      expect(listed).not.toHaveProperty('token')

      expect((await app.call('DELETE', `/api/tokens/${created.id}`)).status).toBe(204)
      await problem(await app.call('GET', '/api/messages', { token: created.token }), 401, 'unauthorized')
      await problem(await app.call('DELETE', `/api/tokens/${created.id}`), 404, 'not_found')
      expect(await app.rows('SELECT actor, action, subject FROM sluice.audit_log ORDER BY id')).toEqual([
        { actor: 'admin', action: 'token.create', subject: created.id },
        { actor: 'admin', action: 'token.revoke', subject: created.id },
      ])
    })

    test('a name is taken until its token is revoked', async () => {
      const body = { name: 'erp', role: 'sender' }
      const { id } = await read(await app.call('POST', '/api/tokens', { body }), 201, createdTokenShape)
      await problem(await app.call('POST', '/api/tokens', { body }), 409, 'token_name_taken')
      await app.call('DELETE', `/api/tokens/${id}`)
      await read(await app.call('POST', '/api/tokens', { body }), 201, createdTokenShape)
    })

    test.each([
      [{ name: 'a', role: 'king' }, 400, 'bad_request'],
      [{ name: '', role: 'viewer' }, 400, 'bad_request'],
      [{ name: 'a', role: 'viewer', admin: true }, 400, 'bad_request'],
      [{ name: 'a', role: 'viewer', integrations: ['nobody'] }, 404, 'unknown_integration'],
      [{ name: 'a', role: 'viewer', integrations: [] }, 400, 'bad_request'],
      ['{', 400, 'bad_request'],
      [{ role: 'viewer' }, 400, 'bad_request', { pointer: '/name', code: 'missing', message: 'is missing' }],
      [{ name: 'a' }, 400, 'bad_request', { pointer: '/role', code: 'missing', message: 'is missing' }],
      [{ name: 5, role: 'viewer' }, 400, 'bad_request', { pointer: '/name', code: 'invalid', message: 'must be a string' }],
    ])('%j is refused', async (body, status, code, error?: object) => {
      const refused = await problem(await app.call('POST', '/api/tokens', { body }), status, code)
      if (refused.errors !== undefined) expect(refused.errors).toMatchObject([error ?? {}])
    })

    test('the last use is noted once a minute', async () => {
      const token = await app.token('erp', 'viewer')
      const used = async (): Promise<unknown> =>
        (await app.rows<{ at: string | null }>('SELECT last_used_at AS at FROM sluice.api_token'))[0]?.at
      expect(await used()).toBeNull()
      await app.call('GET', '/api/messages', { token })
      const first = await used()
      expect(first).toEqual(expect.any(String))
      await app.call('GET', '/api/messages', { token })
      expect(await used()).toBe(first)
      await app.rows("UPDATE sluice.api_token SET last_used_at = now() - interval '61 seconds' RETURNING id")
      await app.call('GET', '/api/messages', { token })
      expect(new Date(String(await used())).getTime()).toBeGreaterThanOrEqual(new Date(String(first)).getTime())
    })
  })

  describe('integrations of their own', () => {
    test('others are refused by name, and left out of lists', async () => {
      const admins = await send(adminToken)
      await app.drain()
      const viewer = await app.token('staff', 'viewer', ['employee'])
      const sender = await app.token('hr', 'sender', ['employee'])
      await problem(await app.call('POST', '/api/integrations/organization/messages', { token: sender, body: one }), 403, 'forbidden')
      const own = await send(sender, 'employee', [{ ms_id: 'e-1', name: 'Ann' }])
      await app.drain()
      for (const path of [
        `/api/messages/${admins.id}`,
        `/api/messages/${admins.id}/body`,
        `/api/messages/${admins.id}/instances`,
        `/api/instances/${admins.id}.0`,
        '/api/messages?integration=organization',
        '/api/instances?integration=organization',
        '/api/objects/organization/o-1',
        '/api/errors?integration=organization',
        '/api/integrations/organization',
        '/metrics',
      ]) {
        expect({ path, ...(await problem(await app.call('GET', path, { token: viewer }), 403, 'forbidden')) }).toMatchObject({ path })
      }
      expect((await app.get('/api/messages', pageShape(messageShape), { token: viewer })).items.map(({ id }) => id)).toEqual([own.id])
      expect((await app.get('/api/instances', pageShape(instanceItemShape), { token: viewer })).items.map(({ id }) => id)).toEqual([
        `${own.id}.0`,
      ])
      expect((await app.get('/api/objects/employee/e-1', objectHistoryShape, { token: viewer })).items).toHaveLength(1)
    })

    test('a click names work of their own', async () => {
      const mine = await send(adminToken, 'employee', [{ ms_id: 'e-1', name: 'Ann' }])
      const other = await send(adminToken)
      const token = await app.token('staff', 'operator', ['employee'])
      const run = (body: object) => app.call('POST', '/api/tasks/split/runs', { token, body })
      expect((await run({ integration: 'employee' })).status).toBe(202)
      expect((await run({ messages: [mine.id] })).status).toBe(202)
      expect((await run({ instances: [`${mine.id}.0`] })).status).toBe(202)
      for (const body of [{}, { integration: 'organization' }, { messages: [mine.id, other.id] }, { instances: [`${other.id}.0`] }]) {
        await problem(await run(body), 403, 'forbidden')
      }
    })
  })

  test('a sender reads its own messages only', async () => {
    const erp = await app.token('erp', 'sender')
    const crm = await app.token('crm', 'sender')
    const mine = await send(erp)
    const other = await send(crm)
    await app.drain()
    for (const path of [
      `/api/messages/${mine.id}`,
      `/api/messages/${mine.id}/body`,
      `/api/messages/${mine.id}/instances`,
      `/api/instances/${mine.id}.0`,
    ]) {
      expect((await app.call('GET', path, { token: erp })).status).toBe(200)
      await problem(await app.call('GET', path, { token: crm }), 403, 'forbidden')
    }
    expect((await app.get('/api/messages', pageShape(messageShape), { token: erp })).items.map(({ id }) => id)).toEqual([mine.id])
    expect((await app.get('/api/messages?source=crm', pageShape(messageShape), { token: erp })).items).toEqual([])
    const filters = ['', '?integration=organization', '?integration=organization&externalId=o-1']
    for (const filter of filters) {
      const { items } = await app.get(`/api/instances${filter}`, pageShape(instanceItemShape), { token: crm })
      expect(items.map(({ id }) => id)).toEqual([`${other.id}.0`])
    }
  })
})
