/** Organizations become pages of the Wagtail site of this folder, and employees rows that refer to them. */
import { type Config, defineConfig, defineIntegration } from '../../src/index.ts' // in your project: from 'sluice'
import { wagtailSite } from '../../src/wagtail/index.ts' // in your project: from 'sluice/wagtail'
import { employee } from './employee.ts'
import { Organization } from './organization.ts'

/**
 * @param site where the site runs, `http://127.0.0.1:8000`
 * @param secret what the site's settings have in `SECRETS`
 */
export function wagtailConfig(site: string, secret: string): Config {
  const wagtail = wagtailSite({ url: `${site}/sluice/`, secret })
  const organization = defineIntegration({
    name: 'organization',
    schema: Organization,
    key: 'ms_id',
    deleted: (o) => o.deleted_at != null,
    target: (t) =>
      t.page(wagtail, {
        type: 'organizations.OrganizationPage',
        parent: t.parent('organization', 'parent_ms_id', { top: t.place('organizations') }),
        title: 'title',
        fields: { phone: 'phone', address: 'address' },
        refs: { district: 'district_ms_id' }, // kept by the site itself: the ids are its own
        sets: { areas: 'area_ms_id_list' },
      }),
  })
  return defineConfig({ integrations: [organization, employee], logLevel: 'warn' })
}
