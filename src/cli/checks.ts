/** The checks of `sluice doctor`. */
import { messageOf } from '../errors.ts'
import type { Sluice } from '../sluice.ts'
import { isClockPlanned, serverVersion, workerSeen } from '../store/health.ts'
import { pendingMigrations } from '../store/migrate.ts'
import { listPaused } from '../store/reads/integrations.ts'

/** What a check found. `warning`: works, but somebody should look at it. */
export interface Check {
  name: string
  state: 'ok' | 'warning' | 'failed'
  detail: string
}

const oldestMajor = 14
const newestMajor = 18
const workerSeconds = 300

/** Looks at the database: its version, the migrations, the targets, what is paused, and whether a worker is there. Throws when it can't be reached. */
export async function checkDatabase(sluice: Sluice): Promise<Check[]> {
  const { db } = sluice.services
  const version = await checkVersion(sluice)
  const pending = await pendingMigrations(db)
  if (pending.length > 0) {
    return [
      version,
      { name: 'migrations', state: 'failed', detail: `missing: ${pending.join(', ')}. Run "sluice migrate".` },
      ...(await checkTargets(sluice)),
    ]
  }
  return [
    version,
    { name: 'migrations', state: 'ok', detail: 'all applied' },
    ...(await checkTargets(sluice)),
    ...(await checkPaused(sluice)),
    await checkWorker(sluice),
  ]
}

async function checkVersion({ services: { db } }: Sluice): Promise<Check> {
  const { number, text } = await serverVersion(db)
  const major = Math.floor(number / 10_000)
  const what = db.kind === 'pglite' ? 'embedded PostgreSQL' : 'PostgreSQL'
  if (major >= oldestMajor && major <= newestMajor) return { name: 'database', state: 'ok', detail: `${what} ${text}` }
  return {
    name: 'database',
    state: major < oldestMajor ? 'failed' : 'warning',
    detail: `${what} ${text}: Sluice is tested with ${oldestMajor} to ${newestMajor}`,
  }
}

async function checkTargets({ services }: Sluice): Promise<Check[]> {
  const checks: Check[] = []
  for (const { name, target } of services.config.integrations.values()) {
    const found = await services.target(name, services.db).then(
      (): Check => ({ name: `target of ${name}`, state: 'ok', detail: `${target.kind}: fits` }),
      (error: unknown): Check => ({ name: `target of ${name}`, state: 'failed', detail: messageOf(error) }),
    )
    checks.push(found)
  }
  return checks
}

async function checkPaused({ services }: Sluice): Promise<Check[]> {
  const paused = await listPaused(services.db)
  return paused.map((one) => ({
    name: `integration ${one.integration}`,
    state: 'failed',
    detail: `paused since ${one.pausedAt}: ${reasonOf(one.reason)}`,
  }))
}

/** The reason is stored as JSON: `{ message, … }`. */
function reasonOf(text: string): string {
  const reason: unknown = JSON.parse(text)
  return typeof reason === 'object' && reason !== null && 'message' in reason ? String(reason.message) : text
}

async function checkWorker({ services }: Sluice): Promise<Check> {
  const seen = await workerSeen(services.db)
  if (seen === null) {
    // Its clock leaves the first trace of work after a minute at most.
    if (await isClockPlanned(services.db)) return { name: 'worker', state: 'ok', detail: 'one has just started' }
    return { name: 'worker', state: 'warning', detail: 'none was ever seen. Start one: "sluice work", or "sluice dev".' }
  }
  const { at, secondsAgo } = seen
  const isRecent = secondsAgo < workerSeconds
  return { name: 'worker', state: isRecent ? 'ok' : 'warning', detail: `last seen ${at}${isRecent ? '' : '. Start one: "sluice work".'}` }
}
