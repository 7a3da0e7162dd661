/** Commands that need the database themselves, while another process has the embedded one. */
import { messageOf, SluiceError } from '../errors.ts'
import { isSluiceError } from './exit.ts'

/** Does `work`; where another process has the embedded database, its error also says `advice`. */
export async function withAdvice<T>(advice: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isSluiceError(error) || error.code !== 'database_locked') throw error
    throw new SluiceError(error.code, `${messageOf(error)} ${advice}`, { details: error.details, cause: error })
  }
}
