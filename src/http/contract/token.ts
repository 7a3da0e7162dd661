/** Tokens on the wire. The secret itself stands in one answer only: that to its creation. */
import { z } from '@hono/zod-openapi'
import { idShape, nameShape, roles, timeShape } from './common.ts'

export const tokenShape = z
  .object({
    id: idShape,
    name: z.string().openapi({ description: 'Messages that come with it have this as their source.' }),
    role: z.enum(roles),
    integrations: z.array(z.string()).nullable().openapi({ description: 'Null: all.' }),
    createdAt: timeShape,
    lastUsedAt: timeShape.nullable().openapi({ description: 'To the minute.' }),
    revokedAt: timeShape.nullable(),
  })
  .openapi('Token')
export type TokenView = z.infer<typeof tokenShape>

export const tokenRequestShape = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,62}$/u,
        'must be 1 to 63 letters, digits, spaces or . _ @ -, beginning with a letter or digit',
      ),
    role: z.enum(roles),
    integrations: z.array(nameShape).min(1).nullable().optional().openapi({ description: 'Default: all.' }),
  })
  .openapi('TokenRequest')
export type TokenRequest = z.infer<typeof tokenRequestShape>

export const createdTokenShape = tokenShape
  .extend({ token: z.string().openapi({ description: 'Shown once. Send it as `Authorization: Bearer …`.' }) })
  .openapi('CreatedToken')
export type CreatedToken = z.infer<typeof createdTokenShape>
