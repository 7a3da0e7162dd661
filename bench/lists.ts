/** The lists of the API that are read in benchmarks, through the whole application but for the network. */

import { defineConfig } from '../src/config.ts'
import { createApp } from '../src/http/app.ts'
import type { Integration } from '../src/index.ts'
import { createServices } from '../src/services.ts'
import type { Db } from '../src/store/db.ts'

const token = 'admin-token-of-the-benchmark-0123456789'

/** What stands in the database that lists are read from. */
export interface ListedThings {
  /** Of the integration `employee`. */
  externalId: string
  /** A message with many instances, some of them failed. */
  messageId: string
  source: string
  errorCode: string
}

/** The search for text reads every instance of its time, and promises no more than a deadline. */
export function isSearch(path: string): boolean {
  return path.includes('text=')
}

/** What the UI promises for every list but the search for text, in milliseconds. */
export const promised = 300

/** A week ago, as it stands in a path and as a table of figures shows it. */
const weekAgo = new Date(Date.now() - 6.9 * 86_400_000).toISOString()

/** A path as a reader wants it. */
export function shownPath(path: string): string {
  return path.replace(weekAgo, '<a week ago>')
}

/** Paths under `/api/`. */
export function listPaths({ externalId, messageId, source, errorCode }: ListedThings): string[] {
  return [
    'overview',
    'errors',
    'messages',
    'messages?status=-3',
    `messages?integration=organization&source=${encodeURIComponent(source)}`,
    `messages?externalId=${externalId}`,
    `messages?from=${weekAgo}`,
    'instances',
    'instances?failed=true',
    `instances?integration=employee&errorCode=${errorCode}`,
    `instances?integration=employee&externalId=${externalId}`,
    `messages/${messageId}/instances`,
    `messages/${messageId}/instances?status=-2`,
    `messages/${messageId}/instances?outcome=created`,
    `objects/employee/${externalId}`,
    `messages?text=nobody&from=${weekAgo}`,
  ]
}

/** Makes the function that reads a path and gives the milliseconds that it took. An answer other than 200 is an error. */
export function listReader(db: Db, integrations: readonly Integration[]): (path: string) => Promise<number> {
  const app = createApp(createServices(defineConfig({ integrations: [...integrations], token, logLevel: 'error' }, {}), db))
  return async (path) => {
    const began = performance.now()
    const response = await app.fetch(new Request(`http://localhost/api/${path}`, { headers: { Authorization: `Bearer ${token}` } }))
    await response.text()
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
    return performance.now() - began
  }
}
