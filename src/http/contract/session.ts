/** The session of a browser on the wire. */
import { z } from '@hono/zod-openapi'
import { roles } from './common.ts'

export const sessionShape = z
  .object({
    name: z.string().openapi({ description: 'Of the token.' }),
    role: z.enum(roles),
    integrations: z.array(z.string()).nullable().openapi({ description: 'Null: all.' }),
    version: z.string().openapi({ description: 'Of this server.' }),
  })
  .openapi('Session')
export type Session = z.infer<typeof sessionShape>
