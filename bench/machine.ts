/** What the figures were measured on. */
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  os: string
  node: string
  postgres: string
  sluice: string
}

/** Names the machine and the versions. */
export function machine(postgres: string): Machine {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return {
    cpu: cpus()[0]?.model ?? '?',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release().split('.').slice(0, 2).join('.')}`,
    node: process.version,
    postgres,
    sluice: version,
  }
}
