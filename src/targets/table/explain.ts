/** Which column refused an object, and why, in words: asked only after the object failed alone. */
import { pathToPointer } from '../../json/pointer.ts'
import { DatabaseError, type Transaction } from '../../store/db.ts'
import type { ApplyItem } from '../target.ts'
import type { Column } from './catalogue.ts'
import type { Source } from './mapping.ts'
import type { TablePlan, Text } from './plan.ts'
import type { SetSchema } from './sets.ts'
import type { TableSchema } from './upsert.ts'

/** The column, the place in the object, and a text for people; null when nothing more is known than the database said. */
export async function explain(
  tx: Transaction,
  schema: TableSchema,
  sets: ReadonlyMap<string, SetSchema>,
  item: ApplyItem,
  error: unknown,
): Promise<{ column?: string; pointer?: string; message?: string } | null> {
  if (!(error instanceof DatabaseError)) return null
  if (error.sqlstate === '23502' && error.column !== undefined) {
    return { ...where(schema, item, error.column), message: `column "${error.column}" must have a value, and the object carries none` }
  }
  if (!error.sqlstate.startsWith('22')) return null
  if (!(await holds(tx, schema.key, item.object.externalId))) {
    return { column: schema.key.name, message: cannotHold(schema.key, item.object.externalId) }
  }
  const plan = item.plan.payload as TablePlan
  for (const [name, text] of [...plan.values, ...plan.deletion]) {
    const column = schema.columns.get(name)
    if (column !== undefined && text !== null && !(await holds(tx, column, text))) return { ...where(schema, item, name), message: cannotHold(column, text) }
  }
  for (const [name, rows] of plan.sets) {
    for (const row of rows) {
      for (const [index, column] of (sets.get(name)?.columns ?? []).entries()) {
        const text: Text = row.values[index] ?? null
        if (text !== null && !(await holds(tx, column, text))) return { column: `${name}.${column.name}`, message: cannotHold(column, text) }
      }
    }
  }
  return null
}

async function holds(tx: Transaction, column: Column, text: string): Promise<boolean> {
  if (column.maxLength !== null && [...text].length > column.maxLength) return false
  await tx.query('SAVEPOINT explain')
  try {
    await tx.query(`SELECT $1::text::${column.cast}`, [text])
    return true
  } catch {
    await tx.query('ROLLBACK TO SAVEPOINT explain')
    return false
  } finally {
    await tx.query('RELEASE SAVEPOINT explain')
  }
}

const longestShown = 60

function cannotHold(column: Column, text: string): string {
  const shown = text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
  return `column "${column.name}" (${column.type}) can't hold ${JSON.stringify(shown)}`
}

function where(schema: TableSchema, item: ApplyItem, name: string): { column: string; pointer?: string } {
  const source = schema.mapping.columns.find((column) => column.name === name)?.source
  const path = source === undefined ? null : pathOf(source)
  return { column: name, ...(path === null ? {} : { pointer: `/${item.object.ordinal}${pathToPointer(path)}` }) }
}

function pathOf(source: Source): string | null {
  return source.kind === 'field' || source.kind === 'ref' ? source.path : null
}
