/** From a site's word for what it did to one of the six outcomes, or to an error. */
import type { FailureClass, Outcome, Result } from '../../model/outcome.ts'
import type { PageErrorCode, PageResult, PageWord } from './contract.ts'

const outcomeOf: Record<Exclude<PageWord, 'waiting' | 'conflict' | 'invalid' | 'superseded'>, Outcome> = {
  created: 'created',
  published: 'updated',
  draft_saved: 'updated',
  moved: 'updated',
  unpublished: 'deleted',
  unchanged: 'unchanged',
}

/** An editor's draft goes by itself sooner or later, and a parent's page may be on its way; the rest is for a person. */
const comesAgain: ReadonlySet<PageErrorCode> = new Set(['editor_draft', 'missing_reference'])

/** What is recorded of a page: in words what was done to which page, with its id and URL. */
export function resultOf(page: PageResult): Result {
  const { result, pageId, url, changes, drift, error, repeats } = page
  if (result === 'waiting' || result === 'conflict' || result === 'invalid') {
    const code = error?.code ?? 'page_invalid'
    const failureClass: FailureClass = comesAgain.has(code) && result !== 'invalid' ? 'transient' : 'permanent'
    return { failed: { code, class: failureClass, message: messageOf(page) } }
  }
  // Asked under the lock of the ledger, with its newest: what the site has can only be ahead because the clock went back.
  if (result === 'superseded') {
    const message =
      'The site has this page from a later time than the database has now: its clock was put back, or another database took over. Tried again until the time has come'
    return { failed: { code: 'site_is_ahead', class: 'transient', message } }
  }
  // Its answer was lost: what was done then counts.
  const word =
    result === 'unchanged' && repeats != null && repeats.result in outcomeOf ? (repeats.result as keyof typeof outcomeOf) : result
  const where = pageId === null ? '' : ` page ${pageId}${url === null ? '' : `, ${url}`}`
  const told = drift === null || drift.length === 0 ? '' : ` (${drift.join('; ')})`
  return {
    outcome: outcomeOf[word],
    detail: `${word.replace('_', ' ')}${where}${told}`,
    ...(pageId === null ? {} : { ref: pageId }),
    ...(changes === null || Object.keys(changes).length === 0 ? {} : { changes }),
  }
}

function messageOf({ error, waitsFor }: PageResult): string {
  const fields = (error?.fields ?? []).map(({ path, message }) => `${path}: ${message}`)
  const waits = (waitsFor ?? []).map(({ integration, externalId }) => `${integration} "${externalId}"`)
  return [
    error?.message ?? 'the site refused the page',
    ...(fields.length === 0 ? [] : [fields.join('; ')]),
    ...(waits.length === 0 ? [] : [`waits for ${waits.join(', ')}`]),
  ].join('. ')
}
