/** The table target: objects become rows of an application's own table, a whole batch in a few statements. */
import type { Queryable } from '../store/db.ts'
import { applyItems } from './table/apply.ts'
import { missingDdl } from './table/ddl.ts'
import { explain } from './table/explain.ts'
import { fillLinks } from './table/links.ts'
import { describeMapping, type Mapping, needsOutput, parseMapping, referencesOf, type TableMapping } from './table/mapping.ts'
import { planObject } from './table/plan.ts'
import { findRefsIn } from './table/references.ts'
import { readSchema } from './table/schema.ts'
import { showRow } from './table/show.ts'
import type { Target, TargetSpec } from './target.ts'

/**
 * Maps objects to rows of a table.
 *
 * A batch is one INSERT for what the ledger doesn't know, one SELECT that locks and compares the rest, two statements per
 * set and one UPDATE for what differs, however many objects it has. What differs is compared by the column's own type, as
 * the value would be assigned. `changes` of a result holds values as PostgreSQL writes them in JSON.
 *
 * @throws SluiceError `invalid_config` naming the table and option
 */
export function tableTarget<T, Sets>(name: string, given: TableMapping<T, Sets>): TargetSpec {
  const mapping = parseMapping(name, given)
  return {
    kind: 'table',
    references: referencesOf(mapping),
    handlesDeletion: mapping.onDelete !== null,
    needsOutput: needsOutput(mapping),
    describe: () => describeMapping(mapping),
    prepare: (db) => prepare(db, mapping),
    missingDdl: (db, context) => missingDdl(db, mapping, context),
  }
}

async function prepare(db: Queryable, mapping: Mapping): Promise<Target> {
  const schema = await readSchema(db, mapping)
  const real = {
    columns: schema.columns,
    deletion: schema.deletion.map(({ column }) => column),
    sets: schema.sets.map(({ columns }) => columns),
  }
  return {
    fields: [
      ...mapping.columns.filter(({ source }) => source.kind !== 'now').map(({ name }) => name),
      ...mapping.sets.map(({ table }) => table),
    ],
    createsDeleted: mapping.deletedUnknown === 'create',
    plan: (object) => planObject(mapping, real, object),
    apply: (tx, items) => applyItems(tx, schema, items),
    findRefs: (queryable, externalIds) => findRefsIn(queryable, schema.table, schema.key, externalIds),
    show: (queryable, externalId) => showRow(queryable, schema, externalId),
    fillLinks: (tx, links) => fillLinks(tx, schema, links),
    explain: (tx, item, error) => explain(tx, schema, item, error),
  }
}
