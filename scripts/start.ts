/** `npm start`: the example of the Research Organization Registry, with the admin UI built if it isn't yet. */
import { buildAdminIfMissing } from './build-admin.ts'

await buildAdminIfMissing()
await import('../examples/ror/start.ts')
