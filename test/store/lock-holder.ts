/** A process for the tests of locks: takes the lock of a folder, says how that went, and lives until its input ends. */
import { lockFolder } from '../../src/store/lock-file.ts'

await lockFolder(process.argv[2] ?? '').then(
  () => console.log('taken'),
  (error: { code: string }) => console.log(error.code),
)
process.stdin.resume()
process.stdin.once('end', () => process.exit())
