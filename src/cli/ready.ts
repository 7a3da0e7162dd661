/** Whether the database is ready to be worked with. */
import { SluiceError } from '../errors.ts'
import type { Sluice } from '../sluice.ts'
import { pendingMigrations } from '../store/migrate.ts'

/** @throws SluiceError `not_migrated` when migrations are missing: they are applied on purpose, not by whoever starts first */
export async function requireMigrated({ services }: Sluice): Promise<void> {
  const pending = await pendingMigrations(services.db)
  if (pending.length > 0) throw new SluiceError('not_migrated', `The database lacks ${pending.join(', ')}. Run "sluice migrate".`)
}
