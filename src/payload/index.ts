/** Pages of a Payload site as targets: `sluice/payload`. */

export type { LocalApi } from './local-api.ts'
export { sluicePages } from './plugin.ts'
export { type PayloadOptions, payloadSite } from './site.ts'
