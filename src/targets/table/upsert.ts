/** The rows of objects: compared with the table as it is, inserted, updated; many at once, in the order of their keys. */
import { type JsonValue, parseDigits } from '../../json/exact.ts'
import type { Changes } from '../../model/outcome.ts'
import type { Transaction } from '../../store/db.ts'
import type { Column } from './column.ts'
import { Rows } from './rows.ts'
import { isDeletedSql, type TableSchema } from './schema.ts'
import type { Text } from './text.ts'
import { type DesiredRow, now, type Write, writesOf } from './writes.ts'

/** An object's row in the table. */
export interface FoundRow {
  index: number
  ref: string
  /** By set: what its owner column holds for this object. */
  owners: readonly Text[]
  wasDeleted: boolean
  /** Null when nothing differs. */
  changes: Changes | null
}

interface FoundSql {
  n: number
  ref: string
  owners: Text[] | null
  wasDeleted: boolean
  diff: string | null
}

/**
 * Locks the rows that are there, and tells what would change in each.
 *
 *     SELECT u.n, t.id::text, … FROM unnest(…) AS u JOIN employee AS t ON t.ms_id = u.k::text ORDER BY t.ms_id FOR UPDATE OF t
 */
export async function lockAndCompare(tx: Transaction, schema: TableSchema, desired: readonly DesiredRow[]): Promise<FoundRow[]> {
  const rows = new Rows(desired)
  const key = addKey(rows, schema)
  const writes = writesOf(rows, schema)
  const wasDeleted = schema.deletion.length === 0 ? 'false' : isDeletedSql(schema)
  const pairs = writes.map(
    (write) => `CASE WHEN ${write.differs} THEN pg_catalog.json_build_array(t.${write.column.sql}, ${write.next}) END`,
  )
  const diff =
    writes.length === 0
      ? 'NULL'
      : `CASE WHEN ${writes.map((write) => write.differs).join(' OR ')} THEN pg_catalog.array_to_json(ARRAY[${pairs.join(', ')}]::json[])::text END`
  const result = await tx.query<FoundSql>(
    `SELECT u.n, ${refSql(schema)}, ${wasDeleted} AS "wasDeleted", ${diff} AS diff
     FROM ${rows.sql} JOIN ${schema.table.sql} AS t ON t.${schema.key.sql} = ${key} ORDER BY t.${schema.key.sql} FOR UPDATE OF t`,
    rows.parameters,
  )
  return result.rows.map((row) => ({ ...foundRow(schema, row), wasDeleted: row.wasDeleted, changes: changesOf(writes, row.diff) }))
}

/** `[[before, after], null, …]`, as PostgreSQL writes values in JSON, by column. */
function changesOf(writes: readonly Write[], diff: string | null): Changes | null {
  if (diff === null) return null
  const changes: Changes = {}
  for (const [index, pair] of (parseDigits(diff) as ([JsonValue, JsonValue] | null)[]).entries()) {
    const write = writes[index]
    if (pair !== null && write !== undefined) changes[write.column.name] = { before: pair[0], after: pair[1] }
  }
  return changes
}

/**
 * Inserts rows, one statement for all that give the same columns a value: the others get their defaults. A key that is
 * there already, because another transaction was faster, is left out of the answer.
 */
export async function insertRows(tx: Transaction, schema: TableSchema, desired: readonly DesiredRow[]): Promise<FoundRow[]> {
  const groups: DesiredRow[][] = []
  for (const row of desired) {
    const group = groups.find(([first]) => first !== undefined && isAlike(first, row))
    if (group === undefined) groups.push([row])
    else group.push(row)
  }
  const inserted: FoundRow[] = []
  for (const group of groups) inserted.push(...(await insertGroup(tx, schema, group)))
  return inserted
}

/** Whether two rows give the same columns a value. */
function isAlike(a: DesiredRow, b: DesiredRow): boolean {
  return a.mode === b.mode && haveSame(a.columns, b.columns) && haveSame(a.deletion, b.deletion)
}

function haveSame(a: readonly (Text | undefined)[], b: readonly (Text | undefined)[]): boolean {
  return a.length === b.length && a.every((value, index) => (value === undefined) === (b[index] === undefined))
}

async function insertGroup(tx: Transaction, schema: TableSchema, desired: readonly DesiredRow[]): Promise<FoundRow[]> {
  const [first] = desired
  if (first === undefined) return []
  const rows = new Rows(desired)
  const key = addKey(rows, schema)
  const values: { column: Column; sql: string }[] = [
    { column: schema.key, sql: key },
    ...schema.stamps.map((column) => ({ column, sql: now(column) })),
  ]
  for (const [index, column] of schema.columns.entries()) {
    if (first.columns[index] === undefined) continue
    values.push({ column, sql: rows.text(`c${index}`, column.cast, (row) => row.columns[index] ?? null) })
  }
  for (const [index, { column, source }] of first.mode === 'deleted' ? schema.deletion.entries() : []) {
    if (source.kind === 'now') values.push({ column, sql: now(column) })
    else if (first.deletion[index] !== undefined) {
      values.push({ column, sql: rows.text(`d${index}`, column.cast, (row) => row.deletion[index] ?? null) })
    }
  }
  const result = await tx.query<FoundSql>(
    `WITH inserted AS (
       INSERT INTO ${schema.table.sql} AS t (${values.map(({ column }) => column.sql).join(', ')})
       SELECT ${values.map(({ sql }) => sql).join(', ')} FROM ${rows.sql} ORDER BY ${key}
       ON CONFLICT (${schema.key.sql}) DO NOTHING RETURNING t.${schema.key.sql} AS key, ${refSql(schema)}
     ) SELECT u.n, i.ref, i.owners FROM inserted AS i JOIN unnest($1::integer[], $2::text[]) AS u (n, k) ON i.key = ${key}`,
    rows.parameters,
  )
  return result.rows.map((row) => ({ ...foundRow(schema, row), wasDeleted: false, changes: null }))
}

/**
 * Writes rows that differ, in one statement: the columns that differ in any of them, and the stamps. The rows are locked by
 * {@link lockAndCompare}, so what it compared is what is written.
 */
export async function updateRows(
  tx: Transaction,
  schema: TableSchema,
  desired: readonly DesiredRow[],
  changed: ReadonlySet<string>,
): Promise<void> {
  if (desired.length === 0) return
  const rows = new Rows(desired)
  const key = addKey(rows, schema)
  const writes = writesOf(rows, schema, changed)
  const assignments = [
    ...writes.map(({ column, next }) => `${column.sql} = ${next}`),
    ...schema.stamps.map((column) => `${column.sql} = ${now(column)}`),
  ]
  if (assignments.length === 0) return
  await tx.query(
    `UPDATE ${schema.table.sql} AS t SET ${assignments.join(', ')} FROM ${rows.sql} WHERE t.${schema.key.sql} = ${key}`,
    rows.parameters,
  )
}

/** `ref` and `owners` of the row `t`. */
export function refSql(schema: TableSchema): string {
  const owners = hasOwnOwners(schema) ? `ARRAY[${schema.sets.map((set) => `t.${set.ownerRef.sql}::text`).join(', ')}]` : 'NULL::text[]'
  return `t.${schema.ref.sql}::text AS ref, ${owners} AS owners`
}

/** The parts of a found row that {@link refSql} selects. */
export function foundRow(schema: TableSchema, row: Pick<FoundSql, 'n' | 'ref' | 'owners'>): Pick<FoundRow, 'index' | 'ref' | 'owners'> {
  return { index: row.n, ref: row.ref, owners: row.owners ?? schema.sets.map(() => row.ref) }
}

/** Whether a set refers to another column than references do. */
function hasOwnOwners(schema: TableSchema): boolean {
  return schema.sets.some((set) => set.ownerRef.name !== schema.ref.name)
}

/** Number and key of each row, the first two parameters of every statement; gives the key's SQL. */
export function addKey(rows: Rows<DesiredRow>, schema: TableSchema): string {
  rows.number('n', (row) => row.index)
  return rows.text('k', schema.key.cast, (row) => row.key)
}
