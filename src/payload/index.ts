/** Pages of a Payload site as targets: `sluice/payload`. */

export type { LocalApi } from './local-api.ts'
export type { MakeDrizzle, PayloadOptions } from './options.ts'
export { sluicePages } from './plugin.ts'
export { payloadSite } from './site.ts'
