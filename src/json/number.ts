/** The grammar of numbers (RFC 8259, section 6), a byte at a time. */
import { minus, nine, plus, zero } from './bytes.ts'

/** No number has this byte here. */
export const refused = 0
const afterMinus = 1
const afterPoint = 2
export const afterE = 3
const afterSign = 4
const wholeZero = 5
const whole = 6
const fraction = 7
const exponent = 8

/** The part that a number's first byte begins; `refused` where it begins none. */
export function firstPart(byte: number): number {
  if (byte === minus) return afterMinus
  if (byte < zero || byte > nine) return refused
  return byte === zero ? wholeZero : whole
}

/** The part that the next byte begins or continues; `refused` where the number has ended, or may not go on like that. */
export function nextPart(part: number, byte: number): number {
  if (byte >= zero && byte <= nine) {
    if (part >= whole) return part
    if (part === afterMinus) return byte === zero ? wholeZero : whole
    if (part === wholeZero) return refused
    return part === afterPoint ? fraction : exponent
  }
  if (byte === 0x2e) return part === wholeZero || part === whole ? afterPoint : refused
  if (byte === 0x65 || byte === 0x45) return part >= wholeZero && part !== exponent ? afterE : refused
  return (byte === plus || byte === minus) && part === afterE ? afterSign : refused
}

/** True where a number may end. */
export function mayEnd(part: number): boolean {
  return part >= wholeZero
}
