/** The integrations of the benchmarks, as a user would write them. */
import { z } from 'zod'
import { defineConfig, defineIntegration } from '../src/index.ts'

const organization = defineIntegration({
  name: 'organization',
  schema: z.object({ ms_id: z.string(), title: z.string() }),
  key: 'ms_id',
  target: (t) => t.table('organization', { key: 'ms_id', columns: { title: 'title' } }),
})

export const Employee = z.object({
  ms_id: z.string(),
  name: z.string(),
  position: z.string().nullable(),
  date_joined: z.iso.date().nullable(),
  joined_by: z.string().nullable(),
  organization_ms_id: z.string(),
  deleted_at: z.string().nullable(),
})

const employee = defineIntegration({
  name: 'employee',
  schema: Employee,
  key: 'ms_id',
  deleted: (o) => o.deleted_at !== null && o.deleted_at !== undefined,
  target: (t) =>
    t.table('employee', {
      key: 'ms_id',
      columns: {
        name: 'name',
        position: 'position',
        date_joined: 'date_joined',
        joined_by: 'joined_by',
        organization_id: t.ref('organization', 'organization_ms_id'),
      },
      onDelete: { deleted_at: 'deleted_at' },
    }),
})

export default defineConfig({ integrations: [organization, employee], logLevel: 'warn', worker: { processes: 2 } })
