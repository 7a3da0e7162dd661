/** A worker with a Payload site in it, which kills itself in the middle of the update of one page. */
import { defineConfig } from '../../src/config.ts'
import { createServices } from '../../src/services.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { startWorker } from '../../src/worker/worker.ts'
import type { Doc } from '../support/payload.ts'
import { openDrizzle, openSite } from '../support/payload-open.ts'
import { organizationPages } from './organization-pages.ts'

/** Where in an update it ends. */
export type DeathPoint =
  | 'before the page'
  | 'between the page and its revision'
  | 'before the commit'
  | 'after the commit'
  | "before the draft's own"

const [inboxUrl = '', siteUrl = '', point = '', title = ''] = process.argv.slice(2)
/** In one database the transaction is one, too. */
const drizzle = inboxUrl === siteUrl ? await openDrizzle() : undefined
const payload = await openSite(siteUrl)
const { beforeChange, afterChange } = payload.collections.organizations.config.hooks

/** No cleaning up; and nothing goes on meanwhile. */
function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => undefined)
}
const isIt = (doc: Partial<Doc> | undefined): boolean => doc?.title === title
const deaths: Record<DeathPoint, () => void> = {
  'before the page'() {
    beforeChange.push(({ data }) => (isIt(data) ? die() : data))
  },
  'between the page and its revision'() {
    const createVersion = payload.db.createVersion.bind(payload.db)
    payload.db.createVersion = (given) => (isIt(given.versionData) ? die() : createVersion(given))
  },
  'before the commit'() {
    afterChange.push(({ doc }) => (isIt(doc) ? die() : doc))
  },
  'after the commit'() {
    const update = payload.update.bind(payload)
    payload.update = async (options) => {
      const doc = await update(options)
      return isIt(doc) ? die() : doc
    }
  },
  "before the draft's own"() {
    beforeChange.push(({ data }) => (isIt(data) && data._status === 'draft' ? die() : data))
  },
}
deaths[point as DeathPoint]()
const config = defineConfig(
  { integrations: [organizationPages(payload, drizzle)], chunkSize: 8, worker: { poll: 0.05 }, logLevel: 'silent' },
  {},
)
startWorker(createServices(config, createPostgres({ url: inboxUrl })), { name: `victim ${process.pid}` })
