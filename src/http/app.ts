/** The HTTP application: a standard fetch handler over the table of routes. */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Services } from '../services.ts'
import { AdminPages } from './admin.ts'
import { authenticate, requireRole } from './auth.ts'
import { answer, type Call, type Handler, type Handlers } from './call.ts'
import { type Route, type RouteName, routes } from './contract/routes.ts'
import { docsPolicy, renderDocs } from './docs.ts'
import { Events } from './events.ts'
import { checkParameters, queryOf, readJson } from './input.ts'
import { instances } from './instances.ts'
import { intake } from './intake.ts'
import { integrations } from './integrations.ts'
import { languageFor } from './language.ts'
import { messages } from './messages.ts'
import { Metrics } from './metrics.ts'
import { describeApi } from './openapi.ts'
import { operations } from './operations.ts'
import { overview } from './overview.ts'
import { PathFinder } from './path.ts'
import { problemOf, problemResponse } from './problem.ts'
import { RateLimiter } from './rate.ts'
import { session } from './session.ts'
import { tasks } from './tasks.ts'
import { tokens } from './tokens.ts'
import { isSigned, verifySigned } from './webhook.ts'

export interface App {
  fetch(request: Request): Promise<Response>
  /** What is mounted: `GET /api/messages/:id`. A test holds it against the roles that it expects. */
  readonly mounted: readonly string[]
  /** Ends the streams that go on by themselves, so that a server can close. */
  endStreams(): void
}

/**
 * Builds the application. It mounts under any base path, stripped by whoever mounts it or not: a path belongs to the
 * route that its end matches, and every reference that is given out is relative.
 */
export function createApp(services: Services): App {
  const metrics = new Metrics()
  const events = new Events()
  const handlers: Handlers<RouteName> = {
    ...intake,
    ...messages,
    ...instances,
    ...overview,
    ...integrations,
    ...tasks,
    ...tokens,
    ...session,
    ...operations,
    ...description(services),
    metrics: metrics.metrics,
    events: events.events,
  }
  const limiter = new RateLimiter(services.config.limits.rate)
  const finder = new PathFinder<Route>(Object.values<Route>(routes))
  const app = new OpenAPIHono({ getPath: (request) => matchedPath(finder, request) })
  for (const name of Object.keys(routes) as RouteName[]) mount(app, services, metrics, limiter, name, handlers[name] as Handler<RouteName>)
  const pages = new AdminPages()
  const beside = async (request: Request): Promise<Response> => (await pages.serve(request)) ?? notFound(finder, request)
  app.notFound(async ({ req }) => guarded(await beside(req.raw).catch((error: unknown) => problemOf(error, services.log))))
  const mounted = app.routes.map(({ method, path }) => `${method} ${path}`)
  return { mounted, fetch: async (request) => app.fetch(request), endStreams: () => events.endAll() }
}

function matchedPath(finder: PathFinder<Route>, request: Request): string {
  const { pathname } = new URL(request.url)
  return finder.find(pathname)?.path ?? pathname
}

function mount(
  app: OpenAPIHono,
  services: Services,
  metrics: Metrics,
  limiter: RateLimiter,
  name: RouteName,
  handler: Handler<RouteName>,
): void {
  const route: Route = routes[name]
  const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1')
  app.on(route.method.toUpperCase(), path, async ({ req }) => {
    const began = performance.now()
    const response = await respond(services, limiter, route, handler, req.raw, req.path, req.param()).catch((error: unknown) =>
      problemOf(error, services.log),
    )
    metrics.observe(req.method, route.path, response.status, (performance.now() - began) / 1000)
    return guarded(response)
  })
}

/** Who is it, may they, is it well formed; then the handler. */
async function respond(
  services: Services,
  limiter: RateLimiter,
  route: Route,
  handler: Handler<RouteName>,
  received: Request,
  path: string,
  given: Record<string, string>,
): Promise<Response> {
  const isIntake = route === routes.receive
  const signed = isIntake && isSigned(received) ? await verifySigned(services.config, received) : null
  const request = signed?.request ?? received
  const principal = route.roles === null ? null : (signed?.principal ?? (await authenticate(services, request)))
  if (principal !== null && route.roles !== null) requireRole(principal, route.roles)
  if (principal !== null && isIntake) limiter.take(principal.name)
  const call = {
    services,
    request,
    principal,
    language: languageFor(request.headers.get('Accept-Language')),
    path,
    params: route.params === undefined ? null : checkParameters(route.params, given),
    query: route.query === undefined ? null : checkParameters(route.query, queryOf(new URL(request.url))),
    body: route.body === undefined ? null : await readJson(route.body, request),
  }
  // The shapes that checked these parts are the route's own: TypeScript can't follow that through the table.
  return handler(call as Call<RouteName> as never)
}

/** Headers that every answer has. */
function guarded(response: Response): Response {
  const { headers } = response
  headers.set('X-Content-Type-Options', 'nosniff')
  headers.set('Referrer-Policy', 'no-referrer')
  headers.set('X-Frame-Options', 'DENY')
  headers.set('Cross-Origin-Resource-Policy', 'same-origin')
  headers.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()')
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store')
  if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
  return response
}

function notFound(finder: PathFinder<Route>, request: Request): Response {
  const { pathname } = new URL(request.url)
  const match = finder.find(pathname)
  if (match === null) return problemResponse('not_found', { detail: `There is nothing at ${pathname}. GET /api/docs lists what there is.` })
  const allowed = match.routes.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ')
  return problemResponse(
    'method_not_allowed',
    { detail: `${request.method} is not allowed at ${match.path}, but ${allowed}.` },
    { Allow: allowed },
  )
}

/** The API's own description, made once. */
function description(services: Services): Handlers<'openapi' | 'docs'> {
  const document = describeApi(services)
  const page = renderDocs(services.version, [...services.config.integrations.keys()])
  return {
    openapi: (call) => answer(call, document),
    docs: () => new Response(page, { headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': docsPolicy } }),
  }
}
