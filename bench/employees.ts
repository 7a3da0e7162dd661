/** The objects of the benchmarks: employees of about 200 bytes, each with one reference to one of 1,000 organisations. */

export const organizationCount = 1000

/** One employee. `revision` changes every field that isn't a key or a reference. */
export function employee(index: number, revision = 0): Record<string, unknown> {
  return {
    ms_id: `E-${String(index).padStart(7, '0')}`,
    name: `Employee ${index} ${'abcdefghij'.repeat(2)}${revision}`,
    position: `Position ${index % 200}`,
    date_joined: `20${String(10 + (index % 15)).padStart(2, '0')}-${String(1 + (index % 12)).padStart(2, '0')}-${String(1 + (index % 28)).padStart(2, '0')}`,
    joined_by: `user${(index + revision) % 50}@example.org`,
    organization_ms_id: `O-${index % organizationCount}`,
    deleted_at: null,
  }
}

/** The employees as one JSON array. */
export function employeesJson(count: number, revision = 0): string {
  const parts: string[] = []
  for (let index = 0; index < count; index++) parts.push(JSON.stringify(employee(index, revision)))
  return `[${parts.join(',')}]`
}

/** The organisations that employees refer to, as one JSON array. */
export function organizationsJson(): string {
  return JSON.stringify(Array.from({ length: organizationCount }, (_, index) => ({ ms_id: `O-${index}`, title: `Organisation ${index}` })))
}

/** The target's tables, the same for Sluice and for every peer: one unique index on the key, one foreign key. */
export const tablesSql = `
  CREATE TABLE public.organization (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ms_id text NOT NULL UNIQUE, title text NOT NULL);
  CREATE TABLE public.employee (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ms_id text NOT NULL UNIQUE,
    name text NOT NULL,
    position text,
    date_joined date,
    joined_by text,
    organization_id bigint NOT NULL REFERENCES public.organization (id),
    deleted_at timestamptz
  );
`
