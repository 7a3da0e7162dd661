/** What a handler gets and gives. */
import type { z } from '@hono/zod-openapi'
import type { Language } from '../model/status.ts'
import type { Services } from '../services.ts'
import type { Principal } from './auth.ts'
import type { RouteName, routes } from './contract/routes.ts'
import { stringify } from './json.ts'

type Routes = typeof routes
type Input<Name extends RouteName, Part extends string> = Routes[Name] extends { [P in Part]: infer Shape extends z.ZodType }
  ? z.output<Shape>
  : null

/** A request that may be made, with its parts checked against the route's shapes. */
export interface Call<Name extends RouteName> {
  services: Services
  request: Request
  /** Null for routes that take no token. */
  principal: Routes[Name]['roles'] extends null ? null : Principal
  language: Language
  /** The path below the base path: `/api/…`, percent-encoded as it came. */
  path: string
  params: Input<Name, 'params'>
  query: Input<Name, 'query'>
  /** Of routes that declare one. */
  body: Input<Name, 'body'>
}

export type Handler<Name extends RouteName> = (call: Call<Name>) => Promise<Response> | Response

/** Handlers of some routes. */
export type Handlers<Name extends RouteName> = { [N in Name]: Handler<N> }

/** A JSON answer in the caller's language. */
export function answer(call: { language: Language }, body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(stringify(body), {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', 'Content-Language': call.language, Vary: 'Accept-Language', ...headers },
  })
}

const defaultLimit = 100

/** How many items a page has: what was asked for, at most `limits.page`. */
export function limitOf(call: { services: Services; query: { limit?: number | undefined } }): number {
  return Math.min(call.query.limit ?? defaultLimit, call.services.config.limits.page)
}
