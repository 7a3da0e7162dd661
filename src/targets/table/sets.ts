/** Sets: the rows in the message replace the rows in the table, owner by owner; only differences are written. */
import type { Transaction } from '../../store/db.ts'
import type { Column, TableInfo } from './catalogue.ts'
import type { Text } from './plan.ts'
import { differs, typedRows } from './rows.ts'

/** A set's real table. */
export interface SetSchema {
  table: TableInfo
  owner: Column
  columns: Column[]
}

/** The rows that one object wants in a set. */
export interface DesiredRows {
  /** The owner's ref. */
  owner: string
  rows: Text[][]
}

/** What was written, by owner: rows as objects of texts. */
export type SetChanges = Map<string, { added: Record<string, Text>[]; removed: Record<string, Text>[] }>

/** Makes the table hold exactly these rows for these owners. */
export async function replaceRows(tx: Transaction, set: SetSchema, desired: readonly DesiredRows[]): Promise<SetChanges> {
  const changes: SetChanges = new Map()
  if (desired.length === 0) return changes
  const flat = desired.flatMap(({ owner, rows }) => rows.map((row) => ({ owner, row })))
  const wanted = typedRows([
    { alias: 'o', cast: set.owner.cast, texts: flat.map(({ owner }) => owner) },
    ...set.columns.map((column, index) => ({ alias: `c${index}`, cast: column.cast, texts: flat.map(({ row }) => row[index] ?? null) })),
  ])
  const owners = typedRows([{ alias: 'o', cast: set.owner.cast, texts: desired.map(({ owner }) => owner) }], wanted.parameters.length + 1)
  const names = set.columns.map((column) => column.sql)
  const isSame = set.columns.map((column, index) => ` AND NOT (${differs(column, `s.${column.sql}`, `d.c${index}`)})`).join('')
  const asTexts = (alias: string): string => `ARRAY[${names.map((name) => `${alias}.${name}::text`).join(', ')}]::text[]`
  const list = names.map((_, index) => `d.c${index}`)
  const { rows } = await tx.query<{ kind: 'added' | 'removed'; owner: string; row: Text[] }>(
    `WITH d AS MATERIALIZED ${wanted.sql}, removed AS (
       DELETE FROM ${set.table.sql} AS s USING ${owners.sql} AS w
       WHERE s.${set.owner.sql} = w.o AND NOT EXISTS (SELECT FROM d WHERE d.o = s.${set.owner.sql}${isSame})
       RETURNING s.${set.owner.sql}::text AS owner, ${asTexts('s')} AS row
     ), added AS (
       INSERT INTO ${set.table.sql} AS s (${[set.owner.sql, ...names].join(', ')})
       SELECT DISTINCT ${['d.o', ...list].join(', ')} FROM d
       WHERE NOT EXISTS (SELECT FROM ${set.table.sql} AS s WHERE s.${set.owner.sql} = d.o${isSame})
       ORDER BY ${['d.o', ...list].join(', ')}
       RETURNING s.${set.owner.sql}::text AS owner, ${asTexts('s')} AS row
     )
     SELECT 'removed' AS kind, owner, row FROM removed UNION ALL SELECT 'added', owner, row FROM added`,
    [...wanted.parameters, ...owners.parameters],
  )
  for (const { kind, owner, row } of rows) {
    const change = changes.get(owner) ?? { added: [], removed: [] }
    change[kind].push(Object.fromEntries(set.columns.map((column, index) => [column.name, row[index] ?? null])))
    changes.set(owner, change)
  }
  return changes
}

/** Adds rows that are not there yet. */
export async function addRows(tx: Transaction, set: SetSchema, rows: readonly { owner: string; row: Text[] }[]): Promise<void> {
  const wanted = typedRows([
    { alias: 'o', cast: set.owner.cast, texts: rows.map(({ owner }) => owner) },
    ...set.columns.map((column, index) => ({ alias: `c${index}`, cast: column.cast, texts: rows.map(({ row }) => row[index] ?? null) })),
  ])
  const list = ['d.o', ...set.columns.map((_, index) => `d.c${index}`)]
  const isSame = set.columns.map((column, index) => ` AND NOT (${differs(column, `s.${column.sql}`, `d.c${index}`)})`).join('')
  await tx.query(
    `INSERT INTO ${set.table.sql} AS s (${[set.owner.sql, ...set.columns.map((column) => column.sql)].join(', ')})
     SELECT DISTINCT ${list.join(', ')} FROM ${wanted.sql} AS d
     WHERE NOT EXISTS (SELECT FROM ${set.table.sql} AS s WHERE s.${set.owner.sql} = d.o${isSame}) ORDER BY ${list.join(', ')}`,
    wanted.parameters,
  )
}
