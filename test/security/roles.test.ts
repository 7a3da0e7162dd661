/** Every route that is mounted, against every role, with and without a limit to integrations. A route that isn't listed here fails. */
import { beforeEach, expect, test } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import { type Role, roles } from '../../src/http/contract/common.ts'
import { createTestApp, type TestApp } from '../http/support.ts'
import { onPostgres } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'

type Caller = Role | 'none'

/** `own`: what isn't of the token's integrations is left out; `refused`: it is 403 by name. */
interface Rule {
  roles: readonly Caller[]
  limited: 'own' | 'refused'
}

const all = ['none', ...roles] as const
const signedIn = roles
const readers = ['viewer', 'operator', 'admin'] as const
const operators = ['operator', 'admin'] as const

/** Written by hand on purpose: the table of routes can't vouch for itself. */
const expected: Record<string, Rule> = {
  'POST /api/integrations/:name/messages': { roles: ['sender', 'operator', 'admin'], limited: 'refused' },
  'GET /api/messages': { roles: signedIn, limited: 'own' },
  'GET /api/messages/:id': { roles: signedIn, limited: 'refused' },
  'GET /api/messages/:id/body': { roles: signedIn, limited: 'refused' },
  'GET /api/messages/:id/instances': { roles: signedIn, limited: 'refused' },
  'GET /api/instances': { roles: signedIn, limited: 'own' },
  'GET /api/instances/:id': { roles: signedIn, limited: 'refused' },
  'GET /api/objects/:integration/:externalId': { roles: readers, limited: 'refused' },
  'GET /api/objects/:integration/:externalId/target': { roles: readers, limited: 'refused' },
  'GET /api/overview': { roles: readers, limited: 'own' },
  'GET /api/events': { roles: signedIn, limited: 'own' },
  'GET /api/errors': { roles: readers, limited: 'own' },
  'GET /api/integrations': { roles: readers, limited: 'own' },
  'GET /api/integrations/:name': { roles: readers, limited: 'refused' },
  'POST /api/integrations/:name/resume': { roles: operators, limited: 'refused' },
  'GET /api/tasks': { roles: readers, limited: 'own' },
  'GET /api/task-runs': { roles: readers, limited: 'own' },
  'GET /api/task-runs/:id': { roles: readers, limited: 'own' },
  'POST /api/tasks/:task/runs': { roles: operators, limited: 'refused' },
  'POST /api/tasks/:task/preview': { roles: operators, limited: 'refused' },
  'GET /api/tokens': { roles: ['admin'], limited: 'refused' },
  'POST /api/tokens': { roles: ['admin'], limited: 'refused' },
  'DELETE /api/tokens/:id': { roles: ['admin'], limited: 'refused' },
  'GET /api/session': { roles: signedIn, limited: 'own' },
  'POST /api/session': { roles: signedIn, limited: 'own' },
  'DELETE /api/session': { roles: signedIn, limited: 'own' },
  'GET /livez': { roles: all, limited: 'own' },
  'GET /readyz': { roles: all, limited: 'own' },
  'GET /metrics': { roles: readers, limited: 'refused' },
  'GET /api/openapi.json': { roles: all, limited: 'own' },
  'GET /api/docs': { roles: all, limited: 'own' },
}

onPostgres((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization, employee])
    // Message 1, instance 1.0 and the object o-1: not of the integration that the limited tokens are for.
    await app.call('POST', '/api/integrations/organization/messages', {
      body: [{ ms_id: 'o-1', title: 'City hospital', changed_at: '2026-01-01T00:00:00Z' }],
    })
    await app.drain()
  })

  /** The answer's status and text; of the stream of events, which has no end, only the status. */
  async function ask(route: string, token: string | null): Promise<{ status: number; text: string }> {
    const [method = '', path = ''] = route.split(' ')
    const filled = path
      .replace(/:(name|integration)\b/, 'organization')
      .replace(':externalId', 'o-1')
      .replace(':task', 'split')
      .replace(':id', path.startsWith('/api/instances') ? '1.0' : '1')
    const response = await app.call(method, filled, {
      token,
      ...(route === 'POST /api/tokens' ? { body: { name: 'new', role: 'viewer' } } : {}),
    })
    if (path === '/api/events') await response.body?.cancel()
    return { status: response.status, text: path === '/api/events' ? '' : await response.text() }
  }

  test('every route that is mounted is listed, and no other', () => {
    expect([...createApp(app.services).mounted].sort()).toEqual(Object.keys(expected).sort())
  })

  test.each(all)('%s may call what the list says', async (caller) => {
    for (const [route, rule] of Object.entries(expected)) {
      const token = caller === 'none' ? null : await app.token(`${caller} of ${route}`, caller)
      const { status } = await ask(route, token)
      const refusal = caller === 'none' ? 401 : 403
      // Message 1 is the admin's: a sender that isn't its own is refused that one, which is the test of senders.
      const isOthers = caller === 'sender' && rule.limited === 'refused' && route.startsWith('GET')
      if (isOthers) continue
      expect({ route, isRefused: status === refusal }).toEqual({ route, isRefused: !rule.roles.includes(caller) })
      expect({ route, isFailure: status >= 500 }).toEqual({ route, isFailure: false })
    }
  })

  test.each(roles)('a %s of other integrations sees and touches nothing of this one', async (role) => {
    for (const [route, rule] of Object.entries(expected)) {
      if (!rule.roles.includes(role)) continue
      const { status, text } = await ask(route, await app.token(`${role} of ${route}`, role, ['employee']))
      expect({ route, isRefused: status === 403 }).toEqual({ route, isRefused: rule.limited === 'refused' })
      expect({ route, tells: text.includes('City hospital') }).toEqual({ route, tells: false })
    }
  })
})
