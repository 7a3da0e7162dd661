/** What a user says of a Payload site. */

/** drizzle's own function, by shape: a database over one client of node-postgres. What it takes depends on the site's tables. */
export type MakeDrizzle = (options: never) => { transaction<T>(work: (part: unknown) => Promise<T>): Promise<T> }

export interface PayloadOptions {
  /** The site's Payload, such as `() => getPayload({ config })`. Called at the first use. */
  payload: () => Promise<unknown>
  /** The collections whose pages are written; each has been given to `sluicePages`, and has `title`, `slug` and `parent`. */
  collections: readonly string[]
  /** By the name of a place, the id of the page to stand under; null for the top. */
  places: Record<string, string | number | null>
  /**
   * How the site keeps its tree. `parent-only` (default): a page names its parent, and that is all. `nested-docs`: with
   * `@payloadcms/plugin-nested-docs`, which keeps each page's address in its `breadcrumbs` and saves all pages below a published one anew
   * whenever that is saved.
   */
  tree?: 'parent-only' | 'nested-docs'
  /**
   * For a site whose PostgreSQL database is Sluice's own: pages are written in the transaction that records what became of them, exactly
   * once. It takes what Payload makes its database with: `{ drizzle }` of `@payloadcms/db-postgres/drizzle/node-postgres`. Without it
   * (default) each page is a transaction of Payload's own, at least once.
   */
  sharedTransaction?: { drizzle: MakeDrizzle }
  /** The address of a page by its path, such as `/organizations/waterworks`. Default: the path itself. */
  url?: (path: string) => string
  /** Told after the commit which URLs changed. */
  revalidate?: (urls: readonly string[]) => Promise<void>
}
