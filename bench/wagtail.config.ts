/** Organizations become pages of the Wagtail site at SITE_URL. */
import { wagtailConfig } from '../examples/wagtail/sluice.config.ts'
import { defineConfig } from '../src/index.ts'

const { integrations } = wagtailConfig(process.env.SITE_URL ?? '', process.env.SITE_SECRET ?? '')

export default defineConfig({ integrations: [...integrations.values()], logLevel: 'warn', worker: { processes: 1 } })
