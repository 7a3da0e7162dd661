/** Messages on the wire. */
import { z } from '@hono/zod-openapi'
import { externalIdShape, flagShape, idShape, issueShape, nameShape, pageQuery, textShape, timeShape } from './common.ts'
import { pauseShape } from './integration.ts'

const statuses = [0, 1, -1, 2, -2, 3, -3] as const
const statusShape = z.literal(statuses).openapi({
  type: 'integer',
  enum: [...statuses],
  description: '0 received, 1 correct, -1 not correct, 2 split, -2 split failed, 3 processed, -3 processed with errors.',
})

/** How many of a message's instances are where. `processed` is the sum of the six outcomes after it. */
export const countsShape = z
  .object({
    waiting: z.int(),
    processing: z.int(),
    processed: z.int(),
    failed: z.int(),
    created: z.int(),
    updated: z.int(),
    unchanged: z.int(),
    deleted: z.int(),
    superseded: z.int(),
    ignored: z.int(),
  })
  .openapi('Counts')
export type Counts = z.infer<typeof countsShape>

/** What is wrong with a message. */
export const messageProblemShape = z.looseObject({
  code: z.string(),
  message: z.string(),
  errors: z.array(issueShape).optional(),
  errorCount: z.int().optional(),
})

export const messageShape = z
  .object({
    id: idShape,
    integration: z.string(),
    source: z.string().openapi({ description: "Name of the sender's token." }),
    status: statusShape,
    statusLabel: z.string(),
    total: z.int().nullable().openapi({ description: 'Objects in it; null where they could not be counted yet, or at all.' }),
    counts: countsShape,
    isDraft: z.boolean(),
    problem: messageProblemShape.nullable(),
    paused: pauseShape.nullable().openapi({
      description:
        'Set while the message is not finished and its integration is paused, since its target does not fit: nothing goes on before that is mended.',
    }),
    idempotencyKey: z.string().nullable(),
    format: z.enum(['json', 'ndjson']),
    bodySize: z.int().openapi({ description: 'Bytes after Content-Encoding.' }),
    bodySha256: z.string().openapi({ description: 'Hexadecimal.' }),
    receivedAt: timeShape,
    validatedAt: timeShape.nullable(),
    splitAt: timeShape.nullable(),
    finishedAt: timeShape.nullable(),
    bodyPrunedAt: timeShape.nullable().openapi({ description: 'When retention removed the body; asking for it is 410 `pruned`.' }),
    historyPrunedAt: timeShape
      .nullable()
      .openapi({ description: 'When retention removed the values before and after, and earlier attempts, from the instances.' }),
    instancesPrunedAt: timeShape
      .nullable()
      .openapi({ description: 'When retention removed the instances; asking for them is 410 `pruned`.' }),
  })
  .openapi('Message')
export type Message = z.infer<typeof messageShape>

/** The answer to a message that was taken in. */
export const receiptShape = z
  .object({
    id: idShape,
    integration: z.string(),
    status: statusShape,
    statusLabel: z.string(),
    total: z.int().nullable(),
    isDraft: z.boolean(),
    receivedAt: timeShape,
    errors: z
      .array(issueShape)
      .optional()
      .openapi({ description: 'With `onInvalid: keep-valid`: what is wrong with the objects that were kept as failed.' }),
    errorCount: z.int().optional(),
  })
  .openapi('Receipt')
export type Receipt = z.infer<typeof receiptShape>

export const intakeQuery = z.strictObject({
  draft: flagShape.optional().openapi({ param: { description: "Sets the message's draft flag." } }),
  source: z
    .string()
    .optional()
    .openapi({ param: { description: 'Of a signed message: the source whose secret signed it (`webhooks` in the config).' } }),
  dryRun: flagShape
    .optional()
    .openapi({ param: { description: 'Tells what would become of the message and keeps nothing. For operators.' } }),
})

/** Bare, or quoted as the draft of the header field has it. */
const idempotencyKeyShape = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/)
  .openapi({
    description:
      '1 to 255 visible characters. The same key, integration and body give the first message again; another body or integration is 409. Keys belong to the name of the token.',
  })

export const intakeHeaders = z.object({
  'Idempotency-Key': idempotencyKeyShape.optional(),
  Prefer: z.string().optional().openapi({
    description: '`wait=N`: answer 200 with the finished message if it is there within N seconds (at most 60).',
    example: 'wait=10',
  }),
  'Content-Encoding': z.enum(['gzip', 'identity']).optional(),
  'webhook-id': z.string().optional().openapi({ description: 'Of a signed message, in place of a token; taken as its Idempotency-Key.' }),
  'webhook-timestamp': z.string().optional().openapi({ description: 'Seconds since 1970, at most five minutes from the time here.' }),
  'webhook-signature': z.string().optional().openapi({ description: 'Standard Webhooks: `v1,<base64>`, several apart by spaces.' }),
})

export const messagesQuery = z.strictObject({
  ...pageQuery,
  order: z
    .enum(['newest', 'oldest'])
    .optional()
    .openapi({ param: { description: 'By arrival. Default `newest`: newest first.' } }),
  integration: nameShape.optional(),
  status: z.enum(['0', '1', '-1', '2', '-2', '3', '-3']).transform(Number).optional(),
  source: textShape.optional(),
  from: timeShape.optional().openapi({ param: { description: 'Received at this time or later.' } }),
  to: timeShape.optional().openapi({ param: { description: 'Received before this time.' } }),
  externalId: externalIdShape.optional().openapi({ param: { description: 'Messages that have this object.' } }),
  text: textShape
    .max(200)
    .optional()
    .openapi({ param: { description: 'Text in the data as it was sent; needs `from`.' } }),
})

/** What became, or would become, of one object of a dry run. */
export const dryRunShape = z
  .object({
    results: z.array(
      z.object({
        ordinal: z.int(),
        externalId: z.string().nullable(),
        outcome: z.string().nullable(),
        detail: z.string().nullable(),
        changes: z.unknown(),
        error: z.unknown(),
      }),
    ),
    errors: z.array(issueShape).optional(),
    errorCount: z.int().optional(),
  })
  .openapi('DryRun')
export type DryRun = z.infer<typeof dryRunShape>
