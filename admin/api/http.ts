/** Calls of the API: JSON in and out, refusals as errors with the problem that the server told. */
import type { Problem } from '../../src/http/contract/index.ts'
import { baseUrl } from '../place.ts'

/** A refusal by the server, or no answer at all (`code` is `network` then, without a status). */
export class ApiError extends Error {
  readonly code: string
  readonly status: number | null
  readonly problem: Problem | null

  constructor(message: string, code: string, status: number | null, problem: Problem | null) {
    super(message)
    this.code = code
    this.status = status
    this.problem = problem
  }
}

export interface CallOptions {
  method?: 'GET' | 'POST' | 'DELETE'
  /** Parameters of the query; those that are undefined or empty are left out. */
  query?: Record<string, string | number | undefined>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is, as JSON. */
  text?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** URL of a path of the API, such as `messages/12`. */
export function apiUrl(path: string, query: CallOptions['query'] = {}): URL {
  const url = new URL(`api/${path}`, baseUrl)
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') url.searchParams.set(name, String(value))
  return url
}

/**
 * Calls the API.
 *
 * @throws ApiError for every answer that is no success, and for none
 */
export async function call(path: string, options: CallOptions = {}): Promise<Response> {
  const { method = 'GET', query, json, text, headers = {}, signal } = options
  const body = json === undefined ? text : JSON.stringify(json)
  const response = await fetch(apiUrl(path, query), {
    method,
    headers: { 'X-Sluice-Page': '1', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    credentials: 'same-origin',
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(String(error), 'network', null, null)
  })
  if (response.ok) return response
  const problem = await problemOf(response)
  throw new ApiError(problem?.detail ?? response.statusText, problem?.code ?? 'http', response.status, problem)
}

/** A GET of JSON. */
export async function get<T>(path: string, query?: CallOptions['query'], signal?: AbortSignal): Promise<T> {
  const response = await call(path, { ...(query === undefined ? {} : { query }), ...(signal === undefined ? {} : { signal }) })
  return (await response.json()) as T
}

async function problemOf(response: Response): Promise<Problem | null> {
  try {
    return (await response.json()) as Problem
  } catch {
    return null
  }
}
