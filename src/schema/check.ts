/** What an object says of itself, checked: the schema, the external ID, the version, the deletion. */
import { messageOf } from '../errors.ts'
import { ExactNumber, type JsonValue, parseBoth, parseExact } from '../json/exact.ts'
import { formatPointer, getPath } from '../json/pointer.ts'
import { unstorableReason } from '../json/storable.ts'
import type { VersionDeclaration, VersionType } from '../model/integration.ts'
import { canonicalVersion } from '../model/version.ts'
import { issueAt, type SchemaIssue, type ValidationResult } from './issue.ts'
import type { Validator } from './validator.ts'

/** The part of an integration that an object is checked against. */
export interface ObjectRules {
  /** Dot path of the external ID. */
  readonly key: string
  readonly version?: VersionDeclaration | undefined
  readonly deleted?: ((object: unknown) => boolean) | undefined
}

export interface CheckedObject {
  /** An integer by its digits; null when the object has no usable one. */
  externalId: string | null
  /** Canonical; null when none is declared or the object has no usable one. */
  version: string | null
  deleted: boolean
  /** The object as it came, every digit kept. */
  source: JsonValue
  /** What the schema gave out; undefined where it refused. */
  output: unknown
  /** What is wrong; empty for an object that may be applied. */
  issues: SchemaIssue[]
}

/**
 * Checks one object. A deletion needs only its external ID and version: it passes even where the schema refuses it.
 *
 * @param text the object's own JSON text, which the scanner has accepted
 * @returns a promise only where the schema is asynchronous
 */
export function checkObject(rules: ObjectRules, validator: Validator, text: string): CheckedObject | Promise<CheckedObject> {
  const { exact: source, plain } = parseBoth(text)
  if (!isObject(source)) {
    const issue = issueAt('', 'not_an_object', `must be an object, not ${nameOf(source)}`)
    return { externalId: null, version: null, deleted: false, source, output: undefined, issues: [issue] }
  }
  const result = validator.validate(plain)
  return result instanceof Promise
    ? result.then((awaited) => finish(rules, text, source, plain, awaited))
    : finish(rules, text, source, plain, result)
}

/** The external ID of an object that was checked before; null when it has none. */
export function identifyObject(rules: Pick<ObjectRules, 'key'>, text: string): string | null {
  return readExternalId(rules.key, text, parseExact(text), [])
}

function finish(rules: ObjectRules, text: string, source: JsonValue, plain: unknown, result: ValidationResult): CheckedObject {
  const issues: SchemaIssue[] = []
  const externalId = readExternalId(rules.key, text, source, issues)
  const version = rules.version === undefined ? null : readVersion(rules.version, text, source, issues)
  if (result.issues === null) {
    const deleted = isDeleted(rules, result.output, issues)
    return { externalId, version, deleted, source, output: result.output, issues }
  }
  if (isBareDeletion(rules, plain as object)) return { externalId, version, deleted: true, source, output: undefined, issues }
  const told = new Set(result.issues.map((issue) => issue.pointer))
  const own = issues.filter(({ pointer }) => !told.has(pointer) && !result.missing?.has(pointer))
  return { externalId, version, deleted: false, source, output: undefined, issues: [...result.issues, ...own] }
}

const longestId = 1024
/** PostgreSQL's index rows hold 2,704 bytes, and the integration's name stands beside the ID. */
const longestIdBytes = 2048

function readExternalId(key: string, text: string, source: JsonValue, issues: SchemaIssue[]): string | null {
  const value = getPath(source, key)
  const refuse = (code: string, message: string): null => {
    issues.push(issueAt(formatPointer(key.split('.')), code, message))
    return null
  }
  if (value === undefined || value === null) return refuse('missing_external_id', 'must be there: it is the external ID')
  if (typeof value === 'string') {
    if (value === '') return refuse('invalid_external_id', 'must not be empty: it is the external ID')
    // No string of this length is too long in characters or bytes.
    if (value.length > longestIdBytes / 3 && isTooLong(value)) {
      return refuse('invalid_external_id', `must be at most ${longestId} characters and ${longestIdBytes} bytes: it is the external ID`)
    }
    const reason = unstorableReason(value)
    if (reason === null) return value
    return refuse(
      'unstorable_text',
      `must not have ${reason === 'nul' ? 'the character U+0000' : 'half a surrogate pair'}: it is the external ID`,
    )
  }
  const digits = digitsAt(key, text, value)
  if (digits === null || !/^-?\d+$/.test(digits))
    return refuse('invalid_external_id', 'must be a string or an integer: it is the external ID')
  if (digits.length > longestId) return refuse('invalid_external_id', `must be at most ${longestId} digits: it is the external ID`)
  return digits === '-0' ? '0' : digits
}

function isTooLong(text: string): boolean {
  return Buffer.byteLength(text) > longestIdBytes || [...text].length > longestId
}

const versionForms: Record<VersionType, string> = {
  integer: 'an integer, or a text of digits',
  decimal: 'a number, or a text of one',
  timestamp: 'a date, or a date and time, of ISO 8601, such as "2024-05-31T12:00:00Z"',
  text: 'a text without U+0000 and half surrogate pairs',
}

function readVersion({ field, type }: VersionDeclaration, text: string, source: JsonValue, issues: SchemaIssue[]): string | null {
  const value = getPath(source, field)
  const refuse = (code: string, rule: string): null => {
    issues.push(issueAt(formatPointer(field.split('.')), code, `must be ${rule}: it is the version of the object`))
    return null
  }
  if (value === undefined || value === null) return refuse('missing_version', 'there')
  const digits = digitsAt(field, text, value)
  const written = typeof value === 'string' ? { string: value } : digits === null ? null : { number: digits }
  const version = written === null ? null : canonicalVersion(type, written)
  return version ?? refuse('invalid_version', versionForms[type])
}

/** A number that is not written as an integer is: `1.0`, `1e3`. May match inside a string too: that only costs time. */
const otherNumber = /[[:,\s]-?\d+[.eE]/

/** A number as it is written, for `1.0` is no integer but parses as one; null for anything else. */
function digitsAt(path: string, text: string, value: JsonValue): string | null {
  if (value instanceof ExactNumber) return value.source
  if (typeof value !== 'number') return null
  if (!otherNumber.test(text)) return String(value)
  const written = getPath(JSON.parse(text, keepWritten as (key: string, value: unknown) => unknown), path)
  return written instanceof ExactNumber ? written.source : null
}

function keepWritten(_key: string, value: unknown, { source }: { source?: string }): unknown {
  return typeof value === 'number' && source !== undefined ? new ExactNumber(source) : value
}

function isDeleted({ deleted }: ObjectRules, output: unknown, issues: SchemaIssue[]): boolean {
  if (deleted === undefined) return false
  try {
    const answer = ask(deleted, output)
    if (typeof answer === 'boolean') return answer
    // A promise, being true, would delete everything.
    issues.push(issueAt('', 'deleted_callback_failed', `the integration's "deleted" must return true or false, not ${nameOf(answer)}`))
  } catch (error) {
    issues.push(issueAt('', 'deleted_callback_failed', `the integration's "deleted" threw an error: ${messageOf(error)}`))
  }
  return false
}

/**
 * Asks about an object that the schema refuses. The callback expects another shape, so a throw only means no.
 *
 * A deletion has to be said by what the object carries. `o.deleted_at !== null` is true where there is no such field, and
 * would delete an object that is merely incorrect: so the answer must be the same with null and with true in every field that
 * it lacks, or that an object in it lacks.
 */
function isBareDeletion({ deleted }: ObjectRules, plain: object): boolean {
  try {
    return deleted !== undefined && [plain, withMissing(plain, null), withMissing(plain, true)].every((each) => ask(deleted, each) === true)
  } catch {
    return false
  }
}

/** The object as it would look with that value in every field that it lacks. */
function withMissing(object: object, value: unknown): object {
  return new Proxy(object, {
    get: (target, key) => {
      if (typeof key !== 'symbol' && !(key in target)) return value
      const found: unknown = Reflect.get(target, key)
      return isObject(found as JsonValue) ? withMissing(found as object, value) : found
    },
    has: () => true,
  })
}

function ask(deleted: (object: unknown) => unknown, object: unknown): unknown {
  const answer = deleted(object)
  // It is refused as an answer; left alone, its rejection would end the process.
  if (answer instanceof Promise) answer.catch(() => {})
  return answer
}

function isObject(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (value instanceof Promise) return 'a promise'
  if (value instanceof ExactNumber) return 'a number'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
