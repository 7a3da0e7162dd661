/** Instances, objects and groups of failures on the wire. */
import { z } from '@hono/zod-openapi'
import { outcomes } from '../../model/outcome.ts'
import { externalIdShape, flagShape, idShape, instanceIdShape, nameShape, pageQuery, pageShape, textShape, timeShape } from './common.ts'

const statuses = [0, 1, 2, -2] as const
const statusShape = z
  .literal(statuses)
  .openapi({ type: 'integer', enum: [...statuses], description: '0 waiting, 1 being processed, 2 processed, -2 processing error.' })

export const instanceErrorShape = z.looseObject({
  code: z.string(),
  class: z.enum(['transient', 'permanent', 'missing_reference']),
  message: z.string(),
  pointer: z.string().optional(),
  column: z.string().optional(),
})

/** An instance as lists have it. */
export const instanceItemShape = z
  .object({
    id: instanceIdShape,
    message: idShape,
    ordinal: z.int(),
    integration: z.string(),
    externalId: z.string().nullable().openapi({ description: 'Null only where a kept invalid object has none.' }),
    status: statusShape,
    statusLabel: z.string(),
    outcome: z.enum(outcomes).nullable(),
    detail: z.string().nullable().openapi({ description: "The target's own word for the outcome." }),
    changes: z.record(z.string(), z.unknown()).nullable().openapi({ description: 'By field: before and after, or added and removed.' }),
    error: instanceErrorShape.nullable(),
    attempts: z.int(),
    generation: z.int().openapi({ description: 'Raised by a replay only.' }),
    finishedAt: timeShape.nullable(),
  })
  .openapi('InstanceItem')
export type InstanceItem = z.infer<typeof instanceItemShape>

/** One instance with all that is known of it. `data` is the object's own text, as sent. */
export const instanceShape = instanceItemShape
  .extend({
    data: z.unknown(),
    history: z.array(z.unknown()).openapi({ description: 'Earlier attempts, oldest first.' }),
    waitsFor: z.array(
      z.object({
        wanted: z.string().openapi({ description: 'An integration, or `table:<name>.<column>`.' }),
        externalId: z.string(),
        field: z.string(),
        cameAt: timeShape.nullable(),
      }),
    ),
  })
  .openapi('Instance')
export type Instance = z.infer<typeof instanceShape>

export const messageInstancesQuery = z.strictObject({
  ...pageQuery,
  status: z.enum(['0', '1', '2', '-2']).transform(Number).optional(),
  outcome: z.enum(outcomes).optional(),
  errorCode: textShape.optional(),
})

export const instancesQuery = z.strictObject({
  ...pageQuery,
  integration: nameShape.optional(),
  externalId: externalIdShape.optional().openapi({ param: { description: 'Needs `integration`.' } }),
  errorCode: textShape.optional(),
  fingerprint: textShape.optional().openapi({ param: { description: 'Cause, as `GET /api/errors` groups by it.' } }),
  failed: flagShape.optional().openapi({ param: { description: '`true`: only those at -2.' } }),
})

/** What the ledger knows of an object: why a record looks like it does. */
export const ledgerShape = z
  .object({
    version: z.string().nullable().openapi({ description: 'The declared version that was applied; null where order is arrival.' }),
    appliedBy: instanceIdShape.nullable().openapi({ description: 'The instance that carried the applied version.' }),
    fields: z
      .record(z.string(), z.unknown())
      .nullable()
      .openapi({ description: 'Per field that the applied version lacked: the older version that supplied it, or null.' }),
    targetRef: z.string().nullable().openapi({ description: 'What references to the object resolve to.' }),
    deleted: z.boolean(),
    firstMessage: idShape.nullable(),
    updatedAt: timeShape.nullable(),
  })
  .openapi('Ledger')

/** An object: its ledger entry, its links that are still empty, and a page of the instances that touched it, newest first. */
export const objectHistoryShape = pageShape(instanceItemShape)
  .extend({
    integration: z.string(),
    externalId: z.string(),
    ledger: ledgerShape.nullable(),
    deferredLinks: z.array(z.object({ field: z.string(), wanted: z.string(), externalId: z.string(), since: timeShape })),
  })
  .openapi('ObjectHistory')
export type ObjectHistory = z.infer<typeof objectHistoryShape>

/** What stands in the target for an object, as it is now. */
export const targetObjectShape = z
  .object({
    kind: z.enum(['table', 'page', 'handler']),
    where: z
      .string()
      .nullable()
      .openapi({ description: 'The table, or the site. Null: nothing stands there, or the target shows nothing.' }),
    ref: z.string().nullable().openapi({ description: 'What references to the object resolve to.' }),
    row: z.record(z.string(), z.unknown()).nullable().openapi({ description: 'Of a table: the columns that the mapping writes.' }),
  })
  .openapi('TargetObject')
export type TargetObject = z.infer<typeof targetObjectShape>

/** Failures of one cause. */
export const errorGroupShape = z
  .object({
    integration: z.string(),
    code: z.string(),
    class: z.string(),
    fingerprint: z.string().openapi({ description: 'Code and shape of the text: failures of one cause share it.' }),
    count: z.int().openapi({ description: 'Counting stops at 100,000.' }),
    firstAt: timeShape,
    lastAt: timeShape,
    example: z.object({ id: instanceIdShape, externalId: z.string().nullable(), message: z.string() }),
  })
  .openapi('ErrorGroup')
export type ErrorGroup = z.infer<typeof errorGroupShape>

export const errorsQuery = z.strictObject({ ...pageQuery, integration: nameShape.optional(), errorCode: textShape.optional() })
