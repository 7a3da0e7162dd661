/** The order within a batch: parents before their children, whatever order they come in. Pure. */
import type { DesiredPage } from '../targets/page.ts'
import { keyOf } from './plugin.ts'

/**
 * The pages level by level, each with its index, and beside them the indexes of those whose parents go round in a circle. An object that
 * comes more than once keeps its order. A page to be taken off needs no parent.
 */
export function byLevel(pages: readonly DesiredPage[]): { order: [number, DesiredPage][]; circle: ReadonlySet<number> } {
  const parents = new Map<string, string>()
  for (const page of pages) if (page.state !== 'unpublished' && page.parent?.kind === 'page') parents.set(keyOf(page), keyOf(page.parent))
  const depths = new Map<string, number>()
  const round = new Set<string>()
  for (const start of parents.keys()) {
    const trail: string[] = []
    let key: string | undefined = start
    while (key !== undefined && parents.has(key) && !depths.has(key) && !trail.includes(key)) {
      trail.push(key)
      key = parents.get(key)
    }
    if (key !== undefined && trail.includes(key)) for (const each of trail.slice(trail.indexOf(key))) round.add(each)
    for (const each of trail.toReversed()) depths.set(each, (depths.get(parents.get(each) ?? '') ?? 0) + 1)
  }
  const isRound = (page: DesiredPage): boolean => page.state !== 'unpublished' && round.has(keyOf(page))
  const all = [...pages.entries()]
  const depthOf = (page: DesiredPage): number => depths.get(keyOf(page)) ?? 0
  return {
    order: all.filter(([, page]) => !isRound(page)).sort(([, one], [, other]) => depthOf(one) - depthOf(other)),
    circle: new Set(all.filter(([, page]) => isRound(page)).map(([index]) => index)),
  }
}
