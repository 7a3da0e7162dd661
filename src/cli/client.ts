/** Talks to a Sluice server over HTTP, as any sender or operator would. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { messageOf, SluiceError } from '../errors.ts'
import { parseExact } from '../json/exact.ts'
import { AnswerError } from './exit.ts'

/** What a request carries beside its method and path. */
export interface RequestBody {
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is, chunked. */
  stream?: Readable
}

/** A successful answer. */
export interface Answer {
  status: number
  location: string | undefined
  /** Parsed when it is JSON, else its text. */
  body: unknown
}

/** Longest silence on a connection, in milliseconds: validation answers within `validateWithin`, well below this. */
const silence = 60_000

/** One server and the token to show it. */
export class Client {
  readonly url: string
  readonly #base: URL
  readonly #token: string | undefined

  /** @throws SluiceError `usage` for a URL that is none */
  constructor(url: string, token: string | undefined) {
    const base = URL.parse(url.endsWith('/') ? url : `${url}/`)
    if (base === null || !/^https?:$/.test(base.protocol))
      throw new SluiceError('usage', `"${url}" is no http or https URL (--url, SLUICE_URL).`)
    this.url = url
    this.#base = base
    this.#token = token
  }

  /**
   * Sends a request.
   *
   * @param path below the server's URL, without a leading slash: `api/messages`
   * @throws SluiceError `unreachable`; AnswerError for anything but 2xx
   */
  async request(method: string, path: string, body: RequestBody = {}): Promise<Answer> {
    const response = await this.#exchange(method, path, body)
    const status = response.statusCode ?? 0
    const parsed = parse(response, await this.#text(response))
    if (status < 200 || status > 299) throw refusal(this.url, status, parsed, this.#token !== undefined)
    return { status, location: response.headers.location, body: parsed }
  }

  /** The parsed body of a GET. The server is ours and of the same package, so its shape is taken on trust. */
  async get<T>(path: string): Promise<T> {
    const { body } = await this.request('GET', path)
    return body as T
  }

  async #exchange(method: string, path: string, body: RequestBody): Promise<IncomingMessage> {
    const url = new URL(path, this.#base)
    const json = body.json === undefined ? undefined : JSON.stringify(body.json)
    const options: RequestOptions = {
      method,
      headers: {
        accept: 'application/json',
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) }),
        ...body.headers,
      },
    }
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options)
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve)
      request.on('error', reject)
      // A sender may take its time to hand over the body; from then on it is the server's turn.
      request.once('finish', () => request.setTimeout(silence))
      request.once('timeout', () => request.destroy(new Error(`no answer for ${silence / 1000} seconds`)))
    })
    if (body.stream === undefined) request.end(json)
    // A failure of either side ends the request, which says so; the server may also answer while it is still being sent to.
    else pipeline(body.stream, request).catch(() => undefined)
    return answered.catch((error: unknown) => this.#unreachable(error))
  }

  async #text(response: IncomingMessage): Promise<string> {
    const parts: Buffer[] = []
    try {
      for await (const part of response) parts.push(part as Buffer)
    } catch (error) {
      this.#unreachable(error)
    }
    return Buffer.concat(parts).toString('utf8')
  }

  #unreachable(error: unknown): never {
    throw new SluiceError(
      'unreachable',
      `The server at ${this.url} can't be reached: ${reason(error)}. Is it running? Name another one with --url or SLUICE_URL.`,
      {
        cause: error,
        retryable: true,
      },
    )
  }
}

function parse(response: IncomingMessage, text: string): unknown {
  if (!/\bjson\b/.test(response.headers['content-type'] ?? '')) return text
  try {
    // Values of objects keep their digits on the way to the screen.
    return parseExact(text)
  } catch {
    return text
  }
}

function refusal(url: string, status: number, body: unknown, hasToken: boolean): AnswerError {
  if (typeof body === 'object' && body !== null && 'code' in body && 'detail' in body) {
    const problem = body as ConstructorParameters<typeof AnswerError>[1]
    const hint = status === 401 && !hasToken ? ' Set SLUICE_TOKEN.' : ''
    return new AnswerError(status, { ...problem, detail: `${problem.detail}${hint}` })
  }
  const detail = `The server at ${url} answered ${status} and said nothing that Sluice would say. Is it a Sluice server?`
  return new AnswerError(status, { type: 'about:blank', title: 'Unexpected answer', status, code: 'unexpected_answer', detail })
}

/** Several failed addresses of one host come as an AggregateError without a message of its own. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(messageOf))].join(', ')
  return messageOf(error)
}
