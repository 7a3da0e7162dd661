/** What a target says of itself, as a list: where each thing of it comes from. */

/** Where the value of a column, or of a page's field, comes from. */
export type SourceKind = 'field' | 'function' | 'constant' | 'now' | 'wait' | 'defer' | 'plain'

export interface TargetRow {
  /** Dot path within the description: `columns.title`. */
  path: string
  kind: SourceKind
  /** The field, the constant, or the value itself. */
  text: string
  /** Of a reference: the integration, or the table and column. */
  to?: string
}

/** Lists a description; what is empty is left out. */
export function rowsOf(description: Record<string, unknown>): TargetRow[] {
  const rows: TargetRow[] = []
  visit(description, '', rows)
  return rows
}

function visit(value: unknown, path: string, rows: TargetRow[]): void {
  if (value === null || value === undefined) return
  if (typeof value !== 'object') {
    rows.push({ path, kind: 'plain', text: String(value) })
    return
  }
  const source = sourceOf(value as Record<string, unknown>)
  if (source !== null) rows.push({ path, ...source })
  else for (const [name, member] of Object.entries(value)) visit(member, path === '' ? name : `${path}.${name}`, rows)
}

function sourceOf(value: Record<string, unknown>): Omit<TargetRow, 'path'> | null {
  const field = typeof value.field === 'string' ? value.field : ''
  if (value.ref !== undefined) {
    const to = typeof value.ref === 'string' ? value.ref : Object.values(value.ref as object).join('.')
    return { kind: value.missing === 'defer' ? 'defer' : 'wait', text: field, to }
  }
  if (typeof value.field === 'string') return { kind: 'field', text: field }
  if (value.function === true) return { kind: 'function', text: '' }
  if (value.now === true) return { kind: 'now', text: '' }
  return 'constant' in value ? { kind: 'constant', text: JSON.stringify(value.constant) } : null
}
