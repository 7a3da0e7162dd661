/** A Wagtail site as a place for pages: the other side is the Django app `sluice_wagtail` (integrations/wagtail/PROTOCOL.md). */
import { createHmac, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, SluiceError } from '../errors.ts'
import type { DesiredPage, KnownPage, PagePolicy, PageResult, PageSite } from '../targets/page.ts'

export interface WagtailOptions {
  /** Where the site includes `sluice_wagtail.urls`, such as `https://www.example.org/sluice/`. */
  url: string
  /** One of the site's secrets: base64 of 24 bytes or more, with or without `whsec_` before it. */
  secret: string
  /** Seconds that one request may take. Default: 30. */
  timeout?: number
  /** Most pages in a request; the site takes 100 unless its settings say otherwise. Default: 50. */
  batch?: number
  /** Told after the commit which URLs changed, for caches that the site itself doesn't purge. */
  revalidate?: (urls: readonly string[]) => Promise<void>
}

const mostTries = 3
const firstPause = 250
/** Milliseconds: a site that asks for more patience gets the whole batch again, later. */
const longestPause = 10_000

/**
 * A Wagtail site. Requests are signed as Standard Webhooks 1.0 says, and sent again after a timeout, a broken connection or a
 * 5xx, when `Retry-After` says so if it is there: the site answers a repetition with what it did the first time.
 *
 * @throws SluiceError `invalid_config` naming the option that is wrong
 */
export function wagtailSite(options: WagtailOptions): PageSite {
  const base = parseUrl(options.url)
  const secret = parseSecret(options.secret)
  const { timeout = 30, batch = 50, revalidate } = options
  if (!(timeout > 0)) throw invalid('"timeout" must be a number of seconds above 0')
  if (!Number.isInteger(batch) || batch < 1) throw invalid('"batch" must be an integer above 0')
  const call = <Answer>(path: string, body: unknown, signal?: AbortSignal): Promise<Answer> =>
    send<Answer>(new URL(path, base), secret, JSON.stringify(body), timeout * 1000, signal)
  return {
    name: `Wagtail at ${base.href}`,
    capabilities: { move: true, batch, sharedTransaction: false },
    async apply(pages: readonly DesiredPage[], policy: PagePolicy, { signal }) {
      const { results } = await call<{ results: PageResult[] }>('v1/apply/', { policy, pages }, signal)
      return results
    },
    async lookup(keys) {
      const { pages } = await call<{ pages: (KnownPage | null)[] }>('v1/lookup/', { keys })
      return pages
    },
    ...(revalidate === undefined ? {} : { revalidate }),
  }
}

function invalid(message: string): SluiceError {
  return new SluiceError('invalid_config', `wagtailSite: ${message}`)
}

function parseUrl(url: unknown): URL {
  const parsed = typeof url === 'string' ? URL.parse(url.endsWith('/') ? url : `${url}/`) : null
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) throw invalid('"url" must be the address of sluice_wagtail, https://…')
  return parsed
}

function parseSecret(secret: unknown): Buffer {
  const key = typeof secret === 'string' ? Buffer.from(secret.replace(/^whsec_/, ''), 'base64') : Buffer.alloc(0)
  if (key.length < 24) throw invalid('"secret" must be base64 of 24 bytes or more, as the site\'s settings have it')
  return key
}

/** Sends a request until it is answered, at most three times, with the same id. */
async function send<Answer>(url: URL, secret: Buffer, body: string, timeout: number, signal?: AbortSignal): Promise<Answer> {
  const id = `msg_${randomUUID()}`
  for (let tries = 1; ; tries++) {
    const failure = await attempt<Answer>(url, secret, id, body, timeout, signal)
    if ('answer' in failure) return failure.answer
    const pause = failure.retryAfter ?? firstPause * 2 ** tries * (0.75 + Math.random() / 2)
    if (tries === mostTries || pause > longestPause || signal?.aborted === true) {
      const message = `The site at ${url.href} did not answer: ${failure.reason}. The pages come again by themselves.`
      throw new SluiceError('site_unavailable', message, { retryable: true })
    }
    await sleep(pause, undefined, { signal }).catch(() => undefined)
  }
}

async function attempt<Answer>(
  url: URL,
  secret: Buffer,
  id: string,
  body: string,
  timeout: number,
  signal?: AbortSignal,
): Promise<{ answer: Answer } | { reason: string; retryAfter?: number }> {
  const deadline = AbortSignal.timeout(timeout)
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...signed(secret, id, body) },
      body,
      // A redirect would lose the body, and the signature is for this address's site.
      redirect: 'manual',
      signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    })
    text = await response.text()
  } catch (error) {
    return { reason: error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error) }
  }
  if (response.status >= 500 || response.status === 429) {
    const seconds = response.headers.get('retry-after') ?? ''
    return { reason: `${response.status} ${firstWords(text)}`, ...(/^\d+$/.test(seconds) ? { retryAfter: Number(seconds) * 1000 } : {}) }
  }
  if (response.status !== 200) {
    // Not one object's fault and not one that time mends: the integration is paused, and its reason says what to do.
    throw new SluiceError('target_mismatch', `The site at ${url.href} refused the request: ${response.status} ${firstWords(text)}`)
  }
  try {
    return { answer: JSON.parse(text) as Answer }
  } catch {
    throw new SluiceError('target_mismatch', `The site at ${url.href} answered with what is no JSON: ${firstWords(text)}`)
  }
}

/** Headers of Standard Webhooks 1.0, scheme `v1`: HMAC-SHA256 over id, time and body. */
function signed(secret: Buffer, id: string, body: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}

function firstWords(text: string): string {
  const words = text.replaceAll(/\s+/g, ' ').trim()
  return words.length > 300 ? `${words.slice(0, 300)}…` : words
}
