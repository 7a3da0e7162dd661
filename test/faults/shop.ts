/** A shop for the tests of faults: items that come in versions and in parts, and labels that wait for their item. Every write to a row is counted. */
import { z } from 'zod'
import { type Config, defineConfig, defineIntegration, type Integration } from '../../src/config.ts'
import type { Db } from '../../src/store/db.ts'

/** `v` is the version; an object without `a` or `b` leaves that column as it is. */
export interface Item {
  id: string
  v: number
  a?: string
  b?: string
}

const Item = z.object({ id: z.string(), v: z.int(), a: z.string().optional(), b: z.string().optional() })
const Label = z.object({ id: z.string(), v: z.int(), item: z.string() })

const item = defineIntegration({
  name: 'item',
  schema: Item,
  key: 'id',
  version: { field: 'v', type: 'integer' },
  target: (t) => t.table('public.item', { key: 'ms_id', columns: { a: 'a', b: 'b' } }),
})

const label = defineIntegration({
  name: 'label',
  schema: Label,
  key: 'id',
  version: { field: 'v', type: 'integer' },
  target: (t) => t.table('public.label', { key: 'ms_id', columns: { item_id: t.ref('item', 'item') } }),
})

const tables = `
  CREATE TABLE public.item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text NOT NULL UNIQUE, a text, b text,
    writes integer NOT NULL DEFAULT 0, CONSTRAINT not_bad CHECK (a <> 'bad'));
  CREATE TABLE public.label (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text NOT NULL UNIQUE,
    item_id bigint NOT NULL REFERENCES public.item (id), writes integer NOT NULL DEFAULT 0);
  CREATE FUNCTION public.count_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.writes := coalesce(OLD.writes, 0) + 1; RETURN NEW; END $$;
  CREATE TRIGGER count_write BEFORE INSERT OR UPDATE ON public.item FOR EACH ROW EXECUTE FUNCTION public.count_write();
  CREATE TRIGGER count_write BEFORE INSERT OR UPDATE ON public.label FOR EACH ROW EXECUTE FUNCTION public.count_write();
`

/** Makes the shop's tables. */
export async function createShop(db: Db): Promise<void> {
  await db.exec(tables)
}

/** Whether the table refuses items that are bad, as it does at first. */
export async function refuseBad(db: Db, isRefused: boolean): Promise<void> {
  const check = isRefused ? "(a <> 'bad') NOT VALID" : '(true)'
  await db.exec(`ALTER TABLE public.item DROP CONSTRAINT not_bad; ALTER TABLE public.item ADD CONSTRAINT not_bad CHECK ${check}`)
}

/** The longest that a claim of the shop's workers holds, in seconds. */
export const lease = 2

/** Chunks are small, looks at the queue are many, and the clock's tasks come only when a test asks for them. */
export function shopConfig(extra: Integration[] = []): Config {
  return defineConfig(
    {
      integrations: [item, label, ...extra],
      chunkSize: 20,
      validateWithin: 300,
      worker: { lease, poll: 0.05, notify: process.env.SLUICE_TEST_NOTIFY !== 'off' },
      logLevel: 'silent',
    },
    {},
  )
}
