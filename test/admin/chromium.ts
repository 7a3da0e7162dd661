/** The system's Chromium. */
import { existsSync } from 'node:fs'

export const program = '/usr/bin/chromium'

/** For `describe.skipIf(!hasChromium)`. */
export const hasChromium = existsSync(program)

export const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
