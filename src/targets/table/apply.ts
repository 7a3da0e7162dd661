/** A batch of objects on its way into the table: insert, compare, replace the sets, update; in that order. */
import type { Changes, Result } from '../../model/outcome.ts'
import type { Transaction } from '../../store/db.ts'
import { type ApplyItem, AtItem, ObjectError } from '../target.ts'
import type { PlannedRow, TablePlan } from './plan.ts'
import { removeObjects } from './remove.ts'
import type { SetSchema, TableSchema } from './schema.ts'
import { type DesiredSet, replaceRows } from './sets.ts'
import type { Text } from './text.ts'
import { type FoundRow, insertRows, lockAndCompare, updateRows } from './upsert.ts'
import type { DesiredRow } from './writes.ts'

/** An object whose row is there, or was made just now. */
interface Standing {
  desired: DesiredRow
  found: FoundRow
  isNew: boolean
  setChanges: Changes
}

/** How often a row is looked for that could be neither found nor inserted, because others make and remove it meanwhile. */
const mostRounds = 3

/** Applies objects and gives a result for each, in order. Throws {@link AtItem}, or what the database threw. */
export async function applyItems(tx: Transaction, schema: TableSchema, items: readonly ApplyItem[]): Promise<Result[]> {
  const results = new Map<number, Result>()
  const removed: DesiredRow[] = []
  const desired: DesiredRow[] = []
  for (const [index, item] of items.entries()) {
    const row = desiredRow(schema, item, index)
    if (schema.mapping.onDelete === 'delete' && row.mode === 'deleted') removed.push(row)
    else desired.push(row)
  }
  for (const [index, result] of await removeObjects(tx, schema, removed)) results.set(index, result)
  const standing = await findOrInsert(tx, schema, items, desired)
  for (const [index, set] of schema.sets.entries()) await replaceSet(tx, set, index, items, standing)
  await update(tx, schema, standing)
  for (const each of standing) results.set(each.desired.index, resultOf(each))
  return items.map((item, index) => results.get(index) ?? { outcome: item.deletion === 'keep' ? 'superseded' : 'ignored' })
}

/** Rows that stay missing are not in the answer: deletions of what is not there, and older versions of what is gone. */
async function findOrInsert(
  tx: Transaction,
  schema: TableSchema,
  items: readonly ApplyItem[],
  desired: readonly DesiredRow[],
): Promise<Standing[]> {
  const sought = new Map(desired.map((row) => [row.index, row]))
  const standing: Standing[] = []
  const taken = new Map<string, number>()
  const take = (found: readonly FoundRow[], isNew: boolean): void => {
    for (const row of found) {
      expectOwn(schema, items, taken, row)
      const own = sought.get(row.index)
      if (own === undefined) continue
      sought.delete(row.index)
      standing.push({ desired: own, found: row, isNew, setChanges: {} })
    }
  }
  const insertable = (): DesiredRow[] => [...sought.values()].filter((row) => mayCreate(schema, row))
  // What the ledger doesn't know is hardly ever there: it is inserted without a look, unless it can only be a part of a row
  // that is there.
  take(
    await insertRows(
      tx,
      schema,
      insertable().filter((row) => items[row.index]?.isKnown === false && hasRequired(schema, row)),
    ),
    true,
  )
  for (let round = 0; sought.size > 0; round++) {
    take(await lockAndCompare(tx, schema, [...sought.values()]), false)
    const missing = insertable()
    const [first] = missing
    if (first === undefined) break
    if (round === mostRounds) throw new AtItem(first.index, notInserted(schema, first))
    take(await insertRows(tx, schema, missing), true)
  }
  return standing
}

function notInserted(schema: TableSchema, { key }: DesiredRow): ObjectError {
  return new ObjectError(
    'row_not_inserted',
    `table "${schema.table.name}" took the row of "${key}" without an error, but it isn't there. A trigger may have dropped it, or a row security policy may hide it.`,
  )
}

/** Two external IDs may be one value of the key column ("1" and "01" of an integer): they are applied one after the other. */
function expectOwn(schema: TableSchema, items: readonly ApplyItem[], taken: Map<string, number>, { ref, index }: FoundRow): void {
  const other = taken.get(ref)
  taken.set(ref, index)
  if (other === undefined) return
  const [first, second] = [Math.min(other, index), Math.max(other, index)]
  const ids = `"${items[first]?.object.externalId}" and "${items[second]?.object.externalId}"`
  const { name, type } = schema.key
  throw new AtItem(
    second,
    new ObjectError('same_key', `the external IDs ${ids} are the same value in column "${name}" (${type})`, { column: name }),
  )
}

function mayCreate(schema: TableSchema, row: DesiredRow): boolean {
  if (row.mode !== 'deleted') return row.mode === 'live'
  return schema.mapping.deletedUnknown === 'create' && hasRequired(schema, row)
}

/** Whether a row has a value for every column that needs one. */
function hasRequired(schema: TableSchema, row: DesiredRow): boolean {
  return schema.required.every((name) => {
    const index = schema.columns.findIndex((column) => column.name === name)
    const deletion = schema.deletion.findIndex(({ column }) => column.name === name)
    if (schema.mapping.columns[index]?.source.kind === 'now' || schema.deletion[deletion]?.source.kind === 'now') return true
    return (row.columns[index] ?? row.deletion[deletion] ?? null) !== null
  })
}

async function replaceSet(
  tx: Transaction,
  set: SetSchema,
  index: number,
  items: readonly ApplyItem[],
  standing: readonly Standing[],
): Promise<void> {
  const desired: DesiredSet[] = []
  const owners = new Map<number, Standing>()
  for (const each of standing) {
    const item = items[each.desired.index]
    const rows = item?.fields.has(set.mapping.table) === true ? (item.plan.payload as TablePlan).sets[index] : undefined
    if (item === undefined || rows === undefined) continue
    owners.set(each.desired.index, each)
    desired.push({
      index: each.desired.index,
      owner: ownerOf(set, index, each),
      isNew: each.isNew,
      rows: rows.flatMap((row) => resolve(set, row, item)),
    })
  }
  if (desired.length === 0) return
  for (const [itemIndex, change] of await replaceRows(tx, set, desired)) {
    const each = owners.get(itemIndex)
    if (each !== undefined) each.setChanges[set.mapping.table] = { ...change }
  }
}

function ownerOf(set: SetSchema, index: number, { found }: Standing): string {
  const owner = found.owners[index] ?? null
  if (owner !== null) return owner
  throw new AtItem(
    found.index,
    new ObjectError(
      'no_owner',
      `column "${set.ownerRef.name}" of the row is null, so that no row of "${set.mapping.table}" can refer to it`,
      { column: set.ownerRef.name },
    ),
  )
}

/** The texts of a set's row; none while its deferred reference is missing. */
function resolve(set: SetSchema, row: PlannedRow, item: ApplyItem): Text[][] {
  let isOpen = false
  const texts = row.values.map((value, index): Text => {
    if (value === null || typeof value === 'string') return value
    const ref = item.references[value.reference] ?? null
    const name = set.mapping.columns[index]?.name ?? ''
    if (row.details?.column === name) isOpen = ref === null
    // What the row's other references resolved to goes along with the deferred one.
    else if (row.details !== null) row.details.row[name] = ref
    return ref
  })
  return isOpen ? [] : [texts]
}

async function update(tx: Transaction, schema: TableSchema, standing: readonly Standing[]): Promise<void> {
  const isTouched = (each: Standing): boolean => schema.stamps.length > 0 && Object.keys(each.setChanges).length > 0
  const changed = standing.filter((each) => !each.isNew && (each.found.changes !== null || isTouched(each)))
  const columns = new Set(changed.flatMap(({ found }) => Object.keys(found.changes ?? {})))
  await updateRows(
    tx,
    schema,
    changed.map(({ desired }) => desired),
    columns,
  )
}

function resultOf({ desired, found, isNew, setChanges }: Standing): Result {
  const { ref } = found
  if (isNew) return desired.mode === 'deleted' ? { outcome: 'deleted', detail: 'created', ref } : { outcome: 'created', ref }
  const changes = { ...found.changes, ...setChanges }
  if (Object.keys(changes).length === 0) return { outcome: 'unchanged', ref }
  return { outcome: desired.mode === 'deleted' && !found.wasDeleted ? 'deleted' : 'updated', ref, changes }
}

function desiredRow(schema: TableSchema, { object, plan, fields, references, deletion }: ApplyItem, index: number): DesiredRow {
  const payload = plan.payload as TablePlan
  const columns = schema.mapping.columns.map(({ name }, at): Text | undefined => {
    const value = fields.has(name) ? payload.columns[at] : undefined
    return typeof value === 'object' && value !== null ? (references[value.reference] ?? null) : value
  })
  return { index, key: object.externalId, mode: deletion, columns, deletion: payload.deletion }
}
