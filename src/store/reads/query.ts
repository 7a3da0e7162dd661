/** Kysely as a query builder only: statements are composed here, compiled to text, and run through the port. */
import { type Compilable, DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { Parameter, Queryable } from '../db.ts'
import type { Tables } from './tables.ts'

/** Builds statements over `sluice.*`; never runs one. */
export const builder = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
}).withSchema('sluice')

/** Runs a statement that {@link builder} built. */
export async function run<Row>(db: Queryable, statement: Compilable<Row>): Promise<Row[]> {
  const { sql, parameters } = statement.compile()
  const { rows } = await db.query<Row>(sql, parameters as readonly Parameter[])
  return rows
}

/** Which rows somebody may see. */
export interface Scope {
  /** Null: those of every integration. */
  integrations: readonly string[] | null
  /** Only messages of this source; null: of all. */
  source: string | null
}

/** A page of a list: `next` is the position of its last item, null at the end. */
export interface Page<Item, Position> {
  items: Item[]
  next: Position | null
}

/** Makes a page of rows that were read with one more than the limit. */
export function pageOf<Row, Position>(rows: Row[], limit: number, position: (last: Row) => Position): Page<Row, Position> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last !== undefined ? position(last) : null }
}
