/** Organizations as pages of the site of examples/wagtail, written under an editor's drafts. */
import { Organization } from '../../examples/wagtail/organization.ts'
import { defineIntegration, type Integration } from '../../src/config.ts'
import { wagtailSite } from '../../src/wagtail/index.ts'

/** @param url where the site runs, `http://127.0.0.1:8000` */
export function organizationPages(url: string, secret: string): Integration {
  const site = wagtailSite({ url: `${url}/sluice/`, secret })
  return defineIntegration({
    name: 'organization',
    schema: Organization,
    key: 'ms_id',
    deleted: (object) => object.deleted_at != null,
    target: (t) =>
      t.page(site, {
        type: 'organizations.OrganizationPage',
        parent: t.parent('organization', 'parent_ms_id', { top: t.place('organizations') }),
        title: 'title',
        fields: { phone: 'phone' },
        editorDraft: 'preserve',
      }),
  })
}
