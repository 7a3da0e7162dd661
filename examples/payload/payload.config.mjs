/** A small Payload site: organizations as a tree of pages, and areas. */
import { sqliteAdapter } from '@payloadcms/db-sqlite'
import { buildConfig } from 'payload'
import { sluicePages } from '../../src/payload/index.ts'

/** The site with its database at `url`, such as `file:site.db`. */
export function siteConfig(url) {
  return buildConfig({
    secret: 'an example only',
    telemetry: false,
    db: sqliteAdapter({ client: { url }, push: false, migrationDir: new URL('migrations', import.meta.url).pathname }),
    collections: [
      { slug: 'areas', fields: [{ name: 'name', type: 'text' }] },
      {
        slug: 'organizations',
        trash: true,
        versions: { drafts: true, maxPerDoc: 50 },
        fields: [
          { name: 'title', type: 'text', required: true },
          { name: 'slug', type: 'text', required: true, index: true },
          { name: 'parent', type: 'relationship', relationTo: 'organizations' },
          { name: 'phone', type: 'text', maxLength: 20 },
          { name: 'about', type: 'textarea' },
          { name: 'areas', type: 'relationship', relationTo: 'areas', hasMany: true },
        ],
      },
    ],
    plugins: [sluicePages(['organizations'])],
  })
}
