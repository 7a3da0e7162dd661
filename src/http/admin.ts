/** The admin UI: static files that `npm run build` puts into `dist/admin`, and its one page at every address it has. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { PathFinder } from './path.ts'

/** Addresses of the UI below the base path; `admin/router.tsx` has the same. */
const pages = [
  '/messages',
  '/messages/{id}',
  '/instances',
  '/instances/{id}',
  '/objects',
  '/errors',
  '/integrations',
  '/integrations/{name}',
  '/tasks',
  '/tasks/{id}',
  '/access',
].map((path) => ({ path }))

const types: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
}

/** In `src/` and in `dist/` alike the package's root is two levels up. */
const folder = new URL('../../dist/admin/', import.meta.url)

interface Asset {
  type: string
  bytes: Uint8Array<ArrayBuffer>
  brotli: Uint8Array<ArrayBuffer>
}

/** What the build made: read when first asked for, a few files of about a megabyte in all. */
interface Built {
  /** The page, with references that begin with `./`. */
  page: string
  assets: ReadonlyMap<string, Asset>
}

/**
 * Serves the UI under any base path, stripped by whoever mounts it or not: a page is known by the end of its path, and
 * gets references that lead back up to where the base path ends.
 */
export class AdminPages {
  readonly #finder = new PathFinder(pages)
  #built: Promise<Built | null> | null = null

  /** The file or page that a request is for; null when it is for neither, or the UI was not built. */
  async serve(request: Request): Promise<Response | null> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return null
    const { pathname } = new URL(request.url)
    const name = /\/assets\/([\w.-]+)$/.exec(pathname)?.[1]
    if (name === undefined && !isNavigation(request)) return null
    this.#built ??= readBuilt()
    const built = await this.#built
    if (built === null) {
      // It may be built while the server runs.
      this.#built = null
      return name === undefined ? notBuilt(pathname) : null
    }
    if (name !== undefined) return assetResponse(built.assets.get(name), request)
    return this.#page(built, pathname, forwardedPrefix(request))
  }

  #page({ page }: Built, pathname: string, prefix: string | null): Response | null {
    // The root of who was cut off may be open without its last slash: relative references would miss then.
    if (pathname === '/' && prefix !== null) return pageResponse(page, `${prefix}/`)
    const found = this.#finder.find(pathname)
    if (found !== null) return pageResponse(page, '../'.repeat(found.path.split('/').length - 2) || './')
    if (pathname.endsWith('/')) return pageResponse(page, './')
    const last = pathname.slice(pathname.lastIndexOf('/') + 1)
    // Perhaps the base path itself: with a slash its relative references are right. What looks like the API is a mistake in it.
    if (/^[\w-]+$/.test(last) && !pathname.includes('/api/'))
      return new Response(null, { status: 307, headers: { Location: `./${last}/` } })
    return null
  }
}

/** True when a person opens an address; programs don't ask for HTML. */
function isNavigation(request: Request): boolean {
  return (request.headers.get('Accept') ?? '').includes('text/html')
}

/**
 * What a proxy or Express cut off the front of the path, as they tell (`X-Forwarded-Prefix`, each adding its own); null when
 * nobody tells, or what is told is no path.
 */
function forwardedPrefix(request: Request): string | null {
  const told = request.headers.get('X-Forwarded-Prefix') ?? ''
  const prefix = told.replaceAll(/\/?\s*,\s*/g, '').replace(/\/$/, '')
  return /^(?:\/[\w~-][\w.~-]*)+$/.test(prefix) ? prefix : null
}

/** In a clone of the repository, whose page of a first start would be a riddle otherwise. */
function notBuilt(pathname: string): Response | null {
  if (!pathname.endsWith('/')) return null
  return new Response('The admin UI is not built here. In a clone of the repository "npm run build" makes it.\n', {
    status: 404,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  })
}

/** @param up where the base path ends, relative to the page or to its host */
function pageResponse(page: string, up: string): Response {
  const nonce = randomBytes(16).toString('base64')
  return new Response(page.replaceAll('="./', `="${up}`).replaceAll('__nonce__', nonce), {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': [
        "default-src 'none'",
        "script-src 'self'",
        // Mantine writes its theme into a style element.
        `style-src 'self' 'nonce-${nonce}'`,
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
      'Cross-Origin-Opener-Policy': 'same-origin',
      Vary: 'Accept',
    },
  })
}

/** Names have a hash of the content: what has been loaded once is never asked for again. */
function assetResponse(asset: Asset | undefined, request: Request): Response | null {
  if (asset === undefined) return null
  const takesBrotli = /\bbr\b/.test(request.headers.get('Accept-Encoding') ?? '')
  return new Response(takesBrotli ? asset.brotli : asset.bytes, {
    headers: {
      'Content-Type': asset.type,
      'Cache-Control': 'public, max-age=31536000, immutable',
      Vary: 'Accept-Encoding',
      ...(takesBrotli ? { 'Content-Encoding': 'br' } : {}),
    },
  })
}

async function readBuilt(): Promise<Built | null> {
  try {
    const page = await readFile(new URL('index.html', folder), 'utf8')
    const names = await readdir(new URL('assets/', folder))
    const assets = await Promise.all(names.map(async (name) => [name, await readAsset(name)] as const))
    return { page, assets: new Map(assets) }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

async function readAsset(name: string): Promise<Asset> {
  const bytes = await readFile(new URL(`assets/${name}`, folder))
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
  return { type: types[extname(name)] ?? 'application/octet-stream', bytes, brotli }
}
