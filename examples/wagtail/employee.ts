/** Employees: an ordinary table whose rows refer to the pages of organizations. */
import { z } from 'zod'
import { defineIntegration } from '../../src/index.ts' // in your project: from 'sluice'
import type { Organization } from './organization.ts'

/** An employee as the master system sends it. */
export const Employee = z.object({
  ms_id: z.string(),
  name: z.string().min(1),
  position: z.string(),
  organization_ms_id: z.string(),
})

/** In your project a migration of your own makes the table. */
export const employeeTable = `CREATE TABLE public.employee (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ms_id text NOT NULL UNIQUE,
  name text NOT NULL,
  position text NOT NULL,
  organization_page integer NOT NULL
)`

export const employee = defineIntegration({
  name: 'employee',
  schema: Employee,
  key: 'ms_id',
  target: (t) =>
    t.table('employee', {
      key: 'ms_id',
      columns: {
        name: 'name',
        position: 'position',
        organization_page: t.ref('organization', 'organization_ms_id'), // the id of its page; waited for
      },
    }),
})

/** One for each organization. */
export function employeesOf(organizations: readonly Organization[]): z.infer<typeof Employee>[] {
  return organizations.map(({ ms_id }, index) => ({
    ms_id: `E${index}`,
    name: `Employee ${index}`,
    position: index % 2 === 0 ? 'Nurse' : 'Doctor',
    organization_ms_id: ms_id,
  }))
}
