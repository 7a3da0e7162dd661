/** Keeps a second process out of an embedded database's folder: two at once would destroy it. */
import { readFileSync, rmSync } from 'node:fs'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { SluiceError } from '../errors.ts'

/**
 * Takes the lock of a folder: the file `<folder>.lock`, with the process's id in it. A lock whose process is gone is
 * taken over.
 *
 * @returns gives the lock back; it is also given back when the process exits
 * @throws SluiceError `database_locked` naming the folder and the process that has it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = `${folder}.lock`
  const mine = `${path}.${process.pid}`
  const owner = `${process.pid} ${startOf(process.pid)}`
  await writeFile(mine, owner)
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        // A link either makes the name or fails: two processes can't both succeed.
        await link(mine, path)
        break
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error
        const holder = await readFile(path, 'utf8').catch(() => '')
        if (isAlive(holder) || attempt > 10) throw locked(folder, holder)
        await removeStale(path, holder)
      }
    }
  } finally {
    await rm(mine, { force: true })
  }
  const onExit = (): void => rmSync(path, { force: true })
  process.once('exit', onExit)
  return async () => {
    process.off('exit', onExit)
    await rm(path, { force: true })
  }
}

/** Moves a stale lock away; if it was replaced by a living one in the meantime, puts that back. */
async function removeStale(path: string, holder: string): Promise<void> {
  const aside = `${path}.stale.${process.pid}`
  try {
    await rename(path, aside)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  const moved = await readFile(aside, 'utf8')
  if (moved !== holder) await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
}

function isAlive(holder: string): boolean {
  const [pid = '', start = ''] = holder.split(' ')
  if (!/^\d+$/.test(pid)) return false
  if (Number(pid) === process.pid) return start === startOf(process.pid)
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
  // The id may belong to another process by now.
  return start === '' || start === startOf(Number(pid))
}

/** When a process began, in clock ticks since boot; empty where the system doesn't tell. */
function startOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function locked(folder: string, holder: string): SluiceError {
  const pid = holder.split(' ')[0] ?? '?'
  return new SluiceError(
    'database_locked',
    `The embedded database in "${folder}" is in use by process ${pid}. Stop that process, or set DATABASE_URL to use PostgreSQL with several processes.`,
    { details: { folder, pid } },
  )
}
