/** Organizations become pages of the Payload site on the database in SITE_DATABASE. */
import { z } from 'zod'
import { defineConfig, defineIntegration } from '../src/index.ts'
import { payloadSite } from '../src/payload/index.ts'
import { openSite } from './payload-site.ts'

const site = payloadSite({
  payload: () => openSite(process.env.SITE_DATABASE ?? ''),
  collections: ['organizations'],
  places: { top: null },
})

const organization = defineIntegration({
  name: 'organization',
  schema: z.object({
    ms_id: z.string(),
    title: z.string(),
    parent_ms_id: z.string().nullable(),
    phone: z.string(),
    area_ms_id_list: z.array(z.string()),
  }),
  key: 'ms_id',
  target: (t) =>
    t.page(site, {
      type: 'organizations',
      parent: t.parent('organization', 'parent_ms_id', { top: t.place('top') }),
      title: 'title',
      fields: { phone: 'phone' },
      sets: { areas: 'area_ms_id_list' },
    }),
})

export default defineConfig({ integrations: [organization], logLevel: 'warn', worker: { processes: 1 } })
