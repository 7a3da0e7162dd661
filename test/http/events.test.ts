/** Server-sent events: something may be new. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import { onBoth } from '../support/both.ts'
import { organization, resetCompany } from '../support/company.ts'
import { createTestApp, origin, problem, request, type TestApp } from './support.ts'

onBoth((opened) => {
  let app: TestApp
  let own: ReturnType<typeof createApp>
  beforeEach(async () => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization])
    own = createApp(app.services)
  })
  afterEach(() => own.endStreams())

  const open = async () => {
    const response = await own.fetch(request('GET', `${origin}/api/events`))
    expect(response.headers.get('Content-Type')).toBe('text/event-stream')
    const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
    return { next: async () => (await reader.read()).value, cancel: () => reader.cancel() }
  }

  test('whoever listens is told of what is written', async () => {
    const [one, two] = [await open(), await open()]
    expect(await one.next()).toBe('retry: 1000\n\n')
    expect(await two.next()).toBe('retry: 1000\n\n')
    const told = Promise.all([one.next(), two.next()])
    let isTold = false
    void told.then(() => {
      isTold = true
    })
    // The first look only takes note of how it was, so that it may be the second message that is told.
    await expect
      .poll(
        async () => {
          await app.send('organization', [{ ms_id: 'o-1', changed_at: '2026-01-01T00:00:00Z' }])
          return isTold
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBe(true)
    expect(await told).toEqual(['event: changed\ndata: {}\n\n', 'event: changed\ndata: {}\n\n'])
    await Promise.all([one.cancel(), two.cancel()])
  })

  test('a server that closes ends them', async () => {
    const { next } = await open()
    await next()
    own.endStreams()
    expect(await next()).toBeUndefined()
  })

  test('it takes a token', async () => {
    await problem(await own.fetch(request('GET', `${origin}/api/events`, { token: null })), 401, 'unauthorized')
  })
})
