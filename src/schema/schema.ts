/** What counts as a schema: any Standard Schema (Zod, Valibot, ArkType …), or a plain JSON Schema 2020-12. */
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** See https://standardschema.dev. */
export type StandardSchema = StandardSchemaV1

/** A JSON Schema 2020-12 document, as plain data. */
export type JsonSchema = { readonly '~standard'?: never; readonly [keyword: string]: unknown }

export type SchemaLike = StandardSchema | JsonSchema

/** The type of an object as the schema gives it out. */
export type OutputOf<S extends StandardSchema> = StandardSchemaV1.InferOutput<S>

/** True for a Standard Schema; anything else is taken as a JSON Schema. */
export function isStandardSchema(schema: SchemaLike): schema is StandardSchema {
  return '~standard' in schema && schema['~standard'] !== undefined
}
