/** Sets: the rows in the message replace the rows in the table, owner by owner; only differences are written. */
import { type JsonValue, parseExact } from '../../json/exact.ts'
import type { Transaction } from '../../store/db.ts'
import { comparable, equals } from './column.ts'
import { Rows } from './rows.ts'
import type { SetSchema, TableSchema } from './schema.ts'
import type { Text } from './text.ts'

/** The rows that one object wants in a set. */
export interface DesiredSet {
  /** Of the item in the batch. */
  index: number
  owner: string
  /** The owner's row was made just now. */
  isNew: boolean
  rows: readonly (readonly Text[])[]
}

/** Rows that were written, as objects of their columns. */
export interface SetChange {
  added: Record<string, JsonValue>[]
  removed: Record<string, JsonValue>[]
}

/** Makes the table hold exactly these rows for these owners. Gives what was written, by index of the item. */
export async function replaceRows(tx: Transaction, set: SetSchema, desired: readonly DesiredSet[]): Promise<Map<number, SetChange>> {
  const changes = new Map<number, SetChange>()
  const note = (kind: keyof SetChange, written: readonly { n: number; row: string }[]): void => {
    for (const { n, row } of written) {
      const change = changes.get(n) ?? { added: [], removed: [] }
      const values = parseExact(row) as JsonValue[]
      change[kind].push(Object.fromEntries(set.columns.map((column, index) => [column.name, values[index] ?? null])))
      changes.set(n, change)
    }
  }
  // Removed first: a row may take the place of another one under a unique index of the user's own.
  // A new owner has no rows yet where a foreign key says so; elsewhere those of an owner that went may have stayed.
  if (desired.some(({ isNew }) => !isNew || !set.isForeign)) note('removed', await removeOthers(tx, set, desired))
  if (desired.some(({ rows }) => rows.length > 0)) note('added', await addMissing(tx, set, desired))
  return changes
}

interface Written {
  n: number
  row: string
}

async function removeOthers(tx: Transaction, set: SetSchema, desired: readonly DesiredSet[]): Promise<Written[]> {
  const rows = wantedRows(set, desired)
  const [n, o] = [rows.parameters.length + 1, rows.parameters.length + 2]
  const { rows: written } = await tx.query<Written>(
    `DELETE FROM ${set.table.sql} AS s USING unnest($${n}::integer[], $${o}::text[]) AS own (n, o)
     WHERE s.${set.owner.sql} = own.o::${set.owner.cast}
       AND NOT EXISTS (SELECT FROM ${rows.sql} WHERE ${sameRow(set)})
     RETURNING own.n, ${rowJson(set, 's')} AS row`,
    [...rows.parameters, desired.map(({ index }) => index), desired.map(({ owner }) => owner)],
  )
  return written
}

async function addMissing(tx: Transaction, set: SetSchema, desired: readonly DesiredSet[]): Promise<Written[]> {
  const rows = wantedRows(set, desired)
  const [n, o] = [rows.parameters.length + 1, rows.parameters.length + 2]
  const { rows: written } = await tx.query<Written>(
    `WITH added AS (${insertMissing(set, rows.sql)} RETURNING ${set.owner.sql} AS owner, ${rowJson(set, 's')} AS row)
     SELECT own.n, a.row FROM added AS a JOIN unnest($${n}::integer[], $${o}::text[]) AS own (n, o) ON a.owner = own.o::${set.owner.cast}`,
    [...rows.parameters, desired.map(({ index }) => index), desired.map(({ owner }) => owner)],
  )
  return written
}

/**
 * Adds rows for deferred links that have come, where the owner's row is there and the set's is not.
 *
 * @param rows by the owner's `ref`, which is not always what the set's owner column holds
 */
export async function addRows(
  tx: Transaction,
  schema: TableSchema,
  set: SetSchema,
  rows: readonly { ref: string; values: readonly Text[] }[],
): Promise<void> {
  const given = new Rows(rows)
  const ref = given.text('r', schema.ref.cast, (row) => row.ref)
  for (const index of set.columns.keys()) given.text(`c${index}`, 'text', (row) => row.values[index] ?? null)
  const columns = set.columns.map((_, index) => `u.c${index}`)
  const owned = `(SELECT t.${set.ownerRef.sql}::text AS o, ${columns.join(', ')} FROM ${given.sql} JOIN ${schema.table.sql} AS t ON t.${schema.ref.sql} = ${ref}) AS u`
  await tx.query(insertMissing(set, owned), given.parameters)
}

/** Removes the rows of owners that go themselves. */
export async function removeOwners(tx: Transaction, set: SetSchema, owners: readonly Text[]): Promise<void> {
  await tx.query(
    `DELETE FROM ${set.table.sql} AS s USING unnest($1::text[]) AS own (o) WHERE s.${set.owner.sql} = own.o::${set.owner.cast}`,
    [owners],
  )
}

/** Owner and columns of every wanted row, as texts. */
function wantedRows(set: SetSchema, desired: readonly DesiredSet[]): Rows<{ owner: string; values: readonly Text[] }> {
  const rows = new Rows(desired.flatMap(({ owner, rows: own }) => own.map((values) => ({ owner, values }))))
  rows.text('o', 'text', (row) => row.owner)
  for (const index of set.columns.keys()) rows.text(`c${index}`, 'text', (row) => row.values[index] ?? null)
  return rows
}

/** Inserts the rows of `u` that are not there, each once, in the order of owner and columns. */
function insertMissing(set: SetSchema, from: string): string {
  const values = [`u.o::${set.owner.cast}`, ...set.columns.map((column, index) => `u.c${index}::${column.cast}`)]
  const order = [`u.o::${set.owner.cast}`, ...set.columns.map((column, index) => comparable(column, `u.c${index}::${column.cast}`))].join(
    ', ',
  )
  return `INSERT INTO ${set.table.sql} AS s (${[set.owner, ...set.columns].map((column) => column.sql).join(', ')})
    SELECT DISTINCT ON (${order}) ${values.join(', ')} FROM ${from}
    WHERE NOT EXISTS (SELECT FROM ${set.table.sql} AS s WHERE ${sameRow(set)}) ORDER BY ${order}`
}

/** SQL: the row `s` of the table is the wanted row `u`. */
function sameRow(set: SetSchema): string {
  const owner = `s.${set.owner.sql} = u.o::${set.owner.cast}`
  return [owner, ...set.columns.map((column, index) => equals(column, `s.${column.sql}`, `u.c${index}::${column.cast}`))].join(' AND ')
}

function rowJson(set: SetSchema, alias: string): string {
  return `pg_catalog.array_to_json(ARRAY[${set.columns.map((column) => `pg_catalog.to_json(${alias}.${column.sql})`).join(', ')}])::text`
}
