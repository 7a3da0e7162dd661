/** What is made of an error that Payload, the site's own code or its database throws. */
import { messageOf, SluiceError } from '../errors.ts'
import type { DesiredPage, PageResult } from '../targets/page.ts'
import { changedMeanwhile, own } from './plugin.ts'

/**
 * Whether somebody else was faster: the key of a page to be made is there, its slug has been given, the page has a newer revision than
 * the one that was read, or what it refers to is gone. The page is to be read anew.
 */
export function isOvertaken(error: unknown): boolean {
  if (wasSavedMeanwhile(error)) return true
  return isGone(error) || fieldsOf(error).some(({ path }) => path === own.key) || wasSlugGiven(error)
}

/** Whether the page refers to what isn't there. */
export function isGone(error: unknown): boolean {
  return codesOf(error).some((code) => code === '23503' || code === 'SQLITE_CONSTRAINT_FOREIGNKEY')
}

/** Whether another page of Sluice's under the same parent has the slug. */
export function wasSlugGiven(error: unknown): boolean {
  return fieldsOf(error).some(({ path }) => path === own.place)
}

/** Whether the page has a newer revision than the one that was read. */
export function wasSavedMeanwhile(error: unknown): boolean {
  return (error as { name?: unknown }).name === changedMeanwhile
}

/**
 * Whose fault an error is. Payload's own checks, and the site's own code (a hook that throws), are about this page: the others go on.
 * What the database says of itself, and whatever fails while the site can't even be read, is the site's: the batch comes again.
 *
 * @throws SluiceError `site_unavailable`
 */
export async function refusedByPayload(
  error: unknown,
  page: DesiredPage,
  isReadable: () => Promise<boolean>,
): Promise<NonNullable<PageResult['error']>> {
  const { name, status } = error as { name?: string; status?: number }
  const isRefusal = name === 'ValidationError' || (typeof status === 'number' && status < 500)
  if (!isRefusal && (isOfDatabase(error) || !(await isReadable()))) {
    throw new SluiceError('site_unavailable', `Payload failed: ${messageOf(error)}. The pages come again by themselves.`, {
      retryable: true,
    })
  }
  const fields = fieldsOf(error).map(({ path, message }) => ({ path: pointerTo(page, path), message }))
  return { code: 'page_invalid', message: messageOf(error), fields }
}

/** Payload's path of a field as a JSON Pointer into the desired page. */
function pointerTo(page: DesiredPage, path: string): string {
  const [name = '', ...rest] = path.split('.')
  const pointer = [name, ...rest].join('/')
  if (['title', 'slug', 'parent'].includes(name)) return `/${pointer}`
  return `/${name in page.sets ? 'sets' : name in page.references ? 'references' : 'fields'}/${pointer}`
}

function fieldsOf(error: unknown): { path: string; message: string }[] {
  return (error as { data?: { errors?: { path: string; message: string }[] } }).data?.errors ?? []
}

/** SQLSTATEs of the surroundings, SQLite's of a busy or broken file, and a network's. */
const databaseCodes =
  /^(?:(?:08|40|53|55|57|58|XX)[0-9A-Z]{3}|SQLITE_(?:BUSY|LOCKED|FULL|IOERR|CANTOPEN|READONLY|CORRUPT|NOTADB)\w*|E(?:CONN|PIPE|NOTFOUND|TIMEDOUT)\w*)$/

/** What Payload and node-postgres say without any code when the server goes. */
const databaseWords = /cannot begin transaction|Connection terminated|is not queryable|timeout exceeded when trying to connect/

/** Whether an error, or what caused it, is of the database's surroundings. */
function isOfDatabase(error: unknown): boolean {
  return codesOf(error).some((code) => databaseCodes.test(code)) || causesOf(error).some((cause) => databaseWords.test(messageOf(cause)))
}

/** The codes of an error and of what caused it. */
function codesOf(error: unknown): string[] {
  return causesOf(error).flatMap(({ code }) => (typeof code === 'string' ? [code] : []))
}

/** An error, what caused it, and so on. */
function causesOf(error: unknown): { code?: unknown }[] {
  const causes: { code?: unknown }[] = []
  for (let at = error; typeof at === 'object' && at !== null; at = (at as { cause?: unknown }).cause) causes.push(at)
  return causes
}
