/** Cron expressions: five fields, or six with seconds first; always in UTC. */
import { Cron } from 'croner'
import { messageOf, SluiceError } from '../errors.ts'

/**
 * Checks a cron expression: five fields (minute, hour, day of month, month, day of week), six with seconds first, or a
 * nickname such as `@hourly`.
 *
 * @param subject how the error names it, such as `"tasks.split.cron"`
 * @throws SluiceError `invalid_config` for a text that can't be read, and for one that never comes or comes only once
 */
export function assertCron(text: string, subject = 'cron expression'): void {
  let slots: Date[]
  try {
    slots = parse(text).nextRuns(2)
  } catch (error) {
    throw new SluiceError('invalid_config', `${subject}: "${text}" is no cron expression: ${messageOf(error)}`)
  }
  if (slots.length < 2) throw new SluiceError('invalid_config', `${subject}: "${text}" does not come again and again`)
}

/** The first slot after a moment. Whole seconds. */
export function nextSlot(text: string, after: Date): Date {
  const slot = parse(text).nextRun(after)
  if (slot === null) throw new SluiceError('invalid_config', `"${text}" never comes after ${after.toISOString()}`)
  return slot
}

function parse(text: string): Cron {
  return new Cron(text, { timezone: 'UTC', mode: '5-or-6-parts' })
}
