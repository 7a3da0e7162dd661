/** Browsers: sign-in by a cookie, and what guards it. */
import { beforeEach, describe, expect, test } from 'vitest'
import { sessionShape } from '../../src/http/contract/session.ts'
import { onBoth } from '../support/both.ts'
import { organization, resetCompany } from '../support/company.ts'
import { createTestApp, origin, problem, read, type TestApp } from './support.ts'

onBoth((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    await opened.db.query('TRUNCATE sluice.api_token, sluice.session')
    app = createTestApp(opened.db, [organization])
  })

  const signIn = async (token?: string, headers: Record<string, string> = {}) => {
    const response = await app.call('POST', '/api/session', { headers, ...(token === undefined ? {} : { token }) })
    const setCookie = response.headers.get('Set-Cookie') ?? ''
    return { who: await read(response, 200, sessionShape), setCookie, cookie: setCookie.split(';')[0] ?? '' }
  }
  const withCookie = (method: string, path: string, cookie: string, headers: Record<string, string> = {}) =>
    app.call(method, path, { token: null, headers: { Cookie: cookie, ...headers } })
  const own = { 'X-Sluice-Page': '1', 'Sec-Fetch-Site': 'same-origin' }

  test('a token is exchanged for a cookie that scripts and other sites never see', async () => {
    const { who, setCookie, cookie } = await signIn()
    expect(who).toMatchObject({ name: 'admin', role: 'admin', integrations: null })
    expect(setCookie).toMatch(/^sluice_session=[\w-]{43}; Max-Age=43200; HttpOnly; SameSite=Strict$/)
    expect(await read(await withCookie('GET', '/api/session', cookie), 200, sessionShape)).toEqual(who)
    const [stored] = await app.rows<{ row: string }>('SELECT s::text AS row FROM sluice.session s')
    expect(stored?.row).not.toContain(cookie.split('=')[1])
  })

  test('a page that was loaded over https gets a Secure cookie, whatever the proxy speaks', async () => {
    expect((await signIn(undefined, { Origin: 'https://inbox.example' })).setCookie).toMatch(/; Secure$/)
  })

  test('signing out ends the session, not only the cookie', async () => {
    const { cookie } = await signIn()
    const response = await withCookie('DELETE', '/api/session', cookie, own)
    expect(response.status).toBe(204)
    expect(response.headers.get('Set-Cookie')).toMatch(/^sluice_session=; Max-Age=0;/)
    await problem(await withCookie('GET', '/api/session', cookie), 401, 'unauthorized')
  })

  test('a session ends with its time, and with its token', async () => {
    const viewer = await app.token('a viewer', 'viewer')
    const { cookie, who } = await signIn(viewer)
    expect(who).toMatchObject({ name: 'a viewer', role: 'viewer' })
    await app.rows('UPDATE sluice.api_token SET revoked_at = now() RETURNING id')
    await problem(await withCookie('GET', '/api/messages', cookie), 401, 'unauthorized')

    const admin = await signIn()
    await app.rows("UPDATE sluice.session SET expires_at = now() - interval '1 second' RETURNING 1")
    await problem(await withCookie('GET', '/api/messages', admin.cookie), 401, 'unauthorized')
    // Those that are over go with the next sign-in.
    await signIn()
    expect(await app.rows('SELECT FROM sluice.session')).toHaveLength(1)
  })

  describe('what changes something takes more than the cookie', () => {
    test.each([
      ['no header', {}],
      ['another site', { ...own, 'Sec-Fetch-Site': 'cross-site' }],
      ['another subdomain or port', { ...own, 'Sec-Fetch-Site': 'same-site' }],
    ])('%s', async (_, headers: Record<string, string>) => {
      const { cookie } = await signIn()
      await problem(await withCookie('POST', '/api/tasks/rollup/runs', cookie, headers), 403, 'forbidden')
      expect(await app.rows('SELECT FROM sluice.task_run')).toEqual([])
    })

    test('our own page may', async () => {
      const { cookie } = await signIn()
      expect((await withCookie('POST', '/api/tasks/rollup/runs', cookie, own)).status).toBe(202)
    })

    test('a bearer token needs no header', async () => {
      expect((await app.fetch(new Request(`${origin}/api/session`))).status).toBe(401)
      expect((await app.call('POST', '/api/tasks/rollup/runs')).status).toBe(202)
    })
  })

  test('a cookie that is none of ours is nobody', async () => {
    for (const cookie of ['sluice_session=', 'sluice_session=short', `sluice_session=${'a'.repeat(43)}`, 'x=y'])
      await problem(await withCookie('GET', '/api/session', cookie), 401, 'unauthorized')
  })
})
