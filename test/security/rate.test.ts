/** A source that sends too much is told to wait; others aren't. */
import { beforeEach, describe, expect, test } from 'vitest'
import { SluiceError } from '../../src/errors.ts'
import { RateLimiter } from '../../src/http/rate.ts'
import { createTestApp, problem, type TestApp } from '../http/support.ts'
import { onPostgres } from '../support/both.ts'
import { organization, resetCompany } from '../support/company.ts'

describe('the bucket', () => {
  /** Seconds to wait; 0 when there was one. */
  function take(limiter: RateLimiter, source = 'erp'): unknown {
    try {
      limiter.take(source)
      return 0
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'too_many_requests') return error.details.retryAfter
      throw error
    }
  }

  test('holds a minute of messages, and fills by the clock', () => {
    let milliseconds = 0
    const limiter = new RateLimiter(6, () => milliseconds)
    expect(Array.from({ length: 8 }, () => take(limiter))).toEqual([0, 0, 0, 0, 0, 0, 10, 10])
    expect(take(limiter, 'crm')).toBe(0)
    milliseconds = 4000
    expect(take(limiter)).toBe(6)
    milliseconds = 10_000
    expect([take(limiter), take(limiter)]).toEqual([0, 10])
    milliseconds = 10_000_000
    expect(Array.from({ length: 7 }, () => take(limiter))).toEqual([0, 0, 0, 0, 0, 0, 10])
  })

  test('less than one a minute is one at first', () => {
    const limiter = new RateLimiter(0.5, () => 0)
    expect([take(limiter), take(limiter)]).toEqual([0, 120])
  })

  test('null is no limit', () => {
    const limiter = new RateLimiter(null, () => 0)
    expect(Array.from({ length: 100 }, () => take(limiter)).every((wait) => wait === 0)).toBe(true)
  })
})

onPostgres((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    // One now, and the next in 100 minutes: no test is that slow.
    app = createTestApp(opened.db, [organization], { limits: { rate: 0.01 } })
  })

  test('429 says when to come again, keeps nothing, and is of one source', async () => {
    const [erp, crm] = [await app.token('erp', 'sender'), await app.token('crm', 'sender')]
    const send = (token: string) => app.call('POST', '/api/integrations/organization/messages', { token, body: [] })
    expect((await send(erp)).status).toBe(202)
    const refused = await send(erp)
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect(await problem(refused, 429, 'too_many_requests')).toMatchObject({ retryAfter: Number(refused.headers.get('Retry-After')) })
    expect((await send(crm)).status).toBe(202)
    expect((await app.call('GET', '/api/messages', { token: erp })).status).toBe(200)
    expect(await app.rows('SELECT source FROM sluice.message ORDER BY id')).toEqual([{ source: 'erp' }, { source: 'crm' }])
  })
})
