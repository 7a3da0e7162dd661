/** The queues, and which of them are installed here. */
import { existsSync, readFileSync } from 'node:fs'
import { bullmq } from './bullmq.ts'
import { graphileWorker } from './graphile-worker.ts'
import type { Queue } from './jobs.ts'
import { pgBoss } from './pg-boss.ts'

export const queues: readonly Queue[] = [pgBoss, graphileWorker, bullmq]

/** `12.38.0`, or null when `npm ci` has not been run in this folder. */
export function versionOf({ name }: Queue): string | null {
  const manifest = new URL(`node_modules/${name.toLowerCase()}/package.json`, import.meta.url)
  if (!existsSync(manifest)) return null
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
