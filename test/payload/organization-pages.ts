/** Organizations as pages of the site of examples/payload, written under an editor's drafts. */
import { Organization } from '../../examples/wagtail/organization.ts'
import { defineIntegration, type Integration } from '../../src/config.ts'
import { type MakeDrizzle, payloadSite } from '../../src/payload/index.ts'
import type { RealPayload } from '../support/payload.ts'

/** @param drizzle given if they are written in Sluice's own transaction */
export function organizationPages(payload: RealPayload, drizzle?: MakeDrizzle): Integration {
  const site = payloadSite({
    payload: () => Promise.resolve(payload),
    collections: ['organizations'],
    places: { top: null },
    ...(drizzle === undefined ? {} : { sharedTransaction: { drizzle } }),
  })
  return defineIntegration({
    name: 'organization',
    schema: Organization,
    key: 'ms_id',
    deleted: (object) => object.deleted_at != null,
    target: (t) =>
      t.page(site, {
        type: 'organizations',
        parent: t.parent('organization', 'parent_ms_id', { top: t.place('top') }),
        title: 'title',
        fields: { phone: 'phone' },
        editorDraft: 'preserve',
      }),
  })
}
