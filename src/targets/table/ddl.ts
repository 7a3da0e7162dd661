/** Statements that would create what a mapping needs and the database lacks: a beginning for the user's own migration. */
import type { Queryable } from '../../store/db.ts'
import type { Wanted } from '../target.ts'
import { columnOf, findTable, quote, refColumnOf, splitName, type TableInfo } from './catalogue.ts'
import type { Constant, MappedColumn, MappedSet, Mapping } from './mapping.ts'

const refType = 'bigint'
const refLine = `id ${refType} GENERATED ALWAYS AS IDENTITY PRIMARY KEY`

/**
 * The statements, in order. Types are guesses that always work: text for what comes from an object, the real type for
 * references to a table that is there.
 */
export async function missingDdl(db: Queryable, mapping: Mapping): Promise<string[]> {
  const statements = await missingReferenced(db, mapping)
  const table = await findTable(db, mapping.table)
  const lines: string[] = []
  for (const column of mapping.columns) if (table?.columns.has(column.name) !== true) lines.push(await columnLine(db, column))
  for (const column of Array.isArray(mapping.onDelete) ? mapping.onDelete : [])
    if (table?.columns.has(column.name) !== true) lines.push(deletionLine(column))
  if (table === null) {
    statements.push(...createTable(mapping.table, [refLine, `${quote(mapping.key)} text NOT NULL UNIQUE`, ...lines]))
  } else {
    if (!table.columns.has(mapping.key)) lines.unshift(`${quote(mapping.key)} text UNIQUE`)
    else if (!table.uniqueColumns.has(mapping.key)) statements.push(`CREATE UNIQUE INDEX ON ${table.sql} (${quote(mapping.key)})`)
    statements.push(...addColumns(table, lines))
  }
  for (const set of mapping.sets) statements.push(...(await missingSet(db, set, mapping, table)))
  return [...new Set(statements)]
}

/** Tables that nobody feeds: only what references need of them. */
async function missingReferenced(db: Queryable, mapping: Mapping): Promise<string[]> {
  const statements = new Set<string>()
  for (const { source } of [...mapping.columns, ...mapping.sets.flatMap((set) => set.columns)]) {
    if (source.kind !== 'ref' || 'integration' in source.wanted) continue
    const { table, key } = source.wanted
    if ((await findTable(db, table)) === null)
      for (const statement of createTable(table, [refLine, `${quote(key)} text NOT NULL UNIQUE`])) statements.add(statement)
  }
  return [...statements]
}

async function missingSet(db: Queryable, set: MappedSet, mapping: Mapping, owners: TableInfo | null): Promise<string[]> {
  const table = await findTable(db, set.table)
  const lines: string[] = []
  for (const column of set.columns) if (table?.columns.has(column.name) !== true) lines.push(await columnLine(db, column))
  if (table?.columns.has(set.owner) !== true) {
    const key = owners?.columns.get(mapping.key)
    const ref = owners === null || key === undefined ? null : refColumnOf(owners, key)
    const refers = `REFERENCES ${owners?.sql ?? qualified(mapping.table)} (${ref?.sql ?? 'id'})`
    lines.unshift(`${quote(set.owner)} ${ref?.type ?? refType} ${table === null ? 'NOT NULL ' : ''}${refers}`)
  }
  if (table !== null) return addColumns(table, lines)
  const all = [set.owner, ...set.columns.map(({ name }) => name)].map(quote).join(', ')
  return [...createTable(set.table, lines), `CREATE UNIQUE INDEX ON ${qualified(set.table)} (${all})`]
}

async function columnLine(db: Queryable, { name, source }: MappedColumn): Promise<string> {
  if (source.kind === 'ref') return `${quote(name)} ${await typeOfRef(db, source.wanted)}`
  if (source.kind === 'now') return `${quote(name)} timestamptz`
  return `${quote(name)} ${source.kind === 'constant' ? typeOfConstant(source.value) : 'text'}`
}

function deletionLine({ name, source }: MappedColumn): string {
  if (source.kind === 'now') return `${quote(name)} timestamptz`
  if (source.kind !== 'constant') return `${quote(name)} text`
  return typeof source.value === 'boolean'
    ? `${quote(name)} boolean NOT NULL DEFAULT ${!source.value}`
    : `${quote(name)} ${typeOfConstant(source.value)}`
}

function typeOfConstant(value: Constant): string {
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return 'bigint'
  return typeof value === 'number' ? 'numeric' : 'text'
}

/** The type of the other table's own key, where it is known which table that is. */
async function typeOfRef(db: Queryable, wanted: Wanted): Promise<string> {
  const table = 'integration' in wanted ? null : await findTable(db, wanted.table)
  if (table === null || 'integration' in wanted || !table.columns.has(wanted.key)) return refType
  return refColumnOf(table, columnOf(table, wanted.key)).type
}

function addColumns(table: TableInfo, lines: readonly string[]): string[] {
  return lines.map((line) => `ALTER TABLE ${table.sql} ADD COLUMN ${line}`)
}

function createTable(name: string, lines: readonly string[]): string[] {
  const { schema } = splitName(name)
  const statement = `CREATE TABLE IF NOT EXISTS ${qualified(name)} (\n  ${lines.join(',\n  ')}\n)`
  return schema === null || schema === 'public' ? [statement] : [`CREATE SCHEMA IF NOT EXISTS ${quote(schema)}`, statement]
}

function qualified(name: string): string {
  const { schema, table } = splitName(name)
  return schema === null ? quote(table) : `${quote(schema)}.${quote(table)}`
}
