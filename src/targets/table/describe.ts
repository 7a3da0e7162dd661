/** A mapping as plain data, for people to read in the API and UI. */
import type { MappedColumn, Mapping, Source } from './mapping.ts'

/** Sources in words: `field "title"`, `reference to area by "area_ms_id" (waits)`. */
export function describeMapping(mapping: Mapping): Record<string, unknown> {
  return {
    kind: 'table',
    table: mapping.table,
    key: mapping.key,
    columns: describeColumns(mapping.columns),
    sets: Object.fromEntries(
      mapping.sets.map((set) => [
        set.table,
        { owner: set.owner, rows: set.rows.kind === 'field' ? `field "${set.rows.path}"` : 'computed', columns: describeColumns(set.columns) },
      ]),
    ),
    onDelete: mapping.onDelete === null || mapping.onDelete === 'delete' ? mapping.onDelete : describeColumns(mapping.onDelete),
    deletedUnknown: mapping.deletedUnknown,
  }
}

function describeColumns(columns: readonly MappedColumn[]): Record<string, string> {
  return Object.fromEntries(columns.map(({ name, source }) => [name, describeSource(source)]))
}

function describeSource(source: Source): string {
  switch (source.kind) {
    case 'field':
      return `field "${source.path}"`
    case 'call':
      return 'computed'
    case 'constant':
      return source.value === null ? 'null' : `constant ${JSON.stringify(source.value)}`
    case 'now':
      return 'time of the change'
    case 'ref': {
      const what = 'integration' in source.wanted ? source.wanted.integration : `${source.wanted.table}.${source.wanted.key}`
      const by = source.path === null ? 'the row itself' : `"${source.path}"`
      return `reference to ${what} by ${by} (${source.missing === 'wait' ? 'waits' : 'deferred'})`
    }
  }
}
