/** The overview on the wire: what needs a person now, and how the work goes. */
import { z } from '@hono/zod-openapi'
import { idShape, timeShape } from './common.ts'

export const overviewShape = z
  .object({
    at: timeShape.openapi({ description: 'When this was read.' }),
    messages: z
      .object({ incorrect: z.int(), splitFailed: z.int() })
      .openapi({ description: 'At -1, of the last week, and at -2. Counting stops at 1,000.' }),
    stuck: z
      .array(z.object({ message: idShape, integration: z.string(), attempts: z.int(), dueAt: timeShape, error: z.unknown() }))
      .openapi({ description: 'Chunks that come again because something around them failed, or whose worker is silent. At most 20.' }),
    integrations: z.array(
      z.object({
        name: z.string(),
        isPaused: z.boolean(),
        lastMessageAt: timeShape.nullable(),
        backlog: z.int().openapi({ description: 'Instances waiting or being processed.' }),
        oldestAt: timeShape.nullable().openapi({ description: 'Arrival of the oldest thing that is still to be done.' }),
        failed: z.int().openapi({ description: 'Instances at -2.' }),
        processedLastHour: z.int(),
        failedLastHour: z.int(),
      }),
    ),
    minutes: z
      .array(z.object({ at: timeShape, processed: z.int(), failed: z.int() }))
      .openapi({ description: 'Of the last hour, those in which something ended.' }),
  })
  .openapi('Overview')
export type Overview = z.infer<typeof overviewShape>
