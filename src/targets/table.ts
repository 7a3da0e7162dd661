/** The table target: objects become rows of an application's own table, many in one statement. */
import type { JsonValue } from '../json/exact.ts'
import type { Changes, Result } from '../model/outcome.ts'
import type { Queryable, Transaction } from '../store/db.ts'
import { type Column, columnOf, findTable, mismatch, quote, type TableInfo } from './table/catalogue.ts'
import { missingDdl } from './table/ddl.ts'
import { describeMapping } from './table/describe.ts'
import { explain } from './table/explain.ts'
import { type Mapping, needsOutput, parseMapping, referencesOf, type TableMapping } from './table/mapping.ts'
import { planObject, type TablePlan, type Text } from './table/plan.ts'
import { findRefsIn } from './table/references.ts'
import { addRows, replaceRows, type SetSchema } from './table/sets.ts'
import { compareAndInsert, groupItems, type RowResult, remove, type TableSchema, update } from './table/upsert.ts'
import { typedRows } from './table/rows.ts'
import type { ApplyItem, FilledLink, Target, TargetSpec } from './target.ts'

/**
 * Maps objects to rows of a table.
 *
 * Each batch is one SELECT that compares and locks, one INSERT for what is not there, one UPDATE for what differs, and one
 * statement per set; per group of objects that carry the same fields. `changes` of a result holds the database's own text
 * of the values, before and after.
 *
 * @throws SluiceError `invalid_config` naming the table and option
 */
export function tableTarget(name: string, options: TableMapping<never>): TargetSpec {
  const mapping = parseMapping(name, options)
  const spec: TargetSpec = {
    kind: 'table',
    references: referencesOf(mapping),
    handlesDeletion: mapping.onDelete !== null,
    needsOutput: needsOutput(mapping),
    describe: () => describeMapping(mapping),
    prepare: (db) => prepare(db, mapping),
    missingDdl: (db) => missingDdl(db, mapping),
  }
  return spec
}

async function prepare(db: Queryable, mapping: Mapping): Promise<Target> {
  const table = await requireTable(db, mapping.table)
  const key = columnOf(table, mapping.key)
  if (!table.uniqueColumns.has(mapping.key)) {
    throw mismatch(
      `column "${mapping.key}" of table "${mapping.table}" has no unique index of its own, so that an object could become two rows. ` +
        `Run: CREATE UNIQUE INDEX ON ${table.sql} (${quote(mapping.key)});`,
    )
  }
  const names = [...mapping.columns, ...(Array.isArray(mapping.onDelete) ? mapping.onDelete : [])].map((column) => column.name)
  const columns = new Map(names.map((name) => [name, columnOf(table, name)]))
  const ref = table.primaryKey === null ? key : (table.columns.get(table.primaryKey) ?? key)
  const sets = new Map<string, SetSchema>()
  for (const set of mapping.sets) {
    const setTable = await requireTable(db, set.table)
    sets.set(set.table, { table: setTable, owner: columnOf(setTable, set.owner), columns: set.columns.map((column) => columnOf(setTable, column.name)) })
  }
  return new TableTarget({ mapping, table, key, ref, columns }, sets)
}

async function requireTable(db: Queryable, name: string): Promise<TableInfo> {
  const table = await findTable(db, name)
  if (table === null) throw mismatch(`there is no table "${name}". Create it; "sluice doctor --ddl" prints a statement that would.`)
  return table
}

class TableTarget implements Target {
  readonly fields: readonly string[]
  readonly #schema: TableSchema
  readonly #sets: ReadonlyMap<string, SetSchema>
  readonly #real: Parameters<typeof planObject>[1]

  constructor(schema: TableSchema, sets: ReadonlyMap<string, SetSchema>) {
    this.#schema = schema
    this.#sets = sets
    this.fields = [...schema.mapping.columns.filter(({ source }) => source.kind !== 'now').map(({ name }) => name), ...sets.keys()]
    const setColumns = [...sets].map(([name, set]): [string, Map<string, Column>] => [name, new Map(set.columns.map((column) => [column.name, column]))])
    this.#real = { columns: schema.columns, sets: new Map(setColumns) }
  }

  plan: Target['plan'] = (object) => planObject(this.#schema.mapping, this.#real, object)

  apply: Target['apply'] = async (tx, items) => {
    const results = new Map<ApplyItem, Result>()
    for (const group of groupItems(this.#schema, items)) {
      const rows = await compareAndInsert(tx, this.#schema, group)
      const isHardDelete = group.deletion === 'deleted' && this.#schema.mapping.onDelete === 'delete'
      if (isHardDelete) await this.#remove(tx, rows)
      else await this.#replaceSets(tx, group.items, rows)
      const changed = rows.flatMap((row, index) => (row.state === 'changed' ? [index] : []))
      if (!isHardDelete) await update(tx, this.#schema, group, changed)
      for (const [index, item] of group.items.entries()) {
        const row = rows[index]
        if (row !== undefined) results.set(item, resultOf(item, row, isHardDelete))
      }
    }
    return items.map((item) => results.get(item) ?? { outcome: 'ignored' })
  }

  findRefs: NonNullable<Target['findRefs']> = (db, externalIds) => findRefsIn(db, this.#schema.table, this.#schema.key, externalIds)

  fillLinks: NonNullable<Target['fillLinks']> = async (tx, links) => {
    const byField = new Map<string, FilledLink[]>()
    for (const link of links) byField.set(link.field, [...(byField.get(link.field) ?? []), link])
    for (const [field, ofField] of byField) {
      const set = this.#sets.get(field)
      const column = this.#schema.columns.get(field)
      if (set !== undefined) await addRows(tx, set, ofField.map((link) => ({ owner: link.ownerRef, row: filledRow(set, link) })))
      else if (column !== undefined) await this.#fillColumn(tx, column, ofField)
      // A field that the mapping no longer has needs no link.
    }
  }

  explain: NonNullable<Target['explain']> = (tx, item, error) => explain(tx, this.#schema, this.#sets, item, error)

  async #fillColumn(tx: Transaction, column: Column, links: readonly FilledLink[]): Promise<void> {
    const rows = typedRows([
      { alias: 'r', cast: this.#schema.ref.cast, texts: links.map((link) => link.ownerRef) },
      { alias: 'c', cast: column.cast, texts: links.map((link) => link.ref) },
    ])
    await tx.query(
      `UPDATE ${this.#schema.table.sql} AS t SET ${column.sql} = d.c FROM ${rows.sql} AS d
       WHERE t.${this.#schema.ref.sql} = d.r AND t.${column.sql} IS DISTINCT FROM d.c`,
      rows.parameters,
    )
  }

  async #remove(tx: Transaction, rows: readonly RowResult[]): Promise<void> {
    const refs = rows.flatMap((row) => (row.ref === null ? [] : [row.ref]))
    for (const set of this.#sets.values()) await replaceRows(tx, set, refs.map((owner) => ({ owner, rows: [] })))
    await remove(tx, this.#schema, refs)
  }

  async #replaceSets(tx: Transaction, items: readonly ApplyItem[], rows: RowResult[]): Promise<void> {
    for (const [name, set] of this.#sets) {
      const desired = items.flatMap((item, index) => {
        const owner = rows[index]?.ref ?? null
        if (owner === null || !item.fields.has(name)) return []
        return [{ owner, index, rows: desiredRows(item, name) }]
      })
      const changes = await replaceRows(tx, set, desired)
      for (const { owner, index } of desired) {
        const change = changes.get(owner)
        const row = rows[index]
        if (change === undefined || row === undefined || row.state === 'created') continue
        row.state = 'changed'
        row.changes[name] = change
      }
    }
  }
}

/** The rows of an object's set, without those whose deferred reference is still missing. */
function desiredRows(item: ApplyItem, name: string): Text[][] {
  const rows = (item.plan.payload as TablePlan).sets.get(name) ?? []
  return rows.flatMap((row) => {
    const values = [...row.values]
    for (const [column, reference] of row.references) {
      const ref = item.references[reference] ?? null
      if (ref === null) return []
      values[column] = ref
    }
    return [values]
  })
}

function filledRow(set: SetSchema, link: FilledLink): Text[] {
  const details = link.details as { column: string; values: Text[] } & Record<string, JsonValue>
  return set.columns.map((column, index) => (column.name === details.column ? link.ref : (details.values[index] ?? null)))
}

function resultOf(item: ApplyItem, row: RowResult, isHardDelete: boolean): Result {
  if (row.state === 'missing') return { outcome: item.deletion === 'keep' ? 'superseded' : 'ignored' }
  if (isHardDelete) return { outcome: 'deleted' }
  const ref = row.ref === null ? {} : { ref: row.ref }
  if (item.deletion === 'deleted' && (row.state === 'created' || !row.wasDeleted)) return { outcome: 'deleted', ...ref, ...changesOf(row.changes) }
  if (row.state === 'created') return { outcome: 'created', ...ref }
  return row.state === 'changed' ? { outcome: 'updated', ...ref, ...changesOf(row.changes) } : { outcome: 'unchanged', ...ref }
}

function changesOf(changes: Changes): { changes?: Changes } {
  return Object.keys(changes).length === 0 ? {} : { changes }
}
