/** Opens the inbox that a config describes, for the length of one command. */
import { createSluice, type Sluice } from '../sluice.ts'
import type { GlobalOptions } from './command.ts'
import { loadConfig } from './config-file.ts'

/** Loads the config, hands its inbox to `work`, and closes the database however that ends. */
export async function withSluice<T>(options: GlobalOptions, work: (sluice: Sluice) => Promise<T>): Promise<T> {
  const sluice = createSluice(await loadConfig(options.config))
  try {
    return await work(sluice)
  } finally {
    await sluice.close()
  }
}
