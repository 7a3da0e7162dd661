/** Paths: which route one belongs to, whatever stands before it, and references between them. */
/** What has a path, as OpenAPI writes it: `/api/messages/{id}`. */
interface HasPath {
  path: string
}

/** A route that a path belongs to. */
export interface PathMatch<R extends HasPath> {
  /** The path below the base path, still percent-encoded. */
  path: string
  /** Every route of that path, one per method. */
  routes: R[]
}

/**
 * Finds routes by path. The application may be mounted under any base path, stripped or not: a path belongs to the routes
 * that match all of it, else to those that match the longest rest of it.
 */
export class PathFinder<R extends HasPath> {
  readonly #patterns: { pattern: RegExp; routes: R[] }[] = []

  constructor(routes: readonly R[]) {
    const byPath = Map.groupBy(routes, (route) => route.path)
    for (const [path, ofPath] of byPath) this.#patterns.push({ pattern: patternOf(path), routes: ofPath })
  }

  /** @param path as it came, percent-encoded */
  find(path: string): PathMatch<R> | null {
    for (let from = 0; from !== -1; from = path.indexOf('/', from + 1)) {
      const rest = path.slice(from)
      const found = this.#patterns.find(({ pattern }) => pattern.test(rest))
      if (found !== undefined) return { path: rest, routes: found.routes }
    }
    return null
  }
}

function patternOf(path: string): RegExp {
  const source = path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')
  return new RegExp(`^${source}$`)
}

/**
 * A reference from one path to another, relative, so that it is right whatever prefix the client's URL has and whoever
 * strips it (RFC 3986, 5.2; RFC 9110, 10.2.2 allows one in Location).
 *
 * @example relativeReference('/api/integrations/organization/messages', '/api/messages/12') // '../../messages/12'
 */
export function relativeReference(from: string, to: string): string {
  const base = from.split('/').slice(1, -1)
  const target = to.split('/').slice(1)
  let shared = 0
  while (shared < base.length && shared < target.length - 1 && base[shared] === target[shared]) shared++
  const reference = [...base.slice(shared).map(() => '..'), ...target.slice(shared)].join('/')
  // A first segment with a colon would read as a scheme.
  return /^[^/]*:/.test(reference) ? `./${reference}` : reference
}
