/** The names and types that declare an integration, free of targets and schemas. */

/** Types that a declared version may have. */
export const versionTypes = ['integer', 'decimal', 'timestamp', 'text'] as const
export type VersionType = (typeof versionTypes)[number]

/** Where the source's own version of an object stands, and how versions compare. */
export interface VersionDeclaration {
  /** Dot path in the object, such as `admin.last_modified.date`. */
  field: string
  /**
   * `integer` and `decimal` compare as numbers of any length, `timestamp` (ISO 8601 date or date and time; UTC where no
   * offset is given) as instants, `text` by code points.
   */
  type: VersionType
}

/** What a message with some incorrect objects becomes. */
export const invalidPolicies = ['refuse', 'keep-valid'] as const
export type InvalidPolicy = (typeof invalidPolicies)[number]

/** Names of integrations: they stand in URLs, in the database and in file names. */
export const integrationName = /^[a-z][a-z0-9_-]{0,62}$/
