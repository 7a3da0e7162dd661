import { describe, expect, test } from 'vitest'
import { defineConfig, defineIntegration } from '../../src/config.ts'
import { createServices } from '../../src/services.ts'
import { claimChunks, pauseIntegration } from '../../src/store/chunk.ts'
import { insertAwaited } from '../../src/store/links.ts'
import { onBoth } from '../support/both.ts'
import { chunksOf, instancesOf, splitMessageOf } from '../support/rows.ts'
import { clock, createThings, runNow, type Thing, work } from './support.ts'

describe('process', () => {
  onBoth((opened) => {
    const waitingChunks = async () =>
      (await opened.db.query<{ id: string }>(`SELECT id FROM sluice.chunk WHERE state = 'ready' AND due_at > now()`)).rows.length

    test('a click makes chunks due that wait for a later attempt; the clock leaves them their time', async () => {
      const { db } = opened
      const services = createThings(db)
      const chosen = await splitMessageOf(db, ['waiting', 'waiting'], { chunkSize: 1, rollUp: false })
      const other = await splitMessageOf(db, ['waiting'], { rollUp: false })
      expect((await runNow(services, 'process', {}, clock())).result).toEqual({ reclaimed: 0, instances: 0, links: 0 })
      expect(await waitingChunks()).toBe(3)
      expect((await runNow(services, 'process', { messages: [chosen] })).result).toEqual({
        chunks: 2,
        reclaimed: 0,
        instances: 0,
        links: 0,
      })
      expect(await waitingChunks()).toBe(1)
      await work(services)
      expect((await instancesOf(db, chosen)).map((instance) => instance.status)).toEqual([2, 2])
      expect((await instancesOf(db, other)).map((instance) => instance.status)).toEqual([0])
    })

    test('chunks of lost workers are taken back', async () => {
      const { db } = opened
      const id = await splitMessageOf(db, ['waiting'], { rollUp: false })
      await db.query('UPDATE sluice.chunk SET due_at = now()')
      await claimChunks(db, { integrations: ['thing'], worker: 'lost', leaseSeconds: 0, size: 1000 })
      await db.query(`UPDATE sluice.chunk SET lease_until = now() - interval '1 second'`)
      expect((await runNow(createThings(db), 'process', {}, clock())).result).toMatchObject({ reclaimed: 1 })
      expect(await chunksOf(db, id)).toMatchObject([{ state: 'ready' }])
    })

    test('a click that names a paused integration resumes it', async () => {
      const { db } = opened
      const services = createThings(db)
      const id = await splitMessageOf(db, ['waiting'], { rollUp: false })
      await pauseIntegration(db, 'thing', { code: '42703', message: 'column "name" does not exist' })
      expect((await runNow(services, 'process', { messages: [id] })).result).toMatchObject({ chunks: 1 })
      await work(services)
      expect((await instancesOf(db, id))[0]?.status).toBe(0)
      expect((await runNow(services, 'process', { integration: 'thing' })).result).toMatchObject({ resumed: 1 })
      await work(services)
      expect((await instancesOf(db, id))[0]?.status).toBe(2)
      const audit = await db.query("SELECT actor, action, subject FROM sluice.audit_log WHERE action = 'integration.resume'")
      expect(audit.rows).toEqual([{ actor: 'anna', action: 'integration.resume', subject: 'thing' }])
    })

    test('what a crash left waiting for an object that has come goes on', async () => {
      const { db } = opened
      await db.exec(`DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app;
        CREATE TABLE app.area (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE NOT NULL);
        CREATE TABLE app.thing (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text UNIQUE NOT NULL, area_id bigint)`)
      const schema = { type: 'object', required: ['id'] }
      const area = defineIntegration<Thing>({
        name: 'area',
        schema,
        key: 'id',
        target: (t) => t.table('app.area', { key: 'ms_id', columns: {} }),
      })
      const thing = defineIntegration<Thing & { area?: string }>({
        name: 'thing',
        schema,
        key: 'id',
        target: (t) => t.table('app.thing', { key: 'ms_id', columns: { area_id: t.ref('area', 'area') } }),
      })
      const services = createServices(defineConfig({ integrations: [area, thing], logLevel: 'silent' }, {}), db)
      const id = await splitMessageOf(db, ['missing_reference', 'missing_reference'], { errorCode: 'missing_reference' })
      await db.transaction((tx) =>
        insertAwaited(tx, [
          { messageId: id, ordinal: 0, wanted: 'area', wantedId: '7', field: 'area_id' },
          { messageId: id, ordinal: 1, wanted: 'area', wantedId: '8', field: 'area_id' },
        ]),
      )
      await db.query(
        `INSERT INTO sluice.object (integration, external_id, message_id, ordinal, target_ref) VALUES ('area', '7', 1, 0, '1')`,
      )
      const run = await runNow(services, 'process', {}, clock())
      expect(run.result).toEqual({ reclaimed: 0, instances: 1, links: 0 })
      expect((await instancesOf(db, id)).map((instance) => instance.status)).toEqual([0, -2])
    })
  })
})
