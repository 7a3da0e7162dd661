/** Integrations on the wire. */
import { z } from '@hono/zod-openapi'
import { invalidPolicies, versionTypes } from '../../model/integration.ts'
import { timeShape } from './common.ts'

/** Why an integration is paused, and since when. */
export const pauseShape = z.object({ reason: z.unknown(), since: timeShape })

export const integrationShape = z
  .object({
    name: z.string(),
    endpoint: z.string().openapi({ description: 'Where messages are posted to, relative to this request.' }),
    key: z.string().openapi({ description: 'Path of the field that is the external ID.' }),
    version: z.object({ field: z.string(), type: z.enum(versionTypes) }).nullable(),
    deletes: z.boolean().openapi({ description: 'Whether objects can say that they are gone.' }),
    onInvalid: z.enum(invalidPolicies),
    schema: z
      .record(z.string(), z.unknown())
      .nullable()
      .openapi({ description: "JSON Schema 2020-12 of one object; null where the schema can't be written as one." }),
    target: z.looseObject({ kind: z.string() }),
    limits: z.object({ body: z.int(), decompressed: z.int(), objects: z.int(), depth: z.int(), keyLength: z.int(), numberLength: z.int() }),
    paused: pauseShape.nullable().openapi({ description: 'Set while its target does not fit; nothing is processed until it is resumed.' }),
  })
  .openapi('Integration')
export type IntegrationView = z.infer<typeof integrationShape>

export const resumedShape = z.object({ name: z.string(), resumed: z.boolean().openapi({ description: 'False when it was not paused.' }) })
export type Resumed = z.infer<typeof resumedShape>
