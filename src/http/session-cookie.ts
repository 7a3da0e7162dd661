/** The cookie that stands for a session, and what guards it against other sites' pages. */
import { SluiceError } from '../errors.ts'

const cookieName = 'sluice_session'
const secretPattern = /^[A-Za-z0-9_-]{43}$/

/** How long a session lasts, in seconds: twelve hours. */
export const sessionSeconds = 12 * 60 * 60

/** The secret in a request's cookie; null when there is none. */
export function sessionSecretOf(request: Request): string | null {
  for (const pair of (request.headers.get('Cookie') ?? '').split(';')) {
    const [name, value = ''] = pair.trim().split('=')
    if (name === cookieName && secretPattern.test(value)) return value
  }
  return null
}

/**
 * A Set-Cookie header that begins a session, or with an empty secret ends it. It has no Path: by RFC 6265 (5.1.4) the
 * browser takes the folder of the request then, which is `<base path>/api`, whatever the base path is out there.
 */
export function sessionCookie(request: Request, secret: string): string {
  // The browser's own view of the scheme: behind a proxy that ends TLS the request itself came by plain HTTP.
  const isSecure = (request.headers.get('Origin') ?? request.url).startsWith('https:')
  const age = secret === '' ? 0 : sessionSeconds
  return `${cookieName}=${secret}; Max-Age=${age}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
}

/** Header that only a page of the same origin can send without asking first (a preflight, which is never granted). */
const pageHeader = 'X-Sluice-Page'

/**
 * Checks that a request which comes with a cookie and changes something was made by a page of ours. SameSite=Strict keeps
 * out other sites, but not pages on other subdomains or ports of the same one.
 *
 * @throws SluiceError `forbidden`
 */
export function requireOwnPage(request: Request): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const site = request.headers.get('Sec-Fetch-Site')
  if (request.headers.has(pageHeader) && (site === null || site === 'same-origin')) return
  throw new SluiceError(
    'forbidden',
    `A request with a session cookie that changes something must come from a page of this server, with the header "${pageHeader}: 1". Programs send a bearer token instead.`,
  )
}
