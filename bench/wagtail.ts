/** Pages of a Wagtail site. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startSite } from '../examples/wagtail/site.ts'
import type { BenchCase } from './case.ts'
import { startInbox } from './inbox.ts'
import { measurePages, startScript } from './pages.ts'

const script = fileURLToPath(new URL('peers/wagtail_by_hand.py', import.meta.url))

export const wagtail: BenchCase = {
  name: 'wagtail',
  about: "pages of a Wagtail site, beside a script with Wagtail's own API",
  async run(options) {
    // It looks for Python as it is loaded, which only this case needs.
    const { hasPython } = await import('../test/support/python.ts')
    if (!hasPython) return { skipped: 'there is no Python 3.11 with venv and pip' }
    const requirements = await readFile(new URL('../examples/wagtail/requirements.txt', import.meta.url), 'utf8')
    const version = /^wagtail==(\S+)/m.exec(requirements)?.[1] ?? '?'
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
    try {
      return await measurePages(
        {
          name: 'wagtail',
          cms: `Wagtail ${version}`,
          byHand:
            'a script with `add_child`, `save_revision` and `publish`, one transaction for a page; it knows all ids, and asks for the parent or the page to be changed.',
          through: 'requests of 50 pages at most to the one process of a Django development server.',
          objects: 100,
          startByHand: (databaseUrl) => startScript('python3', [script, join(folder, 'by-hand')], { DATABASE_URL: databaseUrl }),
          async startInbox(databaseUrl, siteUrl) {
            const secret = randomBytes(32).toString('base64')
            const site = await startSite({ data: join(folder, 'site'), secret, database: siteUrl })
            const inbox = await startInbox(databaseUrl, { config: 'wagtail.config.ts', env: { SITE_URL: site.url, SITE_SECRET: secret } })
            return {
              ...inbox,
              async stop() {
                await inbox.stop()
                await site.stop()
              },
            }
          },
        },
        options,
      )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}
