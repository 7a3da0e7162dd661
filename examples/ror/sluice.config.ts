/** The Research Organization Registry as a master system: its records become rows of two tables of our own. */
import { fileURLToPath } from 'node:url'
import { defineConfig, defineIntegration } from '../../src/index.ts' // in your project: from 'sluice'
import { RorRecord } from './schema.ts'

const organization = defineIntegration({
  name: 'organization',
  schema: RorRecord,
  key: 'id',
  version: { field: 'admin.last_modified.date', type: 'timestamp' },
  deleted: (o) => o.status === 'withdrawn',
  target: (t) =>
    t.table('organization', {
      key: 'ror_id',
      columns: {
        name: (o) => o.names.find((name) => name.types.includes('ror_display'))?.value ?? o.names[0]?.value,
        status: 'status',
        country_code: 'locations.0.geonames_details.country_code',
        city: 'locations.0.geonames_details.name',
        latitude: 'locations.0.geonames_details.lat',
        longitude: 'locations.0.geonames_details.lng',
        established: 'established',
        website: (o) => o.links.find((link) => link.type === 'website')?.value ?? null,
        types: 'types',
      },
      sets: {
        organization_relationship: {
          owner: 'organization_id',
          rows: (o) => o.relationships,
          // Most relationships point at organizations that have not come yet: they are linked when those arrive.
          columns: { to_id: t.ref('organization', 'id', { missing: 'defer' }), type: 'type' },
        },
      },
      onDelete: { withdrawn_at: t.now() },
      // A withdrawn record that we never had is kept as a withdrawn row: others still point at it.
      deletedUnknown: 'create',
    }),
})

export default defineConfig({
  integrations: [organization],
  database: { folder: fileURLToPath(new URL('.sluice/data', import.meta.url)) },
  logLevel: 'warn',
})
