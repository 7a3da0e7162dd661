/** Organizations as pages of the site of examples/payload, written under an editor's drafts. */
import { Organization } from '../../examples/wagtail/organization.ts'
import { defineIntegration, type Integration } from '../../src/config.ts'
import { payloadSite } from '../../src/payload/index.ts'
import type { RealPayload } from '../support/payload.ts'

export function organizationPages(payload: RealPayload): Integration {
  const site = payloadSite({ payload: () => Promise.resolve(payload), collections: ['organizations'], places: { top: null } })
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
