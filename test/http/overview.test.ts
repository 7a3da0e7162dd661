/** The overview: what needs a person, and how the work goes. */
import { beforeEach, expect, test } from 'vitest'
import { splitMessage } from '../../src/flow/index.ts'
import { overviewShape } from '../../src/http/contract/overview.ts'
import { onBoth } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'
import { createTestApp, type TestApp } from './support.ts'

onBoth((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization, employee])
  })

  const ofIntegration = async (name: string, token?: string) => {
    const { integrations } = await app.get('/api/overview', overviewShape, token === undefined ? {} : { token })
    return integrations.find((each) => each.name === name)
  }

  test('an inbox that nothing came to', async () => {
    expect(await app.get('/api/overview', overviewShape)).toMatchObject({
      messages: { incorrect: 0, splitFailed: 0 },
      stuck: [],
      minutes: [],
      integrations: [
        { name: 'employee', isPaused: false, lastMessageAt: null, backlog: 0, oldestAt: null, failed: 0 },
        { name: 'organization', backlog: 0 },
      ],
    })
  })

  test('what waits, what went through, what failed, what was refused', async () => {
    await app.send('employee', [
      { ms_id: 'e-1', name: 'Ada', organization_ms_id: 'o-1' },
      { ms_id: 'e-2', name: 'Grace' },
    ])
    expect(await ofIntegration('employee')).toMatchObject({ backlog: 2, failed: 0, oldestAt: expect.any(String) })
    await app.drain()
    await app.send('organization', [{ ms_id: 5 }])
    const overview = await app.get('/api/overview', overviewShape)
    expect(overview.messages).toEqual({ incorrect: 1, splitFailed: 0 })
    expect(overview.minutes).toMatchObject([{ processed: 1, failed: 1 }])
    expect(overview.integrations).toMatchObject([
      { name: 'employee', backlog: 0, oldestAt: null, failed: 1, processedLastHour: 1, failedLastHour: 1 },
      { name: 'organization', backlog: 0, failed: 0, processedLastHour: 0 },
    ])
  })

  test('a chunk whose worker is silent', async () => {
    const { id } = await app.send('organization', [{ ms_id: 'o-1', changed_at: '2026-01-01T00:00:00Z' }])
    await splitMessage(app.services, id)
    await app.claim()
    await app.rows("UPDATE sluice.chunk SET lease_until = now() - interval '1 minute' RETURNING id")
    expect((await app.get('/api/overview', overviewShape)).stuck).toMatchObject([{ message: id, integration: 'organization', error: null }])
  })

  test('an integration that is paused', async () => {
    await app.send('organization', [{ ms_id: 'o-1', changed_at: '2026-01-01T00:00:00Z' }])
    await opened.db.exec('ALTER TABLE public.organization RENAME TO hidden')
    try {
      app.services.forgetTarget('organization')
      await app.drain()
    } finally {
      await opened.db.exec('ALTER TABLE public.hidden RENAME TO organization')
    }
    expect(await ofIntegration('organization')).toMatchObject({ isPaused: true, backlog: 1 })
  })

  test('a token limited to an integration sees that one', async () => {
    const token = await app.token(`viewer ${Math.random()}`, 'viewer', ['employee'])
    await app.send('organization', [{ ms_id: 5 }])
    expect(await ofIntegration('organization', token)).toBeUndefined()
    expect((await app.get('/api/overview', overviewShape, { token })).messages.incorrect).toBe(0)
  })
})
