/** Probes for whoever runs the process. */
import { SluiceError } from '../errors.ts'
import { pendingMigrations } from '../store/migrate.ts'
import type { Call, Handlers } from './call.ts'

/** Handlers of the probes. */
export const operations: Handlers<'livez' | 'readyz'> = {
  livez: () => text('ok\n'),

  async readyz(call) {
    const why = await notReady(call)
    if (why !== null) throw new SluiceError('not_ready', why)
    return text('ready\n')
  },
}

async function notReady({ services }: Call<'readyz'>): Promise<string | null> {
  try {
    const pending = await pendingMigrations(services.db)
    return pending.length === 0 ? null : `The database lacks ${pending.length} of Sluice's migrations. Run "sluice migrate".`
  } catch (error) {
    services.log.warn({ error }, 'not ready')
    return "The database does not answer, or has migrations that this version doesn't know. The log says which."
  }
}

function text(body: string): Response {
  return new Response(body, { headers: { 'Content-Type': 'text/plain; charset=utf-8' } })
}
