/** Numbers, times, durations and sizes in a language, by `Intl`. */

export interface Format {
  number(value: number): string
  /** A count that stops somewhere: `≥ 100,000` there. */
  atMost(value: number, most: number): string
  /** From a share of one. */
  percent(share: number): string
  /** Date and time to the second, in the browser's time zone. */
  time(iso: string): string
  /** `3 minutes ago`. */
  ago(iso: string, now: number): string
  /** From seconds: the two largest units that say something. */
  duration(seconds: number): string
  bytes(size: number): string
}

const ages: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]
const sizes = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

export function formatFor(language: string): Format {
  const numbers = new Intl.NumberFormat(language)
  const percents = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 })
  const times = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' })
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' })
  const unit = (value: number, name: string, digits = 0, unitDisplay: 'short' | 'long' = 'short'): string =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay, maximumFractionDigits: digits }).format(value)

  return {
    number: (value) => numbers.format(value),
    atMost: (value, most) => `${value < most ? '' : '≥ '}${numbers.format(value)}`,
    percent: (share) => percents.format(share),
    time: (iso) => times.format(new Date(iso)),
    ago(iso, now) {
      const seconds = (new Date(iso).getTime() - now) / 1000
      const [name, size] = ages.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
      return relative.format(Math.round(seconds / size), name)
    },
    duration(seconds) {
      if (seconds < 1) return unit(Math.round(seconds * 1000), 'millisecond')
      if (seconds < 60) return unit(seconds, 'second', 1)
      const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
      if (days > 0) return `${unit(days, 'day')} ${unit(hours, 'hour')}`
      if (hours > 0) return `${unit(hours, 'hour')} ${unit(minutes, 'minute')}`
      return `${unit(minutes, 'minute')} ${unit(Math.floor(seconds) % 60, 'second')}`
    },
    bytes(size) {
      const step = Math.min(size === 0 ? 0 : Math.floor(Math.log10(size) / 3), sizes.length - 1)
      return step === 0 ? unit(size, 'byte', 0, 'long') : unit(size / 1000 ** step, sizes[step] ?? 'byte', 1)
    },
  }
}
