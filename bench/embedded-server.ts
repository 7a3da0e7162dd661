/**
 * One process that serves and works, as `sluice dev` does: `node embedded-server.ts FOLDER-OR-URL`. With a folder the database is
 * embedded. Makes the target's tables and tells its parent the address.
 */

import { listen } from '../src/cli/server.ts'
import { createSluice } from '../src/index.ts'
import { tablesSql } from './employees.ts'
import config from './sluice.config.ts'

const [place = '', token = ''] = process.argv.slice(2)
const sluice = createSluice({
  ...config,
  token,
  database: place.startsWith('postgres:') ? { ...config.database, url: place } : { ...config.database, url: undefined, folder: place },
})
await sluice.migrate()
await sluice.services.db.exec(tablesSql)
const server = await listen(sluice, '127.0.0.1', 0)
sluice.work()
process.on('disconnect', () => process.exit())
process.send?.({ url: server.url })
