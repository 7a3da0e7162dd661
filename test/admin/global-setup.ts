/** The UI is built once per test run, where there is a browser to look at it. */
import { buildAdminIfStale } from '../../scripts/build-admin.ts'
import { hasChromium } from './chromium.ts'

export default async function setup(): Promise<void> {
  if (hasChromium) await buildAdminIfStale()
}
