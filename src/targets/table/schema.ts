/** A mapping beside the real tables it writes to. */
import type { Queryable } from '../../store/db.ts'
import { columnOf, foreignColumn, mismatch, quote, refColumnOf, requireTable, type TableInfo, writableColumn } from './catalogue.ts'
import { type Column, differs } from './column.ts'
import type { MappedColumn, MappedSet, Mapping, Source } from './mapping.ts'

/** A mapping that fits its tables; lists stand in the order of the mapping. */
export interface TableSchema {
  mapping: Mapping
  table: TableInfo
  key: Column
  /** The column that references hold. */
  ref: Column
  /** Of the mapping, t.now() included. */
  columns: readonly Column[]
  deletion: readonly DeletionColumn[]
  /** Columns of t.now(), written together with anything else. */
  stamps: readonly Column[]
  sets: readonly SetSchema[]
  /** Names of the columns that an INSERT must give a value. */
  required: readonly string[]
}

/** A column of `onDelete`. */
export interface DeletionColumn {
  column: Column
  source: Source
  /** SQL: what it holds in a row that is there. */
  live: string
  /** SQL of a condition on the row `t`: the column says that it is deleted. */
  isMarked: string
}

/** A set's real table. */
export interface SetSchema {
  mapping: MappedSet
  table: TableInfo
  owner: Column
  /** The column of the objects' table that `owner` refers to. */
  ownerRef: Column
  /** A foreign key holds `owner`: no row can be there before its owner's. */
  isForeign: boolean
  columns: readonly Column[]
}

/** Looks at the tables of a mapping. Throws SluiceError `target_mismatch`. */
export async function readSchema(db: Queryable, mapping: Mapping): Promise<TableSchema> {
  const table = await requireTable(db, mapping.table)
  const key = writableColumn(table, mapping.key)
  if (!table.uniqueColumns.has(mapping.key)) {
    throw mismatch(
      `column "${mapping.key}" of table "${mapping.table}" needs a unique index of its own (not partial, not deferrable), or an object could become two rows. ` +
        `Run: CREATE UNIQUE INDEX ON ${table.sql} (${quote(mapping.key)});`,
    )
  }
  const ref = refColumnOf(table, key)
  const columns = mapping.columns.map(({ name }) => writableColumn(table, name))
  const deletion = Array.isArray(mapping.onDelete) ? mapping.onDelete.map((column) => deletionColumn(table, column)) : []
  const sets: SetSchema[] = []
  for (const set of mapping.sets) sets.push(await readSet(db, set, table, ref))
  return {
    mapping,
    table,
    key,
    ref,
    columns,
    deletion,
    stamps: columns.filter((_, index) => mapping.columns[index]?.source.kind === 'now'),
    sets,
    required: [...table.columns.values()]
      .filter((column) => column.notNull && !column.hasDefault && column.isWritable && column !== key)
      .map(({ name }) => name),
  }
}

async function readSet(db: Queryable, mapping: MappedSet, owners: TableInfo, ref: Column): Promise<SetSchema> {
  const table = await requireTable(db, mapping.table)
  const owner = writableColumn(table, mapping.owner)
  const foreign = await foreignColumn(db, table, mapping.owner, owners)
  return {
    mapping,
    table,
    owner,
    ownerRef: foreign === null ? ref : columnOf(owners, foreign),
    isForeign: foreign !== null,
    columns: mapping.columns.map(({ name }) => writableColumn(table, name)),
  }
}

function deletionColumn(table: TableInfo, { name, source }: MappedColumn): DeletionColumn {
  const column = writableColumn(table, name)
  const value = `t.${column.sql}`
  if (source.kind === 'constant') {
    const constant = `${literal(String(source.value))}::${column.cast}`
    return {
      column,
      source,
      live: column.isBoolean ? `NOT ${constant}` : liveValue(table, column),
      isMarked: `NOT (${differs(column, value, constant)})`,
    }
  }
  const live = liveValue(table, column)
  return { column, source, live, isMarked: differs(column, value, live) }
}

/** Null; the default where null can't be. */
function liveValue(table: TableInfo, column: Column): string {
  if (!column.notNull) return `NULL::${column.cast}`
  if (column.default !== null) return `(${column.default})::${column.cast}`
  throw mismatch(
    `column "${column.name}" of table "${table.name}" stands in "onDelete", can't be null and has no default: nothing could say that a row is there again. Give it a default.`,
  )
}

/** SQL of a condition on the row `t`: it is deleted. Every constant says so, and of the other columns any. */
export function isDeletedSql({ deletion }: TableSchema): string {
  const constants = deletion.filter(({ source }) => source.kind === 'constant').map(({ isMarked }) => `(${isMarked})`)
  const others = deletion.filter(({ source }) => source.kind !== 'constant').map(({ isMarked }) => `(${isMarked})`)
  return [...constants, ...(others.length === 0 ? [] : [`(${others.join(' OR ')})`])].join(' AND ')
}

/** A text as an SQL literal that means the same whatever standard_conforming_strings says. */
function literal(text: string): string {
  const escaped = text.replaceAll("'", "''")
  return text.includes('\\') ? `E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`
}
