/** Pages of a Payload site. */
import { fileURLToPath } from 'node:url'
import type { BenchCase } from './case.ts'
import { startInbox } from './inbox.ts'
import { measurePages, startScript } from './pages.ts'
import { payloadVersion } from './payload-site.ts'

const script = fileURLToPath(new URL('peers/payload-by-hand.ts', import.meta.url))

export const payload: BenchCase = {
  name: 'payload',
  about: "pages of a Payload site, beside a script with Payload's Local API",
  run(options) {
    const version = payloadVersion()
    if (version === null) return Promise.resolve({ skipped: 'Payload is not installed: run `npm ci` in examples/payload' })
    return measurePages(
      {
        name: 'payload',
        cms: `Payload ${version}`,
        byHand: 'a script with the Local API, one `create` or `update` for a page and nothing else; it knows all ids and looks nothing up.',
        through: 'the adapter reads a hundred pages at once and writes two at a time.',
        objects: 300,
        startByHand: (databaseUrl) => startScript(process.execPath, [script, databaseUrl], {}),
        startInbox: (databaseUrl, siteUrl) => startInbox(databaseUrl, { config: 'payload.config.ts', env: { SITE_DATABASE: siteUrl } }),
      },
      options,
    )
  },
}
