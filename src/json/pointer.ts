/** Ways to name a place in a JSON value: JSON Pointers (RFC 6901), and the dot paths that configs use. */
import { SluiceError } from '../errors.ts'
import { ExactNumber, type JsonValue } from './value.ts'

/** The JSON Pointer of a path: `['a/b', 0]` is `/a~1b/0`; no segments is `''`, the whole value. */
export function formatPointer(segments: readonly (string | number)[]): string {
  let pointer = ''
  for (const segment of segments) {
    pointer += `/${typeof segment === 'number' ? segment : segment.replaceAll('~', '~0').replaceAll('/', '~1')}`
  }
  return pointer
}

/**
 * The segments of a JSON Pointer, unescaped. Whether `0` is an index or a key depends on the value it is applied to.
 *
 * @throws SluiceError `invalid_pointer`
 */
export function parsePointer(pointer: string): string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw invalidPointer(pointer, 'it must be empty or begin with "/"')
  if (/~(?![01])/.test(pointer)) throw invalidPointer(pointer, 'write "~0" for "~" and "~1" for "/"')
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function invalidPointer(pointer: string, rule: string): SluiceError {
  return new SluiceError('invalid_pointer', `${JSON.stringify(pointer)} is no JSON Pointer: ${rule}`)
}

/** What a JSON Pointer points at; undefined where there is nothing. Throws as {@link parsePointer} does. */
export function getPointer(value: JsonValue, pointer: string): JsonValue | undefined {
  return walk(value, parsePointer(pointer))
}

/**
 * What stands at a dot path such as `names.0.value`; undefined where there is nothing. Own members only: nothing that
 * JavaScript's prototypes lend. A key that has a dot in it can't be named this way.
 */
export function getPath(value: JsonValue, path: string): JsonValue | undefined {
  return path.includes('.') ? walk(value, path.split('.')) : member(value, path)
}

function walk(value: JsonValue, segments: readonly string[]): JsonValue | undefined {
  let found: JsonValue | undefined = value
  for (const segment of segments) {
    if (found === undefined) return undefined
    found = member(found, segment)
  }
  return found
}

const arrayIndex = /^(?:0|[1-9]\d*)$/

function member(value: JsonValue, name: string): JsonValue | undefined {
  if (value === null || typeof value !== 'object' || value instanceof ExactNumber) return undefined
  if (Array.isArray(value)) return arrayIndex.test(name) ? value[Number(name)] : undefined
  return Object.hasOwn(value, name) ? value[name] : undefined
}

/** The pointer of a dot path: `a.b.0` becomes `/a/b/0`. */
export function pathToPointer(path: string): string {
  return formatPointer(path.split('.'))
}
