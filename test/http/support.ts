/** The HTTP application over a test database, called as a client would call it. */
import type { z } from '@hono/zod-openapi'
import { expect } from 'vitest'
import type { Integration, SluiceOptions } from '../../src/config.ts'
import { createApp } from '../../src/http/app.ts'
import { type Problem, problemShape, type Role } from '../../src/http/contract/common.ts'
import type { Db } from '../../src/store/db.ts'
import { createToken } from '../../src/store/token.ts'
import { createInbox, type Inbox } from '../support/inbox.ts'

/** An admin's, of the config. */
export const adminToken = 'admin-token-of-the-tests-0123456789'

export interface CallOptions {
  /** Default: the admin's. Null: none. */
  token?: string | null
  headers?: Record<string, string>
  /** An object is sent as JSON; text, bytes and streams as they are. */
  body?: unknown
}

export interface TestApp extends Inbox {
  fetch(request: Request): Promise<Response>
  /** @param path below the base path: `/api/messages` */
  call(method: string, path: string, options?: CallOptions): Promise<Response>
  /** A GET whose answer must have the shape given. */
  get<Shape extends z.ZodType>(path: string, shape: Shape, options?: CallOptions): Promise<z.output<Shape>>
  /** Every page of a list from here on; each must have at most `limit` items. */
  pages<Shape extends z.ZodType<{ items: unknown[]; next: string | null }>>(
    path: string,
    shape: Shape,
    limit: number,
  ): Promise<z.output<Shape>['items']>
  /** Makes a token. */
  token(name: string, role: Role, integrations?: readonly string[]): Promise<string>
}

/** Where the tests' requests go; nothing listens there. */
export const origin = 'http://sluice.test'

export function createTestApp(db: Db, integrations: Integration[], options: Partial<SluiceOptions> = {}): TestApp {
  const inbox = createInbox(db, integrations, { token: adminToken, ...options })
  const { fetch } = createApp(inbox.services)
  const app: TestApp = {
    ...inbox,
    fetch,
    call: (method, path, callOptions = {}) => fetch(request(method, `${origin}${path}`, callOptions)),
    async get(path, shape, callOptions) {
      const response = await app.call('GET', path, callOptions)
      return read(response, 200, shape)
    },
    async pages(path, shape, limit) {
      const items: unknown[] = []
      let cursor: string | null = null
      do {
        const url: string = `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`
        const page: z.output<typeof shape> = await app.get(url, shape)
        expect(page.items.length).toBeLessThanOrEqual(limit)
        if (page.next !== null) expect(page.items.length).toBeGreaterThan(0)
        items.push(...page.items)
        cursor = page.next
      } while (cursor !== null)
      return items
    },
    token: async (name, role, only) => (await createToken(db, { name, role, integrations: only ?? null }, 'test')).token,
  }
  return app
}

/** A request with a bearer token and, for an object, JSON. */
export function request(method: string, url: string, { token = adminToken, headers = {}, body }: CallOptions = {}): Request {
  const all = new Headers(headers)
  if (token !== null) all.set('Authorization', `Bearer ${token}`)
  if (body === undefined) return new Request(url, { method, headers: all })
  const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream
  // A text would be sent as text/plain, which is not what a client of JSON does.
  if (!all.has('Content-Type')) all.set('Content-Type', 'application/json')
  const sent = isRaw ? (body as NonNullable<RequestInit['body']>) : JSON.stringify(body)
  const init: RequestInit = { method, headers: all, body: sent, duplex: 'half' }
  return new Request(url, init)
}

/** The answer's JSON, which must have the shape given. */
export async function read<Shape extends z.ZodType>(response: Response, status: number, shape: Shape): Promise<z.output<Shape>> {
  const text = await response.text()
  expect({ status: response.status, text }).toMatchObject({ status })
  expect(response.headers.get('Content-Type')).toMatch(/^application\/json\b/)
  return shape.parse(JSON.parse(text))
}

/** A refusal, which must be a problem with the code given. */
export async function problem(response: Response, status: number, code: string): Promise<Problem> {
  const text = await response.text()
  expect({ status: response.status, text }).toMatchObject({ status })
  expect(response.headers.get('Content-Type')).toMatch(/^application\/problem\+json\b/)
  const parsed = problemShape.parse(JSON.parse(text))
  expect(parsed).toMatchObject({ status, code, type: `urn:sluice:${code}` })
  expect(parsed.detail).not.toBe('')
  return parsed
}
