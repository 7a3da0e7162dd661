/** Options that a config gives to a target, checked. */
import { SluiceError } from '../errors.ts'

/**
 * The members of an object of options.
 *
 * @throws SluiceError `invalid_config` for what is no object, or has a member that there is no option for
 */
export function options<Key extends string>(where: string, value: unknown, known: readonly Key[]): Partial<Record<Key, unknown>> {
  if (typeof value !== 'object' || value === null) throw invalid(`${where}: must be an object`)
  const unknown = Object.keys(value).filter((key) => !(known as readonly string[]).includes(key))
  if (unknown.length > 0)
    throw invalid(`${where}: unknown option ${unknown.map((key) => `"${key}"`).join(', ')}; there are ${known.join(', ')}`)
  return value
}

/** The error of a config that is wrong in itself, whatever the database has. */
export function invalid(message: string): SluiceError {
  return new SluiceError('invalid_config', message)
}
