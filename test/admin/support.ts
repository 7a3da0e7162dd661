/** The admin UI as a person meets it: a real server with the ROR example, and the system's Chromium. */
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { defineConfig } from '../../src/config.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { createSluice, type Sluice } from '../../src/sluice.ts'
import { drain } from '../../src/testing/drain.ts'
import { createTestDatabase } from '../support/database.ts'
import { createRorTables, rorIntegrations } from '../support/ror.ts'
import { chromiumArguments, hasChromium, program } from './chromium.ts'
import { createSampleTables, sampleIntegrations } from './sample.ts'

/** An admin's, of the config. */
export const token = 'admin-token-of-the-tests-0123456789'

if (!hasChromium) {
  console.warn(`\n!! No Chromium at ${program} (Debian: apt-get install chromium): every test of the admin UI is SKIPPED.\n`)
}

/** Where the test run puts its pictures of the pages; not in git. */
export const pictures = new URL('../../.pictures/', import.meta.url)

/** A server with a database of its own, and a browser. */
export interface Site {
  sluice: Sluice
  /** With the base path, and a slash at its end. */
  url: string
  browser: Browser
  /** Sends a message as a sender does. Returns its id. */
  send(integration: string, value: unknown): Promise<string>
  /** Does everything that is due. */
  drain(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts everything. Nothing works by itself: a test drains when it wants to, and runs are done by it.
 *
 * @param basePath where the application is mounted, such as `/integration`
 */
export async function openSite(kind: 'pglite' | 'postgres', basePath = ''): Promise<Site> {
  const database = await createTestDatabase(kind)
  await createRorTables(database.db)
  await createSampleTables(database.db)
  const config = defineConfig({ integrations: [...rorIntegrations, ...sampleIntegrations], token, logLevel: 'silent' }, {})
  const sluice = createSluice(config, { db: database.db })
  const handle = toNodeHandler(sluice)
  // As Express does: what is mounted sees the path without its prefix, and is told that.
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? ''
    if (basePath !== '' && (path === basePath || path.startsWith(`${basePath}/`))) {
      incoming.url = path.slice(basePath.length) || '/'
      Object.assign(incoming, { baseUrl: basePath })
    }
    handle(incoming, outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await chromium.launch({ executablePath: program, args: chromiumArguments })
  await mkdir(pictures, { recursive: true })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${basePath}/`
  return {
    sluice,
    url,
    browser,
    async send(integration, value) {
      const response = await fetch(`${url}api/integrations/${integration}/messages`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: typeof value === 'string' ? value : JSON.stringify(value),
      })
      return ((await response.json()) as { id: string }).id
    },
    drain: () => drain(sluice.services),
    async close() {
      await browser.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await sluice.close()
      await database.close()
    },
  }
}

/** A person at the UI: a browser of its own, whose every fault is noted. */
export interface Visitor {
  page: Page
  context: BrowserContext
  /** Opens an address below the base path. */
  open(path: string): Promise<void>
  /** Errors of scripts and on the console, breaches of the policy, and requests to other hosts, so far. */
  faults: string[]
}

export interface VisitorOptions {
  language?: string
  colors?: 'light' | 'dark'
  width?: number
  /** Default: the admin's. Null: nobody signs in. */
  token?: string | null
}

export async function visit(site: Site, options: VisitorOptions = {}): Promise<Visitor> {
  const { language = 'en-GB', colors = 'light', width = 1280, token: shown = token } = options
  const { origin } = new URL(site.url)
  const context = await site.browser.newContext({
    locale: language,
    timezoneId: 'UTC',
    colorScheme: colors,
    viewport: { width, height: 900 },
    reducedMotion: 'reduce',
    // As the sign-in leaves it, which a test of its own goes through.
    ...(shown === null
      ? {}
      : { storageState: { cookies: [], origins: [{ origin, localStorage: [{ name: 'sluice-signed-in', value: '1' }] }] } }),
  })
  if (shown !== null) {
    await context.request.post(new URL('api/session', site.url).href, {
      headers: { Authorization: `Bearer ${shown}`, 'X-Sluice-Page': '1' },
      failOnStatusCode: true,
    })
  }
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`)
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:')) faults.push(`request: ${request.url()}`)
  })
  const visitor: Visitor = {
    page,
    context,
    faults,
    async open(path) {
      await page.goto(new URL(path, site.url).href)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await settled(page)
    },
  }
  if (shown !== null) {
    await visitor.open('')
    await page.getByRole('navigation').first().waitFor()
  }
  return visitor
}

/** Waits until nothing is loading any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator('.mantine-Loader-root').first().waitFor({ state: 'detached' })
}

/** A picture of a page, as high as it is or at most three windows. */
export async function picture(page: Page, name: string): Promise<void> {
  const { width = 0, height = 0 } = page.viewportSize() ?? {}
  // What is fixed to the window stands at its top then.
  await page.evaluate('window.scrollTo(0, 0)')
  await page.screenshot({
    path: fileURLToPath(new URL(`${name}.png`, pictures)),
    fullPage: true,
    clip: { x: 0, y: 0, width, height: Math.min(await page.evaluate<number>('document.documentElement.scrollHeight'), 3 * height) },
  })
}

/** A picture of what a window shows of a page, from its top. */
export async function sight(page: Page, name: string): Promise<void> {
  await page.evaluate('window.scrollTo(0, 0)')
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, pictures)) })
}
