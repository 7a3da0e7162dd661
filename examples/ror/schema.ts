/**
 * A record of the Research Organization Registry, schema v2: https://ror.readme.io/docs/ror-data-structure.
 *
 * Keys that ROR may add later pass; what this example reads is checked strictly.
 */
import { z } from 'zod'

const changedOn = z.looseObject({
  /** Day without a time: `2025-12-15`. */
  date: z.iso.date(),
  /** Version of ROR's own schema. */
  schema_version: z.string(),
})

const name = z.looseObject({
  value: z.string().min(1),
  /** `ror_display` marks the one name to show. */
  types: z.array(z.enum(['acronym', 'alias', 'label', 'ror_display'])).min(1),
  /** ISO 639-1 code. */
  lang: z.string().nullish(),
})

const location = z.looseObject({
  geonames_id: z.int(),
  geonames_details: z.looseObject({
    name: z.string(),
    country_code: z.string().length(2),
    country_name: z.string(),
    country_subdivision_code: z.string().nullish(),
    country_subdivision_name: z.string().nullish(),
    continent_code: z.string().length(2).nullish(),
    continent_name: z.string().nullish(),
    lat: z.number().min(-90).max(90).nullish(),
    lng: z.number().min(-180).max(180).nullish(),
  }),
})

const relationship = z.looseObject({
  /** ROR id of the other organization. It may come in a later message, or never. */
  id: z.url(),
  type: z.enum(['parent', 'child', 'related', 'predecessor', 'successor']),
  label: z.string(),
})

/** An organization as ROR publishes it. */
export const RorRecord = z.looseObject({
  /** A URL: `https://ror.org/0001j6c19`. */
  id: z.url(),
  status: z.enum(['active', 'inactive', 'withdrawn']),
  names: z.array(name).min(1),
  types: z.array(z.enum(['archive', 'company', 'education', 'facility', 'funder', 'government', 'healthcare', 'nonprofit', 'other'])),
  /** Year. */
  established: z.int().nullable(),
  locations: z.array(location).min(1),
  links: z.array(z.looseObject({ type: z.enum(['website', 'wikipedia']), value: z.string() })),
  domains: z.array(z.string()),
  external_ids: z.array(
    z.looseObject({
      type: z.enum(['fundref', 'grid', 'isni', 'wikidata']),
      all: z.array(z.string()).min(1),
      preferred: z.string().nullish(),
    }),
  ),
  relationships: z.array(relationship),
  admin: z.looseObject({ created: changedOn, last_modified: changedOn }),
})
