/** What one object asks of its page: values, state and references. Pure. */
import { messageOf } from '../../errors.ts'
import { ExactNumber, type JsonValue } from '../../json/exact.ts'
import { getPath, pathToPointer } from '../../json/pointer.ts'
import { ObjectError, type ObjectToApply, type Plan, type PlannedReference, type Wanted } from '../target.ts'
import { type ParsedPageMapping, type PlainSource, pageFields, parentField } from './mapping.ts'

/** An id as the site knows it, or the index of the plan's reference that it comes from. */
export type PlannedId = string | number

/** The page target's own part of a plan. */
export interface PagePayload {
  parentId: string | null
  title: string
  slug: string | null
  fields: Record<string, JsonValue>
  references: Record<string, PlannedId | null>
  sets: Record<string, PlannedId[]>
}

/** Maps one object. Throws ObjectError. */
export function planPage(mapping: ParsedPageMapping, integration: string, object: ObjectToApply): Plan {
  const carried = pageFields(mapping)
  // A deletion takes its page off and says nothing of its fields, whether it carries them or not.
  if (object.deleted) {
    const payload: PagePayload = { parentId: null, title: '', slug: null, fields: {}, references: {}, sets: {} }
    return { fields: carried, references: [], payload }
  }
  const references: PlannedReference[] = []
  const refer = (wanted: Wanted | null, value: unknown, name: string, pointer: string): PlannedId => {
    const wantedId = externalId(object, value, name, pointer)
    if (wanted === null) return wantedId
    references.push({ field: name, wanted, wantedId, missing: 'wait' })
    return references.length - 1
  }
  const parentId = planParent(mapping, integration, object, refer)
  const title = textOf(object, mapping.title, 'title')
  if (title === null || title.trim() === '')
    throw errorAt(object, 'missing_title', 'a page needs a title', 'title', pointerOf(mapping.title))
  const payload: PagePayload = {
    parentId,
    title,
    slug: mapping.slug === null ? null : textOf(object, mapping.slug, 'slug'),
    fields: {},
    references: {},
    sets: {},
  }
  for (const { name, source } of mapping.fields) {
    const value = sourceValue(object, source, name)
    if (value !== undefined) payload.fields[name] = plainValue(value)
  }
  for (const { name, wanted, path } of mapping.refs) {
    const value = getPath(object.source, path)
    if (value !== undefined) payload.references[name] = value === null ? null : refer(wanted, value, name, pathToPointer(path))
  }
  for (const { name, wanted, path } of mapping.sets) {
    const value = getPath(object.source, path)
    if (value === undefined) continue
    const pointer = pathToPointer(path)
    if (value !== null && !Array.isArray(value))
      throw errorAt(object, 'invalid_set', `"${name}" is an array of external IDs, or null`, name, pointer)
    payload.sets[name] = (value ?? []).map((item, index) => refer(wanted, item, name, `${pointer}/${index}`))
  }
  return { fields: carried, references, payload }
}

function planParent(
  { parent }: ParsedPageMapping,
  integration: string,
  object: ObjectToApply,
  refer: (wanted: Wanted, value: unknown, name: string, pointer: string) => PlannedId,
): string | null {
  if (parent.kind === 'place') return null
  const value = getPath(object.source, parent.path)
  const pointer = pathToPointer(parent.path)
  if (value === null && parent.top !== null) return null
  if (value === undefined || value === null) {
    throw errorAt(object, 'missing_parent', `the page's parent is the object at "${parent.path}", and there is none`, parentField, pointer)
  }
  const id = externalId(object, value, parentField, pointer)
  if (parent.integration === integration && id === object.externalId)
    throw errorAt(object, 'parent_cycle', 'the page would stand under itself', parentField, pointer)
  refer({ integration: parent.integration }, value, parentField, pointer)
  return id
}

function sourceValue(object: ObjectToApply, source: PlainSource, name: string): unknown {
  if (source.kind === 'field') return getPath(object.source, source.path)
  let value: unknown
  try {
    value = source.call(object.output)
  } catch (error) {
    throw errorAt(object, 'mapping_failed', `the function for "${name}" threw an error: ${messageOf(error)}`, name)
  }
  if (!(value instanceof Promise)) return value
  // It is refused as a value; left alone, its rejection would end the process.
  value.catch(() => undefined)
  throw errorAt(object, 'mapping_failed', `the function for "${name}" is asynchronous: a mapping has its values at once`, name)
}

function textOf(object: ObjectToApply, source: PlainSource, name: string): string | null {
  const value = sourceValue(object, source, name)
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value
  if (typeof value === 'number' || value instanceof ExactNumber) return String(value)
  throw errorAt(object, 'invalid_value', `"${name}" is a text`, name, pointerOf(source))
}

/** JSON as any site reads it: a number that JavaScript can't hold is the text of its digits. */
function plainValue(value: unknown): JsonValue {
  if (value instanceof ExactNumber) return value.source
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(plainValue)
  if (typeof value !== 'object' || value === null) return value as JsonValue
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)]))
}

function externalId(object: ObjectToApply, value: unknown, name: string, pointer: string): string {
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  if (value instanceof ExactNumber && /^-?\d+$/.test(value.source)) return value.source
  throw errorAt(object, 'invalid_reference', `"${name}" refers to an object by its external ID, a text or an integer`, name, pointer)
}

function pointerOf(source: PlainSource): string | undefined {
  return source.kind === 'field' ? pathToPointer(source.path) : undefined
}

function errorAt(object: ObjectToApply, code: string, message: string, column: string, pointer?: string): ObjectError {
  return new ObjectError(code, message, { column, ...(pointer === undefined ? {} : { pointer: `/${object.ordinal}${pointer}` }) })
}
