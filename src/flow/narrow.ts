/** One bad object harms only itself: a batch that fails is narrowed down until the bad ones stand alone. */
import type { Result } from '../model/outcome.ts'
import type { Transaction } from '../store/db.ts'
import { classify } from '../store/sqlstate.ts'
import { type ApplyContext, type ApplyItem, AtItem, type Target } from '../targets/target.ts'
import { failureOf } from './failure.ts'

/**
 * Applies a batch under a savepoint. If it fails, its halves are applied, and theirs, down to single objects, whose
 * failure becomes their result. Constraints that are checked late are checked before the savepoint goes, so that they
 * can't fail the commit.
 *
 * @throws what is a failure of the surroundings or of the mapping: the chunk's, not an object's
 */
export async function applyNarrowed(
  tx: Transaction,
  target: Target,
  items: readonly ApplyItem[],
  context: ApplyContext,
): Promise<Result[]> {
  const first = items[0]
  if (first === undefined) return []
  await tx.query('SAVEPOINT batch')
  try {
    const results = await target.apply(tx, items, context)
    // Undone again: what comes later in this transaction may need its constraints late, as these did.
    await tx.exec('SAVEPOINT checked; SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK TO SAVEPOINT checked; RELEASE SAVEPOINT batch')
    return results
  } catch (thrown) {
    const error = thrown instanceof AtItem ? thrown.cause : thrown
    if (classify(error) !== 'instance') throw error
    await tx.exec('ROLLBACK TO SAVEPOINT batch; RELEASE SAVEPOINT batch')
    if (items.length === 1) {
      const explanation = (await target.explain?.(tx, first, error)) ?? null
      return [failureOf(error, explanation)]
    }
    const middle = thrown instanceof AtItem ? Math.max(thrown.index, 1) : items.length >> 1
    const head = await applyNarrowed(tx, target, items.slice(0, middle), context)
    const tail = await applyNarrowed(tx, target, items.slice(middle), context)
    return [...head, ...tail]
  }
}
