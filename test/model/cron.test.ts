import { describe, expect, test } from 'vitest'
import { SluiceError } from '../../src/errors.ts'
import { assertCron, nextSlot } from '../../src/model/cron.ts'

describe('cron', () => {
  test.each(['* * * * *', '*/15 * * * *', '*/10 * * * * *', '@hourly', '0 3 * * MON-FRI', '0 0 29 2 *'])('%s is one', (text) => {
    expect(() => assertCron(text)).not.toThrow()
  })

  test.each([
    ['', 'is no cron expression'],
    ['every minute', 'is no cron expression'],
    ['61 * * * *', 'is no cron expression'],
    ['0 0 1 1 * * 2099', 'is no cron expression'],
    ['0 0 31 2 *', 'does not come again'],
    ['2099-01-01T00:00:00', 'does not come again'],
  ])('%s is none', (text, problem) => {
    const check = () => assertCron(text, '"tasks.split.cron"')
    expect(check).toThrow(SluiceError)
    expect(check).toThrow(problem)
    expect(check).toThrow('"tasks.split.cron"')
  })

  test('the next slot is after the moment, in UTC', () => {
    expect(nextSlot('*/15 * * * *', new Date('2026-03-29T00:59:59.999Z')).toISOString()).toBe('2026-03-29T01:00:00.000Z')
    expect(nextSlot('*/15 * * * *', new Date('2026-03-29T01:00:00.000Z')).toISOString()).toBe('2026-03-29T01:15:00.000Z')
    expect(nextSlot('30 2 * * *', new Date('2026-03-29T00:00:00.000Z')).toISOString()).toBe('2026-03-29T02:30:00.000Z')
  })
})
