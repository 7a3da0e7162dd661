import { expect, test } from 'vitest'
import { instanceShape } from '../../src/http/contract/instance.ts'
import { messageShape } from '../../src/http/contract/message.ts'
import { runCreatedShape, runPreviewShape } from '../../src/http/contract/task.ts'
import { createTestApp, problem, read } from '../http/support.ts'
import { onBoth } from '../support/both.ts'
import { organization, resetCompany } from '../support/company.ts'

onBoth((opened) => {
  test('what was pruned says so: the message with when, its body and instances with 410', async () => {
    const { db } = opened
    await resetCompany(db)
    const app = createTestApp(db, [organization], { retention: { processed: { body: 10, history: 10, instances: 20, message: 30 } } })
    const { id } = await app.send('organization', [
      { ms_id: 'o-1', title: 'One', changed_at: '2026-05-01' },
      { ms_id: 'o-2', title: 'Two', changed_at: '2026-05-01' },
    ])
    await app.drain()
    const prune = async (days: number): Promise<void> => {
      await app.rows(
        'UPDATE sluice.message SET received_at = now() - make_interval(days => $2), finished_at = now() - make_interval(days => $2) WHERE id = $1',
        [id, days],
      )
      await read(await app.call('POST', '/api/tasks/prune/runs'), 202, runCreatedShape)
      await app.drain()
    }
    const nothing = { bodyPrunedAt: null, historyPrunedAt: null, instancesPrunedAt: null }
    expect(await app.get(`/api/messages/${id}`, messageShape)).toMatchObject(nothing)
    await prune(15)
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/)
    const message = await app.get(`/api/messages/${id}`, messageShape)
    expect(message).toMatchObject({ ...nothing, bodyPrunedAt: time, historyPrunedAt: time, counts: { created: 2 } })
    const refusal = await problem(await app.call('GET', `/api/messages/${id}/body`), 410, 'pruned')
    expect(refusal).toMatchObject({ id, prunedAt: message.bodyPrunedAt, detail: expect.stringContaining('Retention removed the body') })
    expect(await app.get(`/api/instances/${id}.1`, instanceShape)).toMatchObject({ changes: null, history: [], data: { ms_id: 'o-2' } })

    await prune(25)
    expect(await app.get(`/api/messages/${id}`, messageShape)).toMatchObject({ instancesPrunedAt: time, counts: { created: 2 }, total: 2 })
    await problem(await app.call('GET', `/api/messages/${id}/instances`), 410, 'pruned')
    await problem(await app.call('GET', `/api/messages/${id}/instances`, { headers: { Accept: 'application/x-ndjson' } }), 410, 'pruned')
    await problem(await app.call('GET', `/api/instances/${id}.1`), 410, 'pruned')
    await problem(await app.call('GET', `/api/instances/${id}.2`), 404, 'not_found')
    // Whose message it isn't learns nothing.
    const stranger = await app.token('stranger', 'viewer', ['employee'])
    await problem(await app.call('GET', `/api/instances/${id}.1`, { token: stranger }), 403, 'forbidden')

    const preview = await read(await app.call('POST', '/api/tasks/prune/preview', { body: {} }), 200, runPreviewShape)
    expect(preview).toMatchObject({
      unit: 'messages',
      count: 0,
      rules: expect.arrayContaining([expect.objectContaining({ what: 'message', status: 3 })]),
    })
    await prune(35)
    await problem(await app.call('GET', `/api/messages/${id}`), 404, 'not_found')
    expect(await app.rows('SELECT external_id FROM sluice.object ORDER BY 1')).toEqual([{ external_id: 'o-1' }, { external_id: 'o-2' }])
  })

  test('a token for some integrations may not prune; parameters are refused', async () => {
    const { db } = opened
    const app = createTestApp(db, [organization])
    const limited = await app.token('limited', 'operator', ['organization'])
    await problem(await app.call('POST', '/api/tasks/prune/runs', { token: limited }), 403, 'forbidden')
    await problem(
      await app.call('POST', '/api/tasks/prune/runs', { token: limited, body: { integration: 'organization' } }),
      400,
      'invalid_parameters',
    )
    await problem(await app.call('POST', '/api/tasks/prune/preview', { body: { sinceDays: 3 } }), 400, 'invalid_parameters')
  })
})
