/** Organizations with their district and areas, employees with their position and organization. */
import { fileURLToPath } from 'node:url'
import { defineConfig, defineIntegration } from '../../src/index.ts' // in your project: from 'sluice'
import { Area, Employee, Organization, Position } from './schemas.ts'

const position = defineIntegration({
  name: 'position',
  schema: Position,
  key: 'ms_id',
  target: (t) => t.table('position', { key: 'ms_id', columns: { title: 'title' } }),
})

const area = defineIntegration({
  name: 'area',
  schema: Area,
  key: 'ms_id',
  target: (t) => t.table('area', { key: 'ms_id', columns: { title: 'title' } }),
})

const organization = defineIntegration({
  name: 'organization',
  schema: Organization,
  key: 'ms_id',
  version: { field: 'changed_at', type: 'timestamp' },
  deleted: (o) => o.deleted_at != null,
  target: (t) =>
    t.table('organization', {
      key: 'ms_id',
      columns: {
        title: 'title',
        phone: 'phone_number',
        district_id: t.ref({ table: 'district', key: 'ms_id' }, 'district_ms_id'),
        loaded_at: t.now(),
      },
      sets: { organization_area: { owner: 'organization_id', rows: 'area_ms_id_list', columns: { area_id: t.ref('area') } } },
      onDelete: { deleted_at: 'deleted_at' },
    }),
})

export const employee = defineIntegration({
  name: 'employee',
  schema: Employee,
  key: 'ms_id',
  target: (t) =>
    t.table('employee', {
      key: 'ms_id',
      columns: {
        name: 'name',
        position_id: t.ref('position', 'position_ms_id'),
        organization_id: t.ref('organization', 'organization_ms_id', { missing: 'wait' }),
        date_joined: 'date_joined',
      },
    }),
})

export default defineConfig({
  integrations: [position, area, organization, employee],
  database: { folder: fileURLToPath(new URL('.sluice/data', import.meta.url)) },
  logLevel: 'warn',
})
