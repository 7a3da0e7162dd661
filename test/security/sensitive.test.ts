/** Sensitive values stand in no log, no error and no metric, and viewers don't see them; however an object fails. */
import { pino } from 'pino'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineConfig, defineIntegration, type Integration } from '../../src/config.ts'
import { createApp } from '../../src/http/app.ts'
import { receiptShape } from '../../src/http/contract/message.ts'
import { describeError } from '../../src/log.ts'
import { failed } from '../../src/model/outcome.ts'
import { createServices } from '../../src/services.ts'
import { createToken } from '../../src/store/token.ts'
import { drain } from '../../src/testing/drain.ts'
import { adminToken, origin, read, request } from '../http/support.ts'
import { onBoth } from '../support/both.ts'
import { resetCompany } from '../support/company.ts'

/** No other text has these. */
const canary = { text: 'CANARY-in-a-text', long: `CANARY-${'x'.repeat(100)}-long`, number: 770077007 }

const Person = z.object({
  id: z.string(),
  name: z.string().optional(),
  passport: z.string().meta({ sensitive: true }).optional(),
  salary: z.union([z.number(), z.string()]).optional(),
  fate: z.string().optional(),
})

const tables = `
  DROP TABLE IF EXISTS public.person;
  CREATE TABLE public.person (id text PRIMARY KEY, name text NOT NULL, passport text UNIQUE, note varchar(20),
    salary integer CHECK (salary < 1000), late text UNIQUE DEFERRABLE INITIALLY DEFERRED);
  CREATE OR REPLACE FUNCTION public.complain() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.name = 'trigger' THEN RAISE EXCEPTION 'I refuse % of %', NEW.passport, NEW.salary; END IF; RETURN NEW; END $$;
  CREATE TRIGGER complain BEFORE INSERT OR UPDATE ON public.person FOR EACH ROW EXECUTE FUNCTION public.complain();
`

const person: Integration = defineIntegration({
  name: 'person',
  schema: Person,
  key: 'id',
  sensitive: ['salary'],
  target: (t) =>
    t.table('public.person', {
      key: 'id',
      columns: {
        name: 'name',
        passport: 'passport',
        salary: 'salary',
        note: (o) => (o.fate === 'note' ? o.passport : null),
        late: (o) => (o.fate === 'late' ? 'one' : null),
      },
    }),
})

const handled: Integration = defineIntegration({
  name: 'handled',
  schema: Person.refine((o) => o.fate !== 'schema', { error: (issue) => `not ${JSON.stringify(issue.input)}` }),
  key: 'id',
  onInvalid: 'keep-valid',
  sensitive: ['salary'],
  target: (t) =>
    t.handler({
      apply: async (object) => {
        if (object.fate === 'throw') throw new Error(`no luck with ${object.passport} and ${object.salary}`)
        return failed('refused', `refused: ${object.passport}, ${object.salary}`)
      },
    }),
})

onBoth((opened) => {
  let lines: string[]
  let call: (method: string, path: string, options?: Parameters<typeof request>[2]) => Promise<Response>
  let viewer: string
  let work: () => Promise<void>

  beforeEach(async () => {
    const { db } = opened
    await resetCompany(db)
    await db.exec(tables)
    lines = []
    const log = pino({ level: 'trace', serializers: { error: describeError } }, { write: (line: string) => void lines.push(line) })
    const services = createServices(defineConfig({ integrations: [person, handled], token: adminToken, validateWithin: 300 }, {}), db, log)
    const app = createApp(services)
    call = (method, path, options) => app.fetch(request(method, `${origin}${path}`, options))
    viewer = (await createToken(db, { name: `viewer-${crypto.randomUUID()}`, role: 'viewer', integrations: null }, 'test')).token
    work = () => drain(services)
  })

  async function send(integration: string, objects: object[]): Promise<string> {
    return (await read(await call('POST', `/api/integrations/${integration}/messages`, { body: objects }), 202, receiptShape)).id
  }

  function expectNone(text: string, where: string): void {
    const found = [canary.text, canary.long.slice(0, 20), String(canary.number)].filter((value) => text.includes(value))
    expect({ where, found, text: found.length > 0 ? text : '' }).toEqual({ where, found: [], text: '' })
  }

  const secret = { passport: canary.text, salary: 5 }

  async function everything(): Promise<{ person: string; handled: string }> {
    const good = await send('person', [{ id: 'good', name: 'Ann', ...secret }])
    await work()
    await send('person', [{ id: 'good', name: 'Bea', passport: canary.long, salary: 6 }])
    await work()
    const bad = await send('person', [
      { id: 'unique', name: 'x', passport: canary.long },
      { id: 'check', name: 'x', salary: canary.number },
      { id: 'type', name: 'x', salary: canary.text },
      { id: 'length', name: 'x', fate: 'note', passport: canary.long },
      { id: 'null', salary: 7, passport: canary.text },
      { id: 'trigger', name: 'trigger', ...secret, passport: canary.text },
      { id: 'late-1', name: 'x', fate: 'late', passport: `${canary.text}-1` },
      { id: 'late-2', name: 'x', fate: 'late', passport: `${canary.text}-2` },
    ])
    const other = await send('handled', [
      { id: 'throw', fate: 'throw', ...secret },
      { id: 'failed', passport: canary.text, salary: canary.number },
      { id: 'schema', fate: 'schema', passport: canary.text, salary: canary.number },
    ])
    await work()
    expect(good).not.toBe(bad)
    return { person: bad, handled: other }
  }

  test('errors, logs and metrics have none', async () => {
    const ids = await everything()
    const { rows } = await opened.db.query<{ code: string; integration: string }>(
      'SELECT code, integration FROM sluice.failure ORDER BY external_id',
    )
    expect(rows).toHaveLength(10)
    for (const sql of [
      'SELECT error, history, detail FROM sluice.instance',
      'SELECT * FROM sluice.failure',
      'SELECT status_details FROM sluice.message',
      'SELECT last_error FROM sluice.chunk',
      'SELECT result, error FROM sluice.task_run',
      'SELECT * FROM sluice.audit_log',
    ]) {
      expectNone(JSON.stringify((await opened.db.query(sql)).rows), sql)
    }
    expectNone(lines.join(''), 'the log')
    for (const path of ['/metrics', '/api/errors', `/api/messages/${ids.handled}`, '/api/overview']) {
      const text = await (await call('GET', path)).text()
      expect(text).not.toBe('')
      expectNone(text, path)
    }
  })

  test('a refused message tells its sender what is wrong, not what was sent', async () => {
    const strict = { ...handled, name: 'handled', onInvalid: 'refuse' as const }
    const log = pino({ level: 'trace', serializers: { error: describeError } }, { write: (line: string) => void lines.push(line) })
    const app = createApp(
      createServices(defineConfig({ integrations: [strict], token: adminToken, validateWithin: 300 }, {}), opened.db, log),
    )
    const body = [{ id: 'a', fate: 'schema', passport: canary.text }]
    const response = await app.fetch(request('POST', `${origin}/api/integrations/handled/messages`, { body }))
    const text = await response.text()
    expect({ status: response.status, text }).toMatchObject({ status: 422 })
    expect(text).toContain('•••')
    expectNone(text, 'the refusal')
  })

  test('a viewer sees none in anything it may read, and finds none', async () => {
    const ids = await everything()
    const asViewer = (path: string, headers = {}) => call('GET', path, { token: viewer, headers })
    for (const path of [
      '/api/messages',
      `/api/messages/${ids.person}`,
      `/api/messages/${ids.person}/instances`,
      `/api/messages/${ids.person}/instances/`.replace(/\/$/, '?status=-2'),
      '/api/instances',
      '/api/instances?failed=true',
      `/api/instances/${ids.person}.0`,
      `/api/instances/${ids.person}.4`,
      '/api/objects/person/good',
      '/api/objects/person/good/target',
      '/api/errors',
      '/api/overview',
      '/api/integrations/person',
      '/api/tasks',
    ]) {
      const response = await asViewer(path)
      const text = await response.text()
      expect({ path, status: response.status, text }).toMatchObject({ status: 200 })
      expectNone(text, path)
    }
    expectNone(await (await asViewer(`/api/messages/${ids.person}/instances`, { Accept: 'application/x-ndjson' })).text(), 'NDJSON')
    expect((await asViewer(`/api/messages/${ids.person}/body`)).status).toBe(403)
    expect((await asViewer(`/api/messages?from=2020-01-01T00:00:00Z&text=${canary.text}`)).status).toBe(403)
    const body = { from: '2020-01-01T00:00:00Z', text: canary.text }
    expect((await call('POST', '/api/tasks/reprocess/runs', { body })).status).toBe(202)
    expectNone(await (await asViewer('/api/task-runs')).text(), 'what others searched for')
    const masked = await (await asViewer('/api/objects/person/good')).text()
    expect(masked).toContain('•••')
  })

  test('an operator sees the objects', async () => {
    const ids = await everything()
    const operator = (await createToken(opened.db, { name: `op-${crypto.randomUUID()}`, role: 'operator', integrations: null }, 'test'))
      .token
    for (const path of [
      `/api/instances/${ids.person}.4`,
      '/api/objects/person/good',
      '/api/objects/person/good/target',
      `/api/messages/${ids.person}/body`,
    ]) {
      expect(await (await call('GET', path, { token: operator })).text()).toContain('CANARY')
    }
  })
})

describe('a field that can’t be sensitive', () => {
  test.each([
    ['the external ID', { sensitive: ['id'] }],
    ['what it is in', { key: 'a.b', sensitive: ['a'] }],
    ['the version', { version: { field: 'v', type: 'integer' } as const, sensitive: ['v'] }],
  ])('%s', (_, options) => {
    const integration = defineIntegration({
      name: 'x',
      schema: {},
      key: 'id',
      target: (t) => t.handler({ apply: () => 'ignored' }),
      ...options,
    })
    const config = defineConfig({ integrations: [integration] }, {})
    expect(() => createServices(config, {} as never)).toThrow(expect.objectContaining({ code: 'invalid_config' }))
  })
})
