/** Statements that would create what a mapping needs and the database lacks: a beginning for the user's own migration. */
import type { Queryable } from '../../store/db.ts'
import { findTable, quote, type TableInfo } from './catalogue.ts'
import type { MappedColumn, Mapping } from './mapping.ts'

/** The statements, in order. Types are guesses that always work: text, and bigint for references. */
export async function missingDdl(db: Queryable, mapping: Mapping): Promise<string[]> {
  const statements: string[] = []
  const table = await findTable(db, mapping.table)
  const columns = [...mapping.columns, ...(Array.isArray(mapping.onDelete) ? mapping.onDelete : [])]
  if (table === null) {
    const lines = ['id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY', `${quote(mapping.key)} text NOT NULL UNIQUE`, ...columns.map(columnLine)]
    statements.push(createTable(mapping.table, lines))
  } else {
    statements.push(...missingColumns(table, mapping.table, columns))
    if (table.columns.has(mapping.key) && !table.uniqueColumns.has(mapping.key)) {
      statements.push(`CREATE UNIQUE INDEX ON ${qualified(mapping.table)} (${quote(mapping.key)});`)
    }
  }
  for (const set of mapping.sets) {
    const setTable = await findTable(db, set.table)
    if (setTable === null) {
      const owner = `${quote(set.owner)} bigint NOT NULL REFERENCES ${qualified(mapping.table)}`
      statements.push(createTable(set.table, [owner, ...set.columns.map(columnLine)]))
      const all = [set.owner, ...set.columns.map((column) => column.name)].map(quote).join(', ')
      statements.push(`CREATE UNIQUE INDEX ON ${qualified(set.table)} (${all});`)
    } else {
      statements.push(...missingColumns(setTable, set.table, set.columns))
    }
  }
  return statements
}

function missingColumns(table: TableInfo, name: string, columns: readonly MappedColumn[]): string[] {
  return columns.filter((column) => !table.columns.has(column.name)).map((column) => `ALTER TABLE ${qualified(name)} ADD COLUMN ${columnLine(column)};`)
}

function createTable(name: string, lines: readonly string[]): string {
  return `CREATE TABLE ${qualified(name)} (\n  ${lines.join(',\n  ')}\n);`
}

function columnLine({ name, source }: MappedColumn): string {
  const type = source.kind === 'now' ? 'timestamptz' : source.kind === 'ref' ? 'bigint' : 'text'
  return `${quote(name)} ${type}`
}

function qualified(name: string): string {
  return name.split('.').map(quote).join('.')
}
