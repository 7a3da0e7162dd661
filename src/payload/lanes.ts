/** Several pages of a batch at once, where their order means nothing. */
import type { DesiredPage, PageResult } from '../targets/page.ts'
import { keyOf } from './plugin.ts'
import type { Reads } from './reads.ts'
import { slugOf } from './slug.ts'

/**
 * Half of what a write takes is waiting for the database. Two at once are what an editor beside the script would be; SQLite has one
 * writer at a time.
 */
const lanesOf: Record<string, number> = { postgres: 2 }

/**
 * Works on the pages in their order. One that has the same key or slug as an earlier one, or has that for its parent, waits for it; if
 * that one was put off (null), so is this.
 *
 * Throws what the work throws, once nothing runs any more.
 */
export async function inLanes(
  batch: Reads,
  pages: readonly DesiredPage[],
  work: (page: DesiredPage) => Promise<PageResult | null>,
): Promise<(PageResult | null)[]> {
  const before = dependencies(batch, pages)
  const results: Promise<PageResult | null>[] = []
  const one = async (page: DesiredPage, index: number): Promise<PageResult | null> => {
    const earlier = await Promise.all((before[index] ?? []).map((at) => results[at]))
    return earlier.includes(null) ? null : work(page)
  }
  const rest = pages.entries()
  const lane = async (): Promise<void> => {
    for (const [index, page] of rest) {
      const result = one(page, index)
      results[index] = result
      await result
    }
  }
  // A page of nested docs is written with all that is below.
  const count = batch.options.tree === 'nested-docs' ? 1 : (lanesOf[batch.api.db.name ?? ''] ?? 1)
  const lanes = await Promise.allSettled(Array.from({ length: count }, lane))
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason
  return Promise.all(results)
}

/** For each page the earlier ones that it has to wait for. */
function dependencies(batch: Reads, pages: readonly DesiredPage[]): number[][] {
  const last = new Map<string, number>()
  return pages.map((page, index) => {
    const own = [keyOf(page), slugOfPage(batch, page)]
    const wanted = page.parent?.kind === 'page' ? [...own, keyOf(page.parent)] : own
    const earlier = wanted.flatMap((name) => last.get(name) ?? [])
    for (const name of own) last.set(name, index)
    return earlier
  })
}

/** Keys are JSON arrays, so no slug is one. */
function slugOfPage(batch: Reads, page: DesiredPage): string {
  return page.slug ?? (batch.byKey(page)?.latest.slug as string | undefined) ?? slugOf(page.title)
}
