/** Reads: lists with their filters and pages, single messages, instances and objects. */
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { splitMessage } from '../../src/flow/index.ts'
import { pageShape } from '../../src/http/contract/common.ts'
import {
  errorGroupShape,
  instanceItemShape,
  instanceShape,
  objectHistoryShape,
  targetObjectShape,
} from '../../src/http/contract/instance.ts'
import { integrationShape } from '../../src/http/contract/integration.ts'
import { messageShape } from '../../src/http/contract/message.ts'
import { requeueInstances } from '../../src/store/requeue.ts'
import { onBoth } from '../support/both.ts'
import { employee, organization, resetCompany } from '../support/company.ts'
import { type Became, processMessage, splitMessageOf } from '../support/rows.ts'
import { createTestApp, problem, type TestApp } from './support.ts'

const messagePage = pageShape(messageShape)
const instancePage = pageShape(instanceItemShape)

onBoth((opened) => {
  let app: TestApp
  beforeEach(async () => {
    await resetCompany(opened.db)
    app = createTestApp(opened.db, [organization, employee])
  })

  const organizations = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => ({
      ms_id: `o-${from + index}`,
      title: `Title ${from + index}`,
      changed_at: '2026-01-01T00:00:00Z',
    }))

  /** Puts failed instances back: they wait, in a retry chunk. */
  const again = (id: string, ordinals: readonly number[]) =>
    requeueInstances(
      opened.db,
      ordinals.map((ordinal) => ({ messageId: id, ordinal })),
      { chunkSize: 1000 },
    )

  describe('messages', () => {
    test('come newest first, or oldest first, in pages', async () => {
      const ids: string[] = []
      for (let index = 0; index < 5; index++) ids.push((await app.send('organization', organizations(1, index))).id)
      const items = await app.pages('/api/messages', messagePage, 2)
      expect(items.map(({ id }) => id)).toEqual(ids.toReversed())
      for (const query of ['order=oldest', 'order=oldest&from=2020-01-01T00:00:00Z']) {
        const oldest = await app.pages(`/api/messages?${query}`, messagePage, 2)
        expect({ query, ids: oldest.map(({ id }) => id) }).toEqual({ query, ids })
      }
    })

    test('filters', async () => {
      const refused = await app.send('organization', '[1]')
      const split = await app.send('organization', [
        ...organizations(2),
        { ms_id: 'https://ror.org/04ttjf776', title: '100% Ärzte_\\', changed_at: '2026-01-01T00:00:00Z' },
      ])
      const failed = await app.send('employee', [{ ms_id: 'e-1', name: 'bad' }])
      await app.drain()
      const waiting = await app.send('employee', [{ ms_id: 'e-2', name: 'Ann' }])
      const found = async (query: string) => (await app.pages(`/api/messages?${query}`, messagePage, 1)).map(({ id }) => id)
      expect(await found('integration=employee')).toEqual([waiting.id, failed.id])
      expect(await found('status=-1')).toEqual([refused.id])
      expect(await found('status=3')).toEqual([split.id])
      expect(await found('status=-3&integration=employee')).toEqual([failed.id])
      expect(await found('status=-3&integration=organization')).toEqual([])
      expect(await found('source=test')).toHaveLength(4)
      expect(await found('source=nobody')).toEqual([])
      expect(await found(`externalId=${encodeURIComponent('https://ror.org/04ttjf776')}`)).toEqual([split.id])
      expect(await found('externalId=o-1&integration=organization')).toEqual([split.id])
      expect(await found('externalId=o-1&integration=employee')).toEqual([])
      const { receivedAt } = await app.get(`/api/messages/${failed.id}`, messageShape)
      expect(await found(`from=${receivedAt}`)).toContain(waiting.id)
      expect(await found(`to=${receivedAt}`)).not.toContain(failed.id)
      expect(await found('from=2100-01-01T00:00:00Z')).toEqual([])
      for (const time of ['0000-01-01T00:00:00Z', '2020-01-01T00:00:00+23:00', '2020-01-01T00:00:00-16:00'])
        await problem(await app.call('GET', `/api/messages?from=${encodeURIComponent(time)}`), 400, 'bad_request')
      for (const time of ['0001-01-01T00:00:00+00:00', '2020-01-01T00:00:00-15:59', '2020-01-01T00:00:00.123456Z'])
        expect(await found(`from=${encodeURIComponent(time)}`)).toHaveLength(4)
      expect(await found('from=2020-01-01T00:00:00Z')).toHaveLength(4)
      for (const text of ['Title 1', 'title 1', '100%', '_\\\\"', 'ttjf']) {
        expect({ text, ids: await found(`from=2020-01-01T00:00:00Z&text=${encodeURIComponent(text)}`) }).toEqual({ text, ids: [split.id] })
      }
      expect(await found('from=2020-01-01T00:00:00Z&text=Title_1')).toEqual([])
    })

    test.each([
      ['text=x', 'from'],
      ['status=7', 'status'],
      ['from=yesterday', 'from'],
      ['limit=0', 'limit'],
      ['limit=x', 'limit'],
      ['colour=red', 'colour'],
      ['status=1&status=2', 'status'],
      ['source=%00', 'source'],
      ['__proto__=x', '__proto__'],
    ])('?%s is refused, and says why', async (query, parameter) => {
      const refused = await problem(await app.call('GET', `/api/messages?${query}`), 400, 'bad_request')
      expect(refused.errors).toMatchObject([{ parameter }])
    })

    test.each([
      ['status=9', 'invalid', 'must be one of "0", "1"'],
      ['limit=0', 'invalid', 'must be 1 to'],
      ['from=2026-11-23', 'invalid', 'such as 2026-03-01T12:00:00Z'],
      ['from=2020-01-01T00:00:00Z&text=', 'invalid', 'must not be empty'],
      [`from=2020-01-01T00:00:00Z&text=${'x'.repeat(201)}`, 'invalid', 'at most 200 characters'],
      ['text=x', 'missing', 'is needed'],
    ])('?%s: the code is one of the docs, the words are our own', async (query, code, words) => {
      const refused = await problem(await app.call('GET', `/api/messages?${query}`), 400, 'bad_request')
      expect(refused.errors).toMatchObject([{ code, message: expect.stringContaining(words) }])
    })

    test('one that waits for a paused integration says so', async () => {
      const done = await app.send('organization', organizations(1))
      await app.drain()
      const other = await app.send('employee', [{ ms_id: 'e-1', name: 'Ann' }])
      const waiting = await app.send('organization', organizations(1, 1))
      await opened.db.query(
        `INSERT INTO sluice.paused_integration (integration, reason) VALUES ('organization', '{"message":"no column"}')`,
      )
      const paused = { reason: { message: 'no column' }, since: expect.any(String) }
      expect(await app.get(`/api/messages/${waiting.id}`, messageShape)).toMatchObject({ paused })
      const { items } = await app.get('/api/messages', messagePage)
      expect(items.map(({ id, paused: of }) => [id, of])).toEqual([
        [waiting.id, paused],
        [other.id, null],
        [done.id, null],
      ])
    })

    test.each([
      '/api/messages?integration=nobody',
      '/api/instances?integration=nobody',
      '/api/errors?integration=nobody',
      '/api/objects/nobody/7',
    ])('%s: there is no such integration', async (path) => {
      await problem(await app.call('GET', path), 404, 'unknown_integration')
    })

    test('what an integration left behind that was taken out of the config can be read', async () => {
      const { id } = await app.send('employee', [{ ms_id: 'e-1', name: 'Ann' }])
      await app.drain()
      const without = createTestApp(opened.db, [organization])
      expect((await without.get('/api/messages?integration=employee', messagePage)).items).toMatchObject([{ id }])
      expect(await without.get('/api/objects/employee/e-1', objectHistoryShape)).toMatchObject({ externalId: 'e-1' })
    })

    test.each(['nonsense', Buffer.from('["1","2","3"]').toString('base64url'), Buffer.from('["x",""]').toString('base64url')])(
      'cursor %s is refused',
      async (cursor) => {
        await problem(await app.call('GET', `/api/messages?cursor=${cursor}`), 400, 'invalid_cursor')
      },
    )

    test('one, with its counts', async () => {
      const became: Became[] = [
        'created',
        'updated',
        'unchanged',
        'deleted',
        'superseded',
        'ignored',
        'permanent',
        'transient',
        'permanent',
        'permanent',
      ]
      const id = await splitMessageOf(opened.db, became, { chunkSize: 4, integration: 'organization' })
      await again(id, [8, 9])
      const counts = {
        created: 1,
        updated: 1,
        unchanged: 1,
        deleted: 1,
        superseded: 1,
        ignored: 1,
        processed: 6,
        failed: 2,
        waiting: 2,
        processing: 0,
      }
      const message = await app.get(`/api/messages/${id}`, messageShape)
      expect(message).toMatchObject({ id, status: 2, total: 10, counts, problem: null, finishedAt: null, source: 'test' })
      await app.claim()
      expect((await app.get(`/api/messages/${id}`, messageShape)).counts).toEqual({ ...counts, waiting: 0, processing: 2 })
      expect((await app.get('/api/messages', messagePage)).items[0]?.counts).toEqual({ ...counts, waiting: 0, processing: 2 })
    })

    test('labels in Russian', async () => {
      const { id } = await app.send('organization', organizations(1))
      await app.drain()
      const response = await app.call('GET', `/api/messages/${id}`, { headers: { 'Accept-Language': 'ru-RU,ru;q=0.9' } })
      expect(response.headers.get('Content-Language')).toBe('ru')
      expect(response.headers.get('Vary')).toContain('Accept-Language')
      expect(messageShape.parse(await response.json())).toMatchObject({ status: 3, statusLabel: 'Обработано' })
    })

    test('the exact bytes', async () => {
      const sent = Buffer.from(' [ {"ms_id": "o-1", "title": "\\u00e9 1.0e3"} ]\r\n')
      const { id } = await app.send('organization', sent)
      const response = await app.call('GET', `/api/messages/${id}/body`)
      const hash = createHash('sha256').update(sent).digest()
      expect(Buffer.from(await response.arrayBuffer())).toEqual(sent)
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'application/json',
        'content-length': String(sent.length),
        'content-disposition': `attachment; filename="message-${id}.json"`,
        'x-content-type-options': 'nosniff',
        'repr-digest': `sha-256=:${hash.toString('base64')}:`,
        etag: `"${hash.toString('hex')}"`,
      })
      const known = await app.call('GET', `/api/messages/${id}/body`, { headers: { 'If-None-Match': `"x", W/"${hash.toString('hex')}"` } })
      expect(known.status).toBe(304)
      expect(await known.text()).toBe('')
      expect((await app.call('HEAD', `/api/messages/${id}/body`)).headers.get('Content-Length')).toBe(String(sent.length))
    })

    test('a part of a body, over the edge of what is stored', async () => {
      const sent = Buffer.from(`[${Array.from({ length: 150_000 }, (_, index) => `{"ms_id":"o-${index}"}`).join(',')}]`)
      const { id } = await app.send('organization', sent)
      expect(sent.length).toBeGreaterThan(2 * 1024 * 1024)
      for (const [first, last] of [
        [0, 9],
        [1024 * 1024 - 5, 2 * 1024 * 1024 + 5],
        [sent.length - 3, sent.length - 1],
      ] as const) {
        const response = await app.call('GET', `/api/messages/${id}/body`, { headers: { Range: `bytes=${first}-${last}` } })
        expect(response.status).toBe(206)
        expect(response.headers.get('Content-Range')).toBe(`bytes ${first}-${last}/${sent.length}`)
        expect(response.headers.get('Content-Length')).toBe(String(last - first + 1))
        expect(Buffer.from(await response.arrayBuffer()).equals(sent.subarray(first, last + 1))).toBe(true)
      }
      const whole = await app.call('GET', `/api/messages/${id}/body`, { headers: { Range: `bytes=${sent.length}-` } })
      expect(whole.status).toBe(200)
      await whole.body?.cancel()
    })

    test('bytes that are no JSON', async () => {
      const { id } = await app.send('organization', '<html>')
      const response = await app.call('GET', `/api/messages/${id}/body`)
      expect(response.headers.get('Content-Type')).toBe('application/octet-stream')
      expect(await response.text()).toBe('<html>')
    })

    test('bytes of several parts', async () => {
      const sent = Buffer.from(JSON.stringify(organizations(30_000)))
      expect(sent.length).toBeGreaterThan(2 * 1024 * 1024)
      const { id } = await app.send('organization', sent)
      expect(Buffer.from(await (await app.call('GET', `/api/messages/${id}/body`)).arrayBuffer()).equals(sent)).toBe(true)
    })

    test.each([
      '/api/messages/999',
      '/api/messages/999/body',
      '/api/messages/999/instances',
      '/api/instances/999.0',
      '/api/task-runs/999',
      '/api/objects/organization/nobody',
    ])('%s is not there', async (path) => {
      await problem(await app.call('GET', path), 404, 'not_found')
    })

    test.each([
      '/api/messages/abc',
      '/api/messages/99999999999999999999',
      '/api/instances/1',
      '/api/instances/1.99999999999',
      '/api/instances/9999999999999999999.1',
      '/api/objects/organization/a%00b',
    ])('%s can be no id', async (path) => {
      await problem(await app.call('GET', path), 400, 'bad_request')
    })
  })

  describe('instances of a message', () => {
    // Twelve chunks of two: retry chunks lie across them.
    const became: Became[] = Array.from({ length: 24 }, (_, ordinal) =>
      ordinal % 6 === 0 ? 'permanent' : ordinal % 3 === 0 ? 'updated' : ordinal > 19 ? 'transient' : 'created',
    )
    let id: string
    beforeEach(async () => {
      id = await splitMessageOf(opened.db, became, { chunkSize: 2, integration: 'organization' })
      await again(
        id,
        where((state) => state === 'transient'),
      )
    })
    const ordinals = async (query: string, limit = 3) =>
      (await app.pages(`/api/messages/${id}/instances?${query}`, instancePage, limit)).map(({ ordinal }) => ordinal)
    const where = (test: (state: Became) => boolean) => became.flatMap((state, ordinal) => (test(state) ? [ordinal] : []))

    test('by ordinal, in pages', async () => {
      expect(await ordinals('')).toEqual(became.map((_, ordinal) => ordinal))
      const [first] = (await app.get(`/api/messages/${id}/instances?limit=1`, instancePage)).items
      expect(first).toMatchObject({
        id: `${id}.0`,
        status: -2,
        statusLabel: 'Processing error',
        error: { code: 'broken', class: 'permanent' },
        attempts: 1,
      })
    })

    test.each([1, 2, 5, 1000])('filters, in pages of %d', async (limit) => {
      expect(await ordinals('status=-2', limit)).toEqual(where((state) => state === 'permanent'))
      expect(await ordinals('errorCode=broken', limit)).toEqual(where((state) => state === 'permanent'))
      expect(await ordinals('errorCode=other', limit)).toEqual([])
      expect(await ordinals('outcome=updated', limit)).toEqual(where((state) => state === 'updated'))
      expect(await ordinals('outcome=created&status=2', limit)).toEqual(where((state) => state === 'created'))
      expect(await ordinals('status=2', limit)).toEqual(where((state) => state === 'created' || state === 'updated'))
      expect(await ordinals('status=0', limit)).toEqual(where((state) => state === 'transient'))
      expect(await ordinals('status=1', limit)).toEqual([])
      expect(await ordinals('outcome=created&status=-2', limit)).toEqual([])
      expect(await ordinals('outcome=created&status=0', limit)).toEqual([])
      expect(await ordinals('outcome=deleted', limit)).toEqual([])
    })

    test.each([1, 4, 1000])('filters across retry chunks, in pages of %d', async (limit) => {
      const failed = where((state) => state === 'permanent')
      await again(id, failed)
      expect(await ordinals('status=0', limit)).toEqual(where((state) => state === 'permanent' || state === 'transient'))
      await processMessage(opened.db, id, (ordinal) => (ordinal % 12 === 0 ? 'updated' : 'deleted'), { integration: 'organization' })
      expect(await ordinals('outcome=updated', limit)).toEqual(
        where((state) => state === 'updated')
          .concat(failed.filter((o) => o % 12 === 0))
          .sort((a, b) => a - b),
      )
      expect(await ordinals('outcome=deleted', limit)).toEqual(
        where((state) => state === 'permanent' || state === 'transient').filter((ordinal) => ordinal % 12 !== 0),
      )
    })

    test('more chunks begin at one place than a window holds', async () => {
      const failed = where((state) => state === 'permanent')
      for (let round = 0; round < 40; round++) {
        await again(id, failed.slice(0, 2))
        await processMessage(opened.db, id, () => 'permanent', { integration: 'organization' })
      }
      expect(await ordinals('status=2', 4)).toEqual(where((state) => state === 'created' || state === 'updated'))
    })

    test('waiting since the split', async () => {
      const { id: message } = await app.send('organization', organizations(3))
      await splitMessage(app.services, message)
      const { items } = await app.get(`/api/messages/${message}/instances?status=0`, instancePage)
      expect(items).toMatchObject([{ ordinal: 0, status: 0, attempts: 0, finishedAt: null }, { ordinal: 1 }, { ordinal: 2 }])
    })

    test('being processed', async () => {
      await app.claim()
      const { items } = await app.get(`/api/messages/${id}/instances?status=1`, instancePage, { headers: { 'Accept-Language': 'ru' } })
      expect(items.length).toBeGreaterThan(0)
      for (const item of items) expect(item).toMatchObject({ status: 1, statusLabel: 'В процессе обработки', outcome: null })
    })

    test.each([
      ['', became.length],
      ['?status=-2', where((state) => state === 'permanent').length],
      ['?limit=5&status=2', where((state) => state === 'created' || state === 'updated').length],
    ])('as NDJSON, all of them: %s', async (query, count) => {
      const response = await app.call('GET', `/api/messages/${id}/instances${query}`, { headers: { Accept: 'application/x-ndjson' } })
      expect(response.headers.get('Content-Type')).toMatch(/^application\/x-ndjson/)
      const text = await response.text()
      expect(text.endsWith('\n')).toBe(true)
      const items = text
        .trimEnd()
        .split('\n')
        .map((line) => instanceItemShape.parse(JSON.parse(line)))
      expect(items).toHaveLength(count)
      expect(new Set(items.map((item) => item.id)).size).toBe(count)
    })

    test('a client that stops reading NDJSON stops the reading', async () => {
      const response = await app.call('GET', `/api/messages/${id}/instances?limit=1`, { headers: { Accept: 'application/x-ndjson' } })
      const reader = (response.body as ReadableStream<Uint8Array>).getReader()
      await reader.read()
      await reader.cancel()
      expect((await reader.read()).done).toBe(true)
    })
  })

  describe('one instance', () => {
    test('its data is the text that was sent', async () => {
      const text = '{"ms_id":"o-1", "title":"\\u0041\\/",\n "changed_at":"2026-01-01T00:00:00Z","amount":123456789012345678901234567890.10}'
      const { id } = await app.send('organization', `[ ${text} ]`)
      await app.drain()
      const response = await app.call('GET', `/api/instances/${id}.0`)
      const body = await response.text()
      expect(body).toContain(`"data":${text},`)
      expect(instanceShape.parse(JSON.parse(body))).toMatchObject({
        id: `${id}.0`,
        message: id,
        externalId: 'o-1',
        status: 2,
        outcome: 'created',
        history: [],
        waitsFor: [],
      })
    })

    test('what it waits for', async () => {
      const { id } = await app.send('employee', [{ ms_id: 'e-1', name: 'Ann', organization_ms_id: 'o-9' }])
      await app.drain()
      const instance = await app.get(`/api/instances/${id}.0`, instanceShape)
      expect(instance).toMatchObject({ status: -2, error: { class: 'missing_reference' } })
      expect(instance.waitsFor).toEqual([{ wanted: 'organization', externalId: 'o-9', field: expect.any(String), cameAt: null }])
    })

    test('its earlier attempts', async () => {
      const id = await splitMessageOf(opened.db, ['permanent'], { integration: 'organization' })
      await again(id, [0])
      await processMessage(opened.db, id, () => 'created', { integration: 'organization' })
      const instance = await app.get(`/api/instances/${id}.0`, instanceShape)
      expect(instance).toMatchObject({ outcome: 'created', history: [{ error: { code: 'broken' } }] })
    })
  })

  describe('instances of all messages', () => {
    test('newest first, with filters, in pages', async () => {
      const first = await splitMessageOf(opened.db, ['created', 'permanent', 'created'], { integration: 'organization', errorCode: 'a' })
      const second = await splitMessageOf(opened.db, ['permanent', 'created'], { integration: 'organization', errorCode: 'b' })
      const third = await splitMessageOf(opened.db, ['permanent'], { integration: 'employee', errorCode: 'a' })
      const found = async (query: string, limit = 2) =>
        (await app.pages(`/api/instances?${query}`, instancePage, limit)).map((item) => item.id)
      for (const limit of [1, 2, 10]) {
        expect(await found('', limit)).toEqual([`${third}.0`, `${second}.1`, `${second}.0`, `${first}.2`, `${first}.1`, `${first}.0`])
        expect(await found('integration=organization', limit)).toEqual([
          `${second}.1`,
          `${second}.0`,
          `${first}.2`,
          `${first}.1`,
          `${first}.0`,
        ])
        expect(await found('failed=true', limit)).toEqual([`${third}.0`, `${second}.0`, `${first}.1`])
        expect(await found('errorCode=a', limit)).toEqual([`${third}.0`, `${first}.1`])
        expect(await found('errorCode=a&integration=organization', limit)).toEqual([`${first}.1`])
        expect(await found('integration=organization&externalId=1', limit)).toEqual([`${second}.1`, `${first}.1`])
        expect(await found('integration=organization&externalId=1&failed=true', limit)).toEqual([`${first}.1`])
        expect(await found('integration=organization&externalId=0&errorCode=b', limit)).toEqual([`${second}.0`])
      }
      await problem(await app.call('GET', '/api/instances?externalId=1'), 400, 'bad_request')
    })
  })

  describe('objects', () => {
    test.each(['https://ror.org/04ttjf776', 'a/b?c#d%2F&é', '100%', '%2F', 'plain', ' '])(
      'an external ID such as "%s"',
      async (externalId) => {
        const { id } = await app.send('organization', [{ ms_id: externalId, title: 'One', changed_at: '2026-01-01T00:00:00Z' }])
        await app.drain()
        const history = await app.get(`/api/objects/organization/${encodeURIComponent(externalId)}`, objectHistoryShape)
        expect(history).toMatchObject({ externalId, ledger: { appliedBy: `${id}.0`, deleted: false, firstMessage: id }, deferredLinks: [] })
        expect(history.items).toMatchObject([{ id: `${id}.0`, externalId }])
      },
    )

    test('what stands in the target now: the columns that the mapping writes, with every digit, and no others', async () => {
      await opened.db.exec('ALTER TABLE public.organization ADD COLUMN secret text')
      try {
        await app.send('organization', [{ ms_id: 'o/1', title: 'One', changed_at: '2026-01-01T00:00:00Z' }])
        await app.drain()
        await opened.db.query("UPDATE public.organization SET title = 'by hand', secret = 'hidden'")
        const path = `/api/objects/organization/${encodeURIComponent('o/1')}/target`
        const shown = await app.get(path, targetObjectShape)
        expect(shown).toMatchObject({
          kind: 'table',
          where: 'public.organization',
          ref: expect.stringMatching(/^\d+$/),
          row: { ms_id: 'o/1', title: 'by hand' },
        })
        expect(shown.row).not.toHaveProperty('secret')
        expect(await app.get('/api/objects/organization/nobody/target', targetObjectShape)).toEqual({
          kind: 'table',
          where: null,
          ref: null,
          row: null,
        })
        expect((await app.call('GET', '/api/objects/nothing/1/target')).status).toBe(404)
      } finally {
        await opened.db.exec('ALTER TABLE public.organization DROP COLUMN secret')
      }
    })

    test('every instance that touched it, newest first, with the changes', async () => {
      const sent: string[] = []
      for (const [index, title] of ['One', 'Two', 'Three'].entries()) {
        sent.push((await app.send('organization', [{ ms_id: 'o-1', title, changed_at: `2026-01-0${index + 1}T00:00:00Z` }])).id)
        await app.drain()
      }
      const late = await app.send('organization', [{ ms_id: 'o-1', title: 'Late', changed_at: '2025-01-01T00:00:00Z' }])
      await app.drain()
      const items = await app.pages('/api/objects/organization/o-1', objectHistoryShape, 1)
      expect(items.map((item) => item.id)).toEqual([late.id, ...sent.toReversed()].map((id) => `${id}.0`))
      expect(items).toMatchObject([
        { outcome: 'superseded' },
        { outcome: 'updated', changes: { title: { before: 'Two', after: 'Three' } } },
        { outcome: 'updated', changes: { title: { before: 'One', after: 'Two' } } },
        { outcome: 'created' },
      ])
      const { ledger } = await app.get('/api/objects/organization/o-1', objectHistoryShape)
      expect(ledger).toMatchObject({ version: expect.any(String), appliedBy: `${sent[2]}.0`, firstMessage: sent[0] })
    })

    test('another external ID of the same hash is another object', async () => {
      const { rows } = await opened.db.query<{ one: string; other: string }>(
        `SELECT min(id) AS one, max(id) AS other FROM (SELECT 'o-' || g AS id FROM generate_series(1, 300000) g) AS ids
         GROUP BY hashtext(id) HAVING count(*) = 2 ORDER BY 1 LIMIT 1`,
      )
      const { one, other } = rows[0] ?? { one: '', other: '' }
      const sent = new Map<string, string>()
      for (const ms_id of [one, other]) {
        sent.set(ms_id, (await app.send('organization', [{ ms_id, title: ms_id, changed_at: '2026-01-01T00:00:00Z' }])).id)
        await app.drain()
      }
      for (const [externalId, id] of sent) {
        const instances = await app.pages(`/api/instances?integration=organization&externalId=${externalId}`, instancePage, 1)
        expect(instances.map((item) => item.id)).toEqual([`${id}.0`])
        const messages = await app.pages(`/api/messages?externalId=${externalId}`, messagePage, 1)
        expect(messages.map((item) => item.id)).toEqual([id])
      }
    })
  })

  test('failures, grouped by cause, in pages', async () => {
    const first = await splitMessageOf(opened.db, ['permanent', 'permanent', 'created'], { integration: 'organization', errorCode: 'a' })
    const second = await splitMessageOf(opened.db, ['permanent'], { integration: 'organization', errorCode: 'a' })
    const third = await splitMessageOf(opened.db, ['transient'], { integration: 'employee', errorCode: 'b' })
    for (const limit of [1, 10]) {
      const groups = await app.pages('/api/errors', pageShape(errorGroupShape), limit)
      expect(groups).toMatchObject([
        { integration: 'employee', code: 'b', class: 'transient', count: 1, example: { id: `${third}.0` } },
        {
          integration: 'organization',
          code: 'a',
          class: 'permanent',
          count: 3,
          example: { id: `${second}.0`, externalId: '0', message: 'it is permanent' },
        },
      ])
      expect(new Date(groups[1]?.firstAt ?? '').getTime()).toBeLessThanOrEqual(new Date(groups[1]?.lastAt ?? '').getTime())
    }
    expect(await app.pages('/api/errors?integration=organization&errorCode=b', pageShape(errorGroupShape), 5)).toEqual([])
    expect(first).not.toBe(second)
    await splitMessageOf(opened.db, ['permanent'], { integration: 'organization', errorCode: 'b' })
    const codes = async (query: string) =>
      (await app.pages(`/api/errors${query}`, pageShape(errorGroupShape), 1)).map(({ integration, code }) => `${integration} ${code}`)
    expect(await codes('?integration=organization')).toEqual(['organization a', 'organization b'])
    expect(await codes('?errorCode=b')).toEqual(['employee b', 'organization b'])
    expect(await codes('?integration=organization&errorCode=a')).toEqual(['organization a'])
  })

  describe('integrations', () => {
    test('what is configured', async () => {
      const items = await app.pages('/api/integrations', pageShape(integrationShape), 1)
      expect(items.map(({ name }) => name)).toEqual(['employee', 'organization'])
      const one = await app.get('/api/integrations/organization', integrationShape)
      expect(one).toMatchObject({
        key: 'ms_id',
        version: { field: 'changed_at', type: 'timestamp' },
        deletes: true,
        onInvalid: 'refuse',
        endpoint: 'organization/messages',
        paused: null,
      })
      expect(one.schema).toMatchObject({ type: 'object', properties: { ms_id: { type: 'string' } } })
      expect(one.target).toMatchObject({ kind: 'table' })
      expect(one.limits).toMatchObject({ body: 64 * 1024 * 1024, depth: 64 })
      await problem(await app.call('GET', '/api/integrations/nobody'), 404, 'unknown_integration')
    })

    test('one that is paused goes on by a click', async () => {
      const { id } = await app.send('organization', organizations(1))
      await opened.db.query('ALTER TABLE public.organization RENAME COLUMN title TO caption')
      await app.drain()
      expect((await app.get('/api/integrations/organization', integrationShape)).paused).toMatchObject({ reason: expect.anything() })
      await opened.db.query('ALTER TABLE public.organization RENAME COLUMN caption TO title')
      const resume = async (name: string) => app.call('POST', `/api/integrations/${name}/resume`)
      expect(await (await resume('organization')).json()).toEqual({ name: 'organization', resumed: true })
      expect(await (await resume('organization')).json()).toEqual({ name: 'organization', resumed: false })
      await problem(await resume('nobody'), 404, 'unknown_integration')
      await app.drain()
      expect(await app.status(id)).toBe(3)
      expect(await app.rows("SELECT actor, subject FROM sluice.audit_log WHERE action = 'integration.resume'")).toContainEqual({
        actor: 'admin',
        subject: 'organization',
      })
    })
  })
})
