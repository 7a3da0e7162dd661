/** Finds and loads the config that a command works with. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../config.ts'
import { messageOf, SluiceError } from '../errors.ts'
import { isSluiceError } from './exit.ts'

/** Names that are looked for in the current folder, in this order. */
export const configNames = ['sluice.config.ts', 'sluice.config.mts', 'sluice.config.js', 'sluice.config.mjs'] as const

/**
 * The path of the config file.
 *
 * @param given what `--config` says, if anything
 * @throws SluiceError `config_not_found`
 */
export function findConfig(given?: string): string {
  if (given !== undefined) {
    const path = resolve(given)
    if (!existsSync(path)) throw new SluiceError('config_not_found', `There is no file ${path} (--config).`)
    return path
  }
  const found = configNames.map((name) => resolve(name)).find((path) => existsSync(path))
  if (found === undefined) {
    throw new SluiceError(
      'config_not_found',
      'There is no sluice.config.ts (.mts, .js, .mjs) in this folder. Name one with --config, or write one with "sluice init".',
    )
  }
  return found
}

/**
 * Loads a config: the default export of its file.
 *
 * @throws SluiceError `config_not_found`; `invalid_config` when the file can't be run or exports no config
 */
export async function loadConfig(given?: string): Promise<Config> {
  const path = findConfig(given)
  const exported = await importFile(path)
  if (!isConfig(exported)) {
    throw new SluiceError(
      'invalid_config',
      `${path}: its default export must be what defineConfig() gives, as in "export default defineConfig({ … })".`,
    )
  }
  return exported
}

async function importFile(path: string): Promise<unknown> {
  try {
    const module: { default?: unknown } = await import(pathToFileURL(path).href)
    return module.default
  } catch (error) {
    const message = isSluiceError(error) ? error.message : `it can't be loaded: ${messageOf(error)}${placeOf(error)}.${moduleHint(error)}`
    throw new SluiceError('invalid_config', `${path}: ${message}`, { cause: error })
  }
}

/** Where a syntax error stands; Node says it before the stack of what is TypeScript. It may be a file that the config imports. */
function placeOf(error: unknown): string {
  const place = error instanceof SyntaxError ? /^(\S.*:\d+)\n/.exec(error.stack ?? '')?.[1] : undefined
  return place === undefined || place.startsWith('SyntaxError') ? '' : `, at ${place}`
}

/** What `npm init` writes makes Node take a `.ts` or `.js` file for CommonJS. */
function moduleHint(error: unknown): string {
  return error instanceof SyntaxError && messageOf(error).includes('outside a module')
    ? ' Put "type": "module" into package.json, or name the file sluice.config.mts.'
    : ''
}

function isConfig(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && 'integrations' in value && value.integrations instanceof Map && 'limits' in value
}
