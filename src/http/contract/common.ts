/** Shapes that every part of the HTTP contract uses: ids, pages, problems, roles. */
import { z } from '@hono/zod-openapi'
import { integrationName } from '../../model/integration.ts'

/** What a token may do; see {@link access}. */
export const roles = ['sender', 'viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

/** Who may call a route. Tokens limited to integrations see only those; a sender only its own messages. */
export const access = {
  /** No token: probes and the description of the API. */
  open: null,
  /** Posts messages. */
  send: ['sender', 'operator', 'admin'],
  /** Reads messages; a sender its own. */
  readOwn: ['sender', 'viewer', 'operator', 'admin'],
  read: ['viewer', 'operator', 'admin'],
  /** Runs tasks, resumes integrations. */
  operate: ['operator', 'admin'],
  /** Gives out and revokes tokens. */
  administer: ['admin'],
} as const satisfies Record<string, readonly Role[] | null>

const largestBigint = 9_223_372_036_854_775_807n
const largestInteger = 2_147_483_647

/** A bigint id on the wire. */
export const idShape = z
  .string()
  .regex(/^\d{1,19}$/, { error: 'must be a number', abort: true })
  .refine((text) => BigInt(text) <= largestBigint, 'is out of range')
  .openapi({ example: '12' })

/** An instance's id: its message's, a dot, its ordinal from 0. */
export const instanceIdShape = z
  .string()
  .regex(/^\d{1,19}\.\d{1,10}$/, { error: 'must be <message>.<ordinal>', abort: true })
  .refine((text) => {
    const [message = '', ordinal = ''] = text.split('.')
    return BigInt(message) <= largestBigint && Number(ordinal) <= largestInteger
  }, 'is out of range')
  .openapi({ example: '12.0' })

export const nameShape = z.string().regex(integrationName, 'is no name of an integration').openapi({ example: 'organization' })
export const timeShape = z.iso
  .datetime({ offset: true, error: 'must be a time with an offset, such as 2026-03-01T12:00:00Z', abort: true })
  // ISO 8601 has a year 0 and offsets of a day, PostgreSQL hasn't.
  .regex(/^(?!0000).*(Z|[+-](0\d|1[0-5])(:?\d\d)?)$/, 'must be after the year 0, with an offset of less than 16 hours')
  .openapi({ example: '2026-03-01T12:00:00.000Z' })

/** A text that PostgreSQL can hold. */
export const textShape = z
  .string()
  .min(1)
  .refine((text) => text.isWellFormed() && !text.includes('\0'), "has a character that can't be stored")

export const externalIdShape = textShape.openapi({
  example: 'https://ror.org/04ttjf776',
  description: 'Percent-encoded where it stands in a path.',
})

/** A flag in a query. */
export const flagShape = z.enum(['true', 'false']).transform((text) => text === 'true')

/** A whole number in a query. */
export function numberShape(least: number, most: number) {
  return z
    .string()
    .regex(/^-?\d{1,10}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must be ${least} to ${most}`)
    .openapi({ type: 'integer', minimum: least, maximum: most })
}

/** Asked of every list. A larger `limit` than `limits.page` counts as that. */
export const pageQuery = {
  limit: numberShape(1, 1_000_000)
    .optional()
    .openapi({ param: { description: 'Most items to give. Default 100, at most `limits.page`.' } }),
  cursor: z
    .string()
    .max(2000)
    .optional()
    .openapi({ param: { description: '`next` of the page before. Opaque.' } }),
}

/** A page of a list: `next` is null at the end. */
export function pageShape<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable().openapi({ description: 'Give it as `?cursor=`; null at the end.' }) })
}

/** One thing that is wrong with a message or a request. */
export const issueShape = z
  .object({
    pointer: z.string().optional().openapi({ description: 'JSON Pointer (RFC 6901) into the body.', example: '/3/ms_id' }),
    parameter: z.string().optional().openapi({ description: 'Name of the query parameter, header or part of the path.' }),
    code: z.string(),
    message: z.string(),
  })
  .openapi('Issue')
export type Issue = z.infer<typeof issueShape>

/** A refusal as RFC 9457 has it. */
export const problemShape = z
  .looseObject({
    type: z.string().openapi({ example: 'urn:sluice:schema' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().openapi({ description: 'What was wrong, where, and what to do.' }),
    instance: z.string().optional().openapi({ description: 'The message, relative to the request; or a mark that the log has too.' }),
    code: z.string().openapi({ description: 'Stable, for programs. Listed in docs/errors.md.', example: 'schema' }),
    id: z.string().optional().openapi({ description: 'Of the message that was kept.' }),
    errors: z.array(issueShape).optional().openapi({ description: 'The first ones, at most `limits.errors`.' }),
    errorCount: z.int().optional().openapi({ description: 'How many there are in all.' }),
  })
  .openapi('Problem')
export type Problem = z.infer<typeof problemShape>
