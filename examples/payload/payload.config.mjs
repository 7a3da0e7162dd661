/** A small Payload site: organizations as a tree of pages, with districts and areas. */
import { fileURLToPath } from 'node:url'
import { postgresAdapter } from '@payloadcms/db-postgres'
import { sqliteAdapter } from '@payloadcms/db-sqlite'
import { buildConfig } from 'payload'
import { sluicePages } from '../../src/payload/index.ts'

/** A database by its address: PostgreSQL, or a file. Tables come from the migrations beside this file. */
function databaseAt(url) {
  const migrations = (kind) => ({ push: false, migrationDir: fileURLToPath(new URL(`migrations/${kind}`, import.meta.url)) })
  return /^postgres(ql)?:/.test(url)
    ? postgresAdapter({ pool: { connectionString: url }, ...migrations('postgres') })
    : sqliteAdapter({ client: { url }, ...migrations('sqlite') })
}

/** The site with its database at `url`, such as `file:site.db` or `postgres://…`. */
export function siteConfig(url) {
  return buildConfig({
    secret: 'an example only',
    telemetry: false,
    db: databaseAt(url),
    collections: [
      { slug: 'areas', fields: [{ name: 'name', type: 'text' }] },
      { slug: 'districts', fields: [{ name: 'name', type: 'text' }] },
      {
        slug: 'organizations',
        trash: true,
        versions: { drafts: true, maxPerDoc: 50 },
        fields: [
          { name: 'title', type: 'text', required: true },
          { name: 'slug', type: 'text', required: true, index: true },
          { name: 'parent', type: 'relationship', relationTo: 'organizations' },
          { name: 'phone', type: 'text', maxLength: 20 },
          { name: 'address', type: 'text' },
          { name: 'district', type: 'relationship', relationTo: 'districts' },
          { name: 'about', type: 'textarea' },
          { name: 'areas', type: 'relationship', relationTo: 'areas', hasMany: true },
        ],
      },
    ],
    plugins: [sluicePages(['organizations'])],
  })
}
