/** Integrations that show what the ROR example doesn't: missing references, kept invalid objects, failures, any text at all. */
import { z } from 'zod'
import { defineIntegration, type Integration } from '../../src/config.ts'
import { failed } from '../../src/model/outcome.ts'
import type { Db } from '../../src/store/db.ts'

const position = defineIntegration({
  name: 'position',
  schema: z.object({ ms_id: z.string(), title: z.string() }),
  key: 'ms_id',
  target: (t) => t.table('position', { key: 'ms_id', columns: { title: 'title' } }),
})

const employee = defineIntegration({
  name: 'employee',
  schema: z.object({ ms_id: z.string(), name: z.string(), position_ms_id: z.string() }),
  key: 'ms_id',
  onInvalid: 'keep-valid',
  target: (t) => t.table('employee', { key: 'ms_id', columns: { name: 'name', position_id: t.ref('position', 'position_ms_id') } }),
})

/** Takes everything, and tells what it took as a change. An object with `fail` fails with that text. */
const anything = defineIntegration({
  name: 'anything',
  schema: z.looseObject({ id: z.string() }),
  key: 'id',
  target: (t) =>
    t.handler({
      apply: (object) =>
        Promise.resolve(
          typeof object.fail === 'string'
            ? failed('refused_here', object.fail)
            : { outcome: 'updated', changes: { note: { before: 'nothing', after: object.note ?? null } } },
        ),
    }),
})

export const sampleIntegrations: Integration[] = [position, employee, anything]

export async function createSampleTables(db: Db): Promise<void> {
  await db.exec(`
    CREATE TABLE public.position (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text NOT NULL UNIQUE, title text NOT NULL);
    CREATE TABLE public.employee (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text NOT NULL UNIQUE, name text NOT NULL,
      position_id bigint NOT NULL REFERENCES public.position (id));`)
}
