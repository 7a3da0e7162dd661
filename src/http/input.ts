/** The parts of a request, checked against the shapes of its route. */
import type { z } from '@hono/zod-openapi'
import { messageOf, SluiceError } from '../errors.ts'
import { formatPointer } from '../json/pointer.ts'
import { decodedBody, formatOf } from './body.ts'
import type { Issue } from './contract/common.ts'
import { badRequest } from './problem.ts'

/**
 * Parameters of path or query.
 *
 * @throws SluiceError `bad_request`, naming each parameter that is wrong or unknown
 */
export function checkParameters<Shape extends z.ZodType>(shape: Shape, values: Record<string, string>): z.output<Shape> {
  const bad = Object.entries(values).filter(([, value]) => value.includes('\0'))
  if (bad.length > 0) refuse(bad.map(([parameter]) => ({ parameter, code: 'invalid', message: "has a character that can't be stored" })))
  const result = shape.safeParse(values, wording)
  if (result.success) return result.data
  refuse(
    result.error.issues.flatMap((issue): Issue[] => {
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map((parameter) => ({ parameter, code: 'unknown', message: 'is unknown here' }))
      return [{ parameter: String(issue.path[0]), code: codeOf(issue), message: issue.message }]
    }),
  )
}

/** Words of our own for what a shape has none for. */
const wording = { error: wordsFor, reportInput: true } as const

function wordsFor(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return 'is missing'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${/^[aeio]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`
    case 'too_small':
      if (issue.origin === 'string') return issue.minimum === 1 ? 'must not be empty' : `must have at least ${issue.minimum} characters`
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`
    case 'too_big':
      if (issue.origin === 'string') return `must have at most ${issue.maximum} characters`
      if (issue.origin === 'array') return `must have at most ${issue.maximum} items`
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`
    default:
      return 'is not as it has to be'
  }
}

/** The codes of docs/errors.md. */
function codeOf(issue: z.core.$ZodIssue): string {
  return 'input' in issue && issue.input === undefined ? 'missing' : 'invalid'
}

/** How many of the things that are wrong are told. */
const mostTold = 20

function refuse(errors: Issue[]): never {
  const told = errors.slice(0, mostTold)
  const texts = told.map(
    ({ parameter, pointer, message }) => `${parameter === undefined ? pointer || 'the body' : `"${parameter}"`}: ${message}`,
  )
  throw badRequest(
    `${texts.join('; ')}${errors.length > told.length ? `; and ${errors.length - told.length} more` : ''}.`,
    told,
    errors.length,
  )
}

/** The query as a record. Throws SluiceError `bad_request` for a parameter that is given twice. */
export function queryOf(url: URL): Record<string, string> {
  const names = [...url.searchParams.keys()]
  const repeated = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
  if (repeated.length > 0) refuse(repeated.map((parameter) => ({ parameter, code: 'repeated', message: 'is given twice' })))
  return Object.fromEntries(url.searchParams)
}

/** Largest body of a request that is no message, in bytes. */
const largestBody = 1024 * 1024

/**
 * A small JSON body; none at all is `{}`.
 *
 * @throws SluiceError `bad_request`, `body_too_large`, and what reading a body throws
 */
export async function readJson<Shape extends z.ZodType>(shape: Shape, request: Request): Promise<z.output<Shape>> {
  if (formatOf(request) !== 'json')
    throw new SluiceError('unsupported_media_type', 'Say "Content-Type: application/json" and send one JSON object.')
  const result = shape.safeParse(parse(await readText(request)), wording)
  if (result.success) return result.data
  refuse(
    result.error.issues.flatMap((issue): Issue[] => {
      const at = (...more: string[]): string => formatPointer([...issue.path.map(String), ...more])
      if (issue.code !== 'unrecognized_keys') return [{ pointer: at(), code: codeOf(issue), message: issue.message }]
      return issue.keys.map((key) => ({ pointer: at(key), code: 'unknown', message: 'is unknown here' }))
    }),
  )
}

async function readText(request: Request): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const bytes of decodedBody(request, largestBody)) {
    size += bytes.length
    if (size > largestBody)
      throw new SluiceError('body_too_large', `The body is larger than ${largestBody} bytes.`, { details: { limit: largestBody } })
    parts.push(bytes)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parse(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRequest(`The body is not JSON: ${messageOf(error)}.`, [{ pointer: '', code: 'json_syntax', message: messageOf(error) }])
  }
}
