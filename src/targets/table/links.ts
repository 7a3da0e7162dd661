/** Deferred links, filled in when their other end has come. */
import type { Transaction } from '../../store/db.ts'
import type { FilledLink } from '../target.ts'
import { type Column, differs } from './column.ts'
import type { LinkDetails } from './plan.ts'
import { Rows } from './rows.ts'
import type { TableSchema } from './schema.ts'
import { addRows } from './sets.ts'
import { now } from './writes.ts'

/** Fills links in: columns are updated where they differ, rows of sets are added where they are missing. */
export async function fillLinks(tx: Transaction, schema: TableSchema, links: readonly FilledLink[]): Promise<void> {
  const byField = Map.groupBy(links, (link) => link.field)
  // A field that the mapping no longer has needs no link.
  for (const [index, column] of schema.columns.entries()) {
    const own = schema.mapping.columns[index]?.source.kind === 'ref' ? byField.get(column.name) : undefined
    if (own !== undefined) await fillColumn(tx, schema, column, own)
  }
  for (const set of schema.sets) {
    const rows = (byField.get(set.mapping.table) ?? []).flatMap((link) => {
      const details = link.details as LinkDetails | undefined
      if (details === undefined) return []
      return [
        { ref: link.ownerRef, values: set.columns.map(({ name }) => (name === details.column ? link.ref : (details.row[name] ?? null))) },
      ]
    })
    if (rows.length > 0) await addRows(tx, schema, set, rows)
  }
}

async function fillColumn(tx: Transaction, schema: TableSchema, column: Column, links: readonly FilledLink[]): Promise<void> {
  const rows = new Rows(links)
  const owner = rows.text('r', schema.ref.cast, (link) => link.ownerRef)
  const value = rows.text('v', column.cast, (link) => link.ref)
  const ref = `t.${schema.ref.sql}`
  const stamps = schema.stamps.map((stamp) => `, ${stamp.sql} = ${now(stamp)}`).join('')
  await tx.query(
    `WITH own AS MATERIALIZED (
       SELECT ${ref} AS ref, ${value} AS value FROM ${rows.sql} JOIN ${schema.table.sql} AS t ON ${ref} = ${owner}
       WHERE ${differs(column, `t.${column.sql}`, value)} ORDER BY ${ref} FOR UPDATE OF t
     ) UPDATE ${schema.table.sql} AS t SET ${column.sql} = own.value${stamps} FROM own WHERE ${ref} = own.ref`,
    rows.parameters,
  )
}
