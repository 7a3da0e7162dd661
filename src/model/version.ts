/**
 * The source's own versions of objects, and how they compare.
 *
 * A version is stored in a canonical text of its type. Equal versions have equal texts, and comparing is exact for any
 * number of digits: nothing passes through a JavaScript number.
 */
import type { VersionType } from './integration.ts'

/** A version as it stands in an object: a JSON string, or a JSON number by its digits. */
export type VersionValue = { string: string } | { number: string }

/**
 * The canonical text of a version, or null when it is not one of its type.
 *
 * - `integer`: a JSON integer or a text of digits, with or without sign, of any length. `"+007"` is `7`.
 * - `decimal`: a JSON number or a text of one; exponents from -1,000 to 1,000 are written out. `1.50e1` is `15`.
 * - `timestamp`: a text, a date or a date and time of ISO 8601 (`T` or a space between; seconds may be missing; `Z`,
 *   `+hh:mm`, `+hhmm` or `+hh`; UTC without any). Canonical: seconds since 1970-01-01T00:00:00Z as a decimal. A leap
 *   second is the second after it.
 * - `text`: any text that PostgreSQL can hold, as it is.
 */
export function canonicalVersion(type: VersionType, value: VersionValue): string | null {
  switch (type) {
    case 'integer':
      return canonicalInteger('number' in value ? value.number : value.string)
    case 'decimal':
      return canonicalDecimal('number' in value ? value.number : value.string)
    case 'timestamp':
      return 'string' in value ? canonicalTimestamp(value.string) : null
    case 'text':
      return 'string' in value && isStorable(value.string) ? value.string : null
  }
}

/**
 * Compares two canonical versions: negative when `a` is older, 0 when they are equal, positive when `a` is newer.
 *
 * A text that is not of the type, as it is left behind when the declared type was changed, is older than any that is.
 */
export function compareVersions(type: VersionType, a: string, b: string): number {
  if (a === b) return 0
  if (type === 'text') return compareCodePoints(a, b)
  const aFits = decimalText.test(a)
  const bFits = decimalText.test(b)
  if (aFits && bFits) return compareDecimals(a, b)
  return aFits === bFits ? compareCodePoints(a, b) : aFits ? 1 : -1
}

const decimalText = /^-?\d+(?:\.\d+)?$/

function canonicalInteger(text: string): string | null {
  const match = /^([+-]?)(\d+)$/.exec(text)
  return match === null ? null : decimalOf(match[1] === '-', match[2] ?? '', '')
}

const largestExponent = 1000

function canonicalDecimal(text: string): string | null {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)
  if (match === null) return null
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match
  const exponent = Number(exponentText)
  if (Math.abs(exponent) > largestExponent) return null
  const digits = whole + fraction
  const point = whole.length + exponent
  return decimalOf(
    sign === '-',
    point <= 0 ? '0' : digits.slice(0, point).padEnd(point, '0'),
    point <= 0 ? '0'.repeat(-point) + digits : digits.slice(point),
  )
}

/** Writes a decimal without needless zeros. */
function decimalOf(isNegative: boolean, whole: string, fraction: string): string {
  const shortWhole = withoutLeadingZeros(whole)
  const shortFraction = withoutTrailingZeros(fraction)
  const text = shortFraction === '' ? shortWhole : `${shortWhole}.${shortFraction}`
  return isNegative && text !== '0' ? `-${text}` : text
}

// Loops, for patterns such as /^0*(\d+)$/ take quadratic time on texts made for that.
function withoutLeadingZeros(digits: string): string {
  let start = 0
  while (start < digits.length - 1 && digits[start] === '0') start++
  return digits.slice(start)
}

function withoutTrailingZeros(digits: string): string {
  let end = digits.length
  while (end > 0 && digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

const timestamp = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?$/

const secondsOfDay = 86_400

function canonicalTimestamp(text: string): string | null {
  const match = timestamp.exec(text)
  if (match === null) return null
  const field = (index: number): number => Number(match[index] ?? 0)
  const [year, month, day, hour, minute, second] = [field(1), field(2), field(3), field(4), field(5), field(6)]
  const [offsetHours, offsetMinutes] = [field(9), field(10)]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return null
  if (hour > 23 || minute > 59 || second > 60 || offsetHours > 23 || offsetMinutes > 59) return null
  const offset = (offsetHours * 3600 + offsetMinutes * 60) * (match[8] === '-' ? -1 : 1)
  const seconds = daysSinceEpoch(year, month, day) * secondsOfDay + hour * 3600 + minute * 60 + second - offset
  // Leap seconds are inserted at the end of a day of UTC, wherever the clock that shows them stands.
  if (second === 60 && seconds % secondsOfDay !== 0) return null
  return addFraction(seconds, match[7] ?? '')
}

function daysInMonth(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
}

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const date = new Date(0)
  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day)
  return date.getTime() / (secondsOfDay * 1000)
}

/** `seconds` plus `0.fraction`, exactly. */
function addFraction(seconds: number, fraction: string): string {
  if (seconds >= 0) return decimalOf(false, String(seconds), fraction)
  const digits = withoutTrailingZeros(fraction)
  if (digits === '') return String(seconds)
  // -5 + 0.25 is -(4 + 0.75): the digits' complement.
  const last = digits.length - 1
  const complement = Array.from(digits, (digit, index) => (index === last ? 10 : 9) - Number(digit)).join('')
  return decimalOf(true, String(-seconds - 1), complement)
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function compareDecimals(a: string, b: string): number {
  const isNegative = a.startsWith('-')
  if (isNegative !== b.startsWith('-')) return isNegative ? -1 : 1
  const order = compareMagnitudes(isNegative ? a.slice(1) : a, isNegative ? b.slice(1) : b)
  return isNegative ? -order : order
}

function compareMagnitudes(a: string, b: string): number {
  const aPoint = a.indexOf('.')
  const bPoint = b.indexOf('.')
  const aLength = aPoint === -1 ? a.length : aPoint
  const bLength = bPoint === -1 ? b.length : bPoint
  if (aLength !== bLength) return aLength - bLength
  // Whole parts of one length compare digit by digit, and so do fractions: "." sorts before every digit.
  return a === b ? 0 : a < b ? -1 : 1
}

/** The order of code points; that of `<` is of UTF-16 units, where U+FF5E comes after an emoji. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const aUnit = a.charCodeAt(index)
    const bUnit = b.charCodeAt(index)
    if (aUnit !== bUnit) return rank(aUnit) - rank(bUnit)
  }
  return a.length - b.length
}

/** Puts surrogates, which stand for the code points above U+FFFF, after all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
