/** Tasks and their runs on the wire. */
import { z } from '@hono/zod-openapi'
import { messageParts } from '../../model/retention.ts'
import { taskNames } from '../../model/task.ts'
import { externalIdShape, idShape, instanceIdShape, nameShape, pageQuery, textShape, timeShape } from './common.ts'

export const taskShape = z.enum(taskNames)
const states = ['queued', 'running', 'finished', 'failed'] as const
const mostIds = 10_000

/** Body of `POST /api/tasks/{task}/runs`: which work to do. All of it optional. */
export const runRequestShape = z
  .strictObject({
    messages: z.array(idShape).max(mostIds).optional(),
    instances: z.array(instanceIdShape).max(mostIds).optional(),
    integration: nameShape.optional(),
    errorCode: textShape.optional(),
    fingerprint: textShape.optional().openapi({ description: 'Cause, as `GET /api/errors` groups by it. Of `reprocess` only.' }),
    externalId: externalIdShape.optional().openapi({ description: 'Of this object; needs `integration`.' }),
    status: z
      .literal([0, 1, -1, 2, -2, 3, -3])
      .optional()
      .openapi({ type: 'integer', enum: [0, 1, -1, 2, -2, 3, -3], description: 'Of the message.' }),
    source: textShape.optional(),
    from: timeShape.optional().openapi({ description: 'Messages received at this time or later.' }),
    to: timeShape.optional().openapi({ description: 'Messages received before this time.' }),
    text: textShape.max(200).optional().openapi({ description: 'Text in the data of an instance, as it was sent; needs `from`.' }),
    sinceDays: z.number().positive().max(36_500).optional().openapi({ description: 'Messages received in the last so many days.' }),
    draft: z.boolean().optional().openapi({ description: 'Only messages with this draft flag.' }),
    asDraft: z.boolean().optional().openapi({ description: 'Mode of the run, whatever the messages say.' }),
    replay: z.boolean().optional().openapi({ description: 'Processed instances too, not only failed ones.' }),
  })
  .openapi('RunRequest')
export type RunRequest = z.infer<typeof runRequestShape>

export const taskRunShape = z
  .object({
    id: idShape,
    task: taskShape,
    startedBy: z.enum(['event', 'clock', 'click']),
    actor: z.string().nullable(),
    slot: timeShape.nullable().openapi({ description: 'Of the clock.' }),
    parameters: z.record(z.string(), z.unknown()),
    state: z.enum(states),
    result: z.unknown(),
    error: z.unknown(),
    worker: z.string().nullable(),
    createdAt: timeShape,
    startedAt: timeShape.nullable(),
    finishedAt: timeShape.nullable(),
  })
  .openapi('TaskRun')
export type TaskRun = z.infer<typeof taskRunShape>

export const taskViewShape = z
  .object({ task: taskShape, cron: z.string(), nextAt: timeShape.nullable(), lastRun: taskRunShape.nullable() })
  .openapi('Task')
export type TaskView = z.infer<typeof taskViewShape>

export const taskRunsQuery = z.strictObject({ ...pageQuery, task: taskShape.optional(), state: z.enum(states).optional() })

export const runCreatedShape = z.object({ id: idShape })

/** What a run would do to how many, counted before the click. */
export const runPreviewShape = z
  .object({
    unit: z
      .enum(['instances', 'messages', 'chunks'])
      .openapi({ description: 'What is counted: `reprocess` instances, `process` chunks, others messages.' }),
    count: z.int().openapi({ description: 'Counting stops at 100,000.' }),
    rules: z
      .array(
        z.object({
          what: z.enum([...messageParts, 'runs', 'audit']),
          status: z
            .literal([3, -3, -1])
            .optional()
            .openapi({ type: 'integer', enum: [3, -3, -1], description: 'Of messages.' }),
          days: z.number(),
          count: z.int().openapi({ description: 'Messages, runs or entries.' }),
          instances: z.int(),
          bytes: z.int().openapi({ description: 'Of bodies.' }),
        }),
      )
      .optional()
      .openapi({
        description: 'Of `prune`: what each rule of `retention` lets go now. A message that goes whole is counted for its parts too.',
      }),
  })
  .openapi('RunPreview')
export type RunPreview = z.infer<typeof runPreviewShape>
