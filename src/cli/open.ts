/** Opens the inbox that a config describes. */
import type { Config } from '../config.ts'
import type { Sluice } from '../sluice.ts'
import type { GlobalOptions } from './command.ts'
import { loadConfig } from './config-file.ts'

/** The inbox of a config. Loaded when it is asked for: commands that only talk to a server start sooner without it. */
export async function openSluice(config: Config): Promise<Sluice> {
  const { createSluice } = await import('../sluice.ts')
  return createSluice(config)
}

/** Loads the config, hands its inbox to `work`, and closes the database however that ends. */
export async function withSluice<T>(options: GlobalOptions, work: (sluice: Sluice) => Promise<T>): Promise<T> {
  const sluice = await openSluice(await loadConfig(options.config))
  try {
    return await work(sluice)
  } finally {
    await sluice.close()
  }
}
