/** Statements that would create what a mapping needs and the database lacks: a beginning for the user's own migration. */
import type { Queryable } from '../../store/db.ts'
import type { DdlContext } from '../target.ts'
import { columnOf, findTable, quote, refColumnOf, splitName, type TableInfo } from './catalogue.ts'
import { columnType, itemsAt, type SchemaNode, schemaAt } from './column-type.ts'
import type { Constant, MappedColumn, MappedSet, Mapping, RefSource } from './mapping.ts'

const idType = 'bigint'
const idLine: Line = { sql: `id ${idType} GENERATED ALWAYS AS IDENTITY PRIMARY KEY` }

/** A column's definition, with what its reader should know. */
interface Line {
  sql: string
  note?: string
}

const chooseType = 'choose the type'

/** What is known of the objects when nobody says anything. */
const nothingKnown: DdlContext = { key: '', jsonSchema: null, tableOf: () => null }

/**
 * The statements, in order. The types are the schema's where it has such a type, the real ones for references to a table
 * that is there; what is left is `text`, with a comment that asks to choose.
 */
export async function missingDdl(db: Queryable, mapping: Mapping, context: DdlContext = nothingKnown): Promise<string[]> {
  const statements = await missingReferenced(db, mapping)
  const table = await findTable(db, mapping.table)
  const lines: Line[] = []
  const { jsonSchema } = context
  for (const column of mapping.columns)
    if (table?.columns.has(column.name) !== true) lines.push(await columnLine(db, mapping, context, column, jsonSchema))
  for (const column of Array.isArray(mapping.onDelete) ? mapping.onDelete : [])
    if (table?.columns.has(column.name) !== true) lines.push(deletionLine(column, jsonSchema))
  const key = keyOf(mapping, context)
  if (table === null) {
    const identity = key.isPrimary
      ? [{ sql: `${quote(mapping.key)} ${key.type} PRIMARY KEY` }]
      : [idLine, { sql: `${quote(mapping.key)} ${key.type} NOT NULL UNIQUE` }]
    statements.push(...createTable(mapping.table, [...identity, ...lines]))
  } else {
    if (!table.columns.has(mapping.key)) lines.unshift({ sql: `${quote(mapping.key)} ${key.type} UNIQUE` })
    else if (!table.uniqueColumns.has(mapping.key)) statements.push(uniqueIndex(mapping.table, mapping.key, [mapping.key]))
    statements.push(...addColumns(table, lines))
  }
  for (const set of mapping.sets) statements.push(...(await missingSet(db, set, mapping, context, table)))
  return [...new Set(statements)]
}

/** The column of the external ID; the primary key where another column already has the name `id`. */
function keyOf({ key, columns, onDelete }: Mapping, context: DdlContext): { type: string; isPrimary: boolean } {
  const names = [key, ...[...columns, ...(Array.isArray(onDelete) ? onDelete : [])].map(({ name }) => name)]
  const type = columnType(context.jsonSchema, schemaAt(context.jsonSchema, context.key))
  // What a master system counts may have leading zeros one day; only what the schema says is an integer is one.
  return { type: type === 'bigint' ? type : 'text', isPrimary: names.includes('id') }
}

/** Tables that nobody feeds: only what references need of them. */
async function missingReferenced(db: Queryable, mapping: Mapping): Promise<string[]> {
  const statements = new Set<string>()
  for (const { source } of [...mapping.columns, ...mapping.sets.flatMap((set) => set.columns)]) {
    if (source.kind !== 'ref' || 'integration' in source.wanted) continue
    const { table, key } = source.wanted
    if ((await findTable(db, table)) === null)
      for (const statement of createTable(table, [idLine, { sql: `${quote(key)} text NOT NULL UNIQUE` }])) statements.add(statement)
  }
  return [...statements]
}

async function missingSet(
  db: Queryable,
  set: MappedSet,
  mapping: Mapping,
  context: DdlContext,
  owners: TableInfo | null,
): Promise<string[]> {
  const table = await findTable(db, set.table)
  const lines: Line[] = []
  const row = set.rows.kind === 'field' ? itemsAt(context.jsonSchema, set.rows.path) : null
  for (const column of set.columns)
    if (table?.columns.has(column.name) !== true) lines.push(await columnLine(db, mapping, context, column, row))
  if (table?.columns.has(set.owner) !== true) lines.unshift(ownerLine(set, mapping, context, owners, table === null))
  if (table !== null) return addColumns(table, lines)
  return [...createTable(set.table, lines), uniqueIndex(set.table, 'row', [set.owner, ...set.columns.map(({ name }) => name)])]
}

function ownerLine(set: MappedSet, mapping: Mapping, context: DdlContext, owners: TableInfo | null, isNew: boolean): Line {
  const key = owners?.columns.get(mapping.key)
  const ref = owners === null || key === undefined ? null : refColumnOf(owners, key)
  const own = keyOf(mapping, context)
  const made = own.isPrimary ? { sql: quote(mapping.key), type: own.type } : { sql: 'id', type: idType }
  const { sql, type } = ref ?? made
  return { sql: `${quote(set.owner)} ${type} ${isNew ? 'NOT NULL ' : ''}REFERENCES ${owners?.sql ?? qualified(mapping.table)} (${sql})` }
}

/** @param row schema of what paths start at: the object, or a row of a set */
async function columnLine(
  db: Queryable,
  mapping: Mapping,
  context: DdlContext,
  { name, source }: MappedColumn,
  row: SchemaNode | null,
): Promise<Line> {
  if (source.kind === 'ref') return refLine(db, mapping, context, name, source)
  if (source.kind === 'now') return { sql: `${quote(name)} timestamptz` }
  if (source.kind === 'constant') return { sql: `${quote(name)} ${typeOfConstant(source.value)}` }
  return valueLine(name, source.kind === 'field' ? columnType(context.jsonSchema, schemaAt(context.jsonSchema, source.path, row)) : null)
}

function valueLine(name: string, type: string | null): Line {
  return type === null ? { sql: `${quote(name)} text`, note: chooseType } : { sql: `${quote(name)} ${type}` }
}

function deletionLine({ name, source }: MappedColumn, jsonSchema: SchemaNode | null): Line {
  if (source.kind === 'now') return { sql: `${quote(name)} timestamptz` }
  if (source.kind === 'field') return valueLine(name, columnType(jsonSchema, schemaAt(jsonSchema, source.path)))
  if (source.kind !== 'constant') return valueLine(name, null)
  return {
    sql:
      typeof source.value === 'boolean'
        ? `${quote(name)} boolean NOT NULL DEFAULT ${!source.value}`
        : `${quote(name)} ${typeOfConstant(source.value)}`,
  }
}

function typeOfConstant(value: Constant): string {
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return 'bigint'
  return typeof value === 'number' ? 'numeric' : 'text'
}

/** A foreign key to the other table's own key, where that table is there or the statements before make it. */
async function refLine(db: Queryable, mapping: Mapping, context: DdlContext, name: string, { wanted }: RefSource): Promise<Line> {
  const other =
    'integration' in wanted ? context.tableOf(wanted.integration) : { name: wanted.table, key: wanted.key, hasId: true, isMade: true }
  if (other === null) return { sql: `${quote(name)} ${idType}`, note: chooseType }
  const table = await findTable(db, other.name)
  if (table === null) {
    const isMade = other.isMade || other.name === mapping.table
    if (isMade && other.hasId) return { sql: `${quote(name)} ${idType} REFERENCES ${qualified(other.name)} (id)` }
    return { sql: `${quote(name)} ${idType}`, note: `add REFERENCES ${qualified(other.name)} when that table is there` }
  }
  if (!table.columns.has(other.key)) return { sql: `${quote(name)} ${idType}`, note: chooseType }
  const ref = refColumnOf(table, columnOf(table, other.key))
  const isUnique = table.primaryKey === ref.name || table.uniqueColumns.has(ref.name)
  return { sql: `${quote(name)} ${ref.type}${isUnique ? ` REFERENCES ${table.sql} (${ref.sql})` : ''}` }
}

/** Named, so that the statement may run again: `sluice dev --sql` runs its file at every start. */
function uniqueIndex(table: string, what: string, columns: readonly string[]): string {
  const name = quote(`${splitName(table).table}_${what}_key`)
  return `CREATE UNIQUE INDEX IF NOT EXISTS ${name} ON ${qualified(table)} (${columns.map(quote).join(', ')})`
}

function addColumns(table: TableInfo, lines: readonly Line[]): string[] {
  return lines.map(({ sql, note }) => `${note === undefined ? '' : `-- ${note}\n`}ALTER TABLE ${table.sql} ADD COLUMN IF NOT EXISTS ${sql}`)
}

function createTable(name: string, lines: readonly Line[]): string[] {
  const { schema } = splitName(name)
  const body = lines.map(({ sql, note }, index) => {
    const comma = index < lines.length - 1 ? ',' : ''
    return `  ${sql}${comma}${note === undefined ? '' : ` -- ${note}`}\n`
  })
  const statement = `CREATE TABLE IF NOT EXISTS ${qualified(name)} (\n${body.join('')})`
  return schema === null || schema === 'public' ? [statement] : [`CREATE SCHEMA IF NOT EXISTS ${quote(schema)}`, statement]
}

function qualified(name: string): string {
  const { schema, table } = splitName(name)
  return schema === null ? quote(table) : `${quote(schema)}.${quote(table)}`
}
