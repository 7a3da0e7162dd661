/** The audit log is only ever added to, and says who read a body. */
import { beforeEach, expect, test } from 'vitest'
import { receiptShape } from '../../src/http/contract/message.ts'
import { writeAudit } from '../../src/store/audit.ts'
import { pruneLog } from '../../src/store/prune.ts'
import { createTestApp, read, type TestApp } from '../http/support.ts'
import { onBoth } from '../support/both.ts'
import { organization, resetCompany } from '../support/company.ts'

onBoth((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization])
  })

  test('an entry can be neither changed nor removed, but by pruning', async () => {
    await writeAudit(opened.db, { actor: 'ann', action: 'token.create', subject: '1' })
    const refused = { sqlstate: '23514', message: expect.stringContaining('only ever added to') }
    await expect(opened.db.query("UPDATE sluice.audit_log SET actor = 'bob'")).rejects.toMatchObject(refused)
    await expect(opened.db.query('DELETE FROM sluice.audit_log')).rejects.toMatchObject(refused)
    // Negative: what is written now is old enough.
    expect(await pruneLog(opened.db, { what: 'audit', days: -1 }, '0')).toMatchObject({ rows: 1 })
    // What pruning said holds for its own transaction.
    await writeAudit(opened.db, { actor: 'ann', action: 'token.create', subject: '2' })
    await expect(opened.db.query('DELETE FROM sluice.audit_log')).rejects.toMatchObject(refused)
  })

  test('an entry goes with the deed that failed', async () => {
    await app.token('erp', 'sender')
    await expect(app.token('erp', 'sender')).rejects.toMatchObject({ code: 'token_name_taken' })
    expect(await app.rows("SELECT subject FROM sluice.audit_log WHERE action = 'token.create'")).toHaveLength(1)
  })

  test('who read a body, whole or in part, is known; who was refused it read nothing', async () => {
    const { id } = await read(await app.call('POST', '/api/integrations/organization/messages', { body: [] }), 202, receiptShape)
    const ann = await app.token('ann', 'viewer')
    const path = `/api/messages/${id}/body`
    await (await app.call('GET', path, { token: ann })).arrayBuffer()
    await (await app.call('GET', path, { token: ann, headers: { Range: 'bytes=1-1' } })).arrayBuffer()
    expect((await app.call('GET', path, { token: await app.token('bob', 'sender') })).status).toBe(403)
    expect(
      await app.rows(
        "SELECT actor, subject, details ->> 'first' AS first FROM sluice.audit_log WHERE action = 'message.read_body' ORDER BY id",
      ),
    ).toEqual([
      { actor: 'ann', subject: id, first: null },
      { actor: 'ann', subject: id, first: '1' },
    ])
  })
})
