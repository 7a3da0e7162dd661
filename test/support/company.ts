/** A small company: organisations and employees, as integrations over tables of their own. */
import { z } from 'zod'
import { defineIntegration, type Integration } from '../../src/config.ts'
import type { Db } from '../../src/store/db.ts'

const Organization = z.object({
  ms_id: z.string(),
  title: z.string().optional(),
  phone: z.string().nullable().optional(),
  changed_at: z.string().optional(),
  deleted: z.boolean().optional(),
})

const Employee = z.object({
  ms_id: z.string(),
  name: z.string(),
  organization_ms_id: z.string().nullable().optional(),
  age: z.unknown().optional(),
})

/** Tables; unqualified names would fail in a test database. `writes` counts what reached a row. */
const tables = `
  CREATE TABLE public.organization (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text NOT NULL UNIQUE, title text, phone text,
    deleted boolean NOT NULL DEFAULT false, writes integer NOT NULL DEFAULT 0);
  CREATE TABLE public.employee (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text NOT NULL UNIQUE, name text NOT NULL CHECK (name <> 'bad'),
    organization_id bigint REFERENCES public.organization (id), age integer, writes integer NOT NULL DEFAULT 0);
  CREATE FUNCTION public.count_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.writes := coalesce(OLD.writes, 0) + 1; RETURN NEW; END $$;
  CREATE TRIGGER count_write BEFORE INSERT OR UPDATE ON public.organization FOR EACH ROW EXECUTE FUNCTION public.count_write();
  CREATE TRIGGER count_write BEFORE INSERT OR UPDATE ON public.employee FOR EACH ROW EXECUTE FUNCTION public.count_write();
`

/** Makes the tables, or empties them and everything of Sluice's. */
export async function resetCompany(db: Db): Promise<void> {
  await db.exec(`
    DROP TABLE IF EXISTS public.employee, public.organization; DROP FUNCTION IF EXISTS public.count_write;
    TRUNCATE sluice.message, sluice.message_body, sluice.chunk, sluice.paused_integration, sluice.instance, sluice.failure,
      sluice.awaited_reference, sluice.object, sluice.deferred_link, sluice.task_run, sluice.schedule;
    ${tables}
  `)
}

/** Organisations with a declared version, partial objects and soft deletion. */
export const organization: Integration = defineIntegration({
  name: 'organization',
  schema: Organization,
  key: 'ms_id',
  version: { field: 'changed_at', type: 'timestamp' },
  deleted: (o) => o.deleted === true,
  target: (t) => t.table('public.organization', { key: 'ms_id', columns: { title: 'title', phone: 'phone' }, onDelete: { deleted: true } }),
})

/** Employees that wait for their organisation, in order of arrival. */
export const employee: Integration = employeeWith('wait')

/** Employees whose organisation is waited for, or filled in later. */
export function employeeWith(missing: 'wait' | 'defer'): Integration {
  return defineIntegration({
    name: 'employee',
    schema: Employee,
    key: 'ms_id',
    target: (t) =>
      t.table('public.employee', {
        key: 'ms_id',
        columns: { name: 'name', organization_id: t.ref('organization', 'organization_ms_id', { missing }), age: 'age' },
      }),
  })
}
