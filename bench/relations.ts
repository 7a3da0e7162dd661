/** What tables and their indexes take, and how much of it is dead or empty. */
import type pg from 'pg'

/** A table with its indexes. Sizes in MiB, shares of the size in percent. */
export interface RelationSize {
  table: string
  rows: number
  heap: number
  dead: number
  free: number
  indexes: number
  /** How full the leaves of its emptiest index of more than a MiB are; null without such an index. */
  leafDensity: number | null
  /** Rows updated since the beginning, and how many of them in their page, without a new entry in any index (HOT). */
  updated: number
  hot: number
}

/** Sizes of Sluice's tables and of the targets that hold more than a MiB, by the extension `pgstattuple`, largest first. */
export async function relationSizes(client: pg.Client): Promise<RelationSize[]> {
  await client.query('CREATE EXTENSION IF NOT EXISTS pgstattuple')
  const { rows } = await client.query<RelationSize>(
    `SELECT c.relnamespace::regnamespace || '.' || c.relname AS table, t.approx_tuple_count::float8 AS rows,
       t.table_len / 1048576.0::float8 AS heap, t.dead_tuple_percent AS dead, t.approx_free_percent AS free,
       pg_indexes_size(c.oid) / 1048576.0::float8 AS indexes,
       (SELECT min(s.avg_leaf_density) FROM pg_index i CROSS JOIN LATERAL pgstatindex(i.indexrelid::regclass) AS s
        WHERE i.indrelid = c.oid AND s.index_size > 1048576) AS "leafDensity",
       u.n_tup_upd::float8 AS updated, u.n_tup_hot_upd::float8 AS hot
     FROM pg_class c JOIN pg_stat_user_tables u ON u.relid = c.oid CROSS JOIN LATERAL pgstattuple_approx(c.oid) AS t
     WHERE c.relkind = 'r' AND c.relnamespace IN ('sluice'::regnamespace, 'public'::regnamespace) AND pg_table_size(c.oid) > 1048576
     ORDER BY pg_total_relation_size(c.oid) DESC`,
  )
  return rows
}
