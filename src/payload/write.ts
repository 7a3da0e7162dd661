/** Writes over a page, so that what editors have written stays. */
import type { DesiredPage, PagePolicy } from '../targets/page.ts'
import type { Doc, InTransaction, LocalApi } from './local-api.ts'
import { keyOf, own } from './plugin.ts'
import type { Found } from './reads.ts'

/**
 * Writes over a page. Payload starts from the newest revision, so a plain update would make an editor's draft live: with one
 * on the page all that is live is sent along, and with `preserve` the draft is saved anew with the owned fields in it.
 *
 * Gives the page as it is live now. Throws what the plugin throws if the newest revision isn't the one that was read.
 */
export async function write(
  api: LocalApi,
  page: DesiredPage,
  found: Found,
  data: Record<string, unknown>,
  editorDraft: PagePolicy['editorDraft'],
): Promise<Doc> {
  const { collection, live, latest } = found
  const isDraft = page.state === 'draft'
  const hasDraft = hasEditorDraft(found)
  // A draft with an editor's text in it remains the editor's: signed as ours, the next message would make it live.
  const sluice = hasDraft && isDraft && editorDraft === 'preserve' ? '' : page.key
  const sluiceKey = keyOf(page)
  const context = { sluice, sluiceKey, sluiceRead: { id: live.id, updatedAt: latest.updatedAt } }
  const base = !hasDraft || (isDraft && editorDraft === 'preserve') ? {} : content(live, latest)
  const update = { collection, id: live.id, data: { ...base, ...data }, depth: 0 as const, draft: isDraft, trash: true, context }
  if (!hasDraft || isDraft || editorDraft !== 'preserve') {
    const written = (await api.update(update)) as Doc
    return isDraft ? live : written
  }
  const kept = { ...content(latest, live), ...data, _status: 'draft' }
  return inTransaction(api, async (part) => {
    const written = (await api.update({ ...update, ...part() })) as Doc
    await api.update({
      collection,
      id: live.id,
      data: kept,
      depth: 0,
      draft: true,
      trash: true,
      context: { sluice: '', sluiceKey },
      ...part(),
    })
    return written
  })
}

/** Whether an editor's unpublished draft stands on a page. */
export function hasEditorDraft({ live, latest }: Found): boolean {
  if (latest._status !== 'draft' || latest[own.writer]) return false
  // An editor who takes a page off leaves a draft like what is there: drift, and nobody's text.
  return live._status === 'published' || live.updatedAt !== latest.updatedAt
}

/**
 * Several writes as one, where the site's database has transactions. An operation that fails rolls the whole transaction back by
 * itself, and whatever still named it would be committed alone: so nothing follows a failure, and the transaction has to be there when
 * it is committed.
 *
 * @param work is given what makes an operation part of the transaction, anew for each: Payload changes it
 */
async function inTransaction<T>({ db }: LocalApi, work: (part: () => { req?: InTransaction }) => Promise<T>): Promise<T> {
  const id = await db.beginTransaction()
  if (id === null) return work(() => ({}))
  let result: T
  try {
    result = await work(() => ({ req: { transactionID: id } }))
    if (db.sessions !== undefined && !(id in db.sessions)) throw new Error("the site's own code ended the transaction of the write")
  } catch (error) {
    await db.rollbackTransaction(id)
    throw error
  }
  await db.commitTransaction(id)
  return result
}

/** All that a revision says, with null for what only the other one has. */
function content(doc: Doc, other: Doc): Record<string, unknown> {
  const { id: _id, createdAt: _created, updatedAt: _updated, deletedAt: _deleted, ...rest } = doc
  const absent = Object.keys(other).filter((name) => !(name in doc) && name !== 'deletedAt')
  return { ...Object.fromEntries(absent.map((name) => [name, null])), ...rest }
}
