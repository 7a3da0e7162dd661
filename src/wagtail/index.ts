/** Pages of a Wagtail site as targets: `sluice/wagtail`. */
export { type WagtailOptions, wagtailSite } from './site.ts'
