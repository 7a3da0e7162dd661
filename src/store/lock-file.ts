/** Keeps a second process out of an embedded database's folder: two at once would destroy it. */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { link, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SluiceError } from '../errors.ts'

/**
 * Takes the lock of a folder: the file `<folder>.lock`, with the process's id and start in it. A lock whose process is
 * gone is taken over. Sees the processes of this machine only, not those of other containers.
 *
 * @returns gives the lock back; it is also given back when the process exits
 * @throws SluiceError `database_locked` naming the folder and the process that has it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = `${await realpath(folder).catch(() => resolve(folder))}.lock`
  const holder = await take(path)
  if (holder !== null) throw locked(folder, path, holder)
  const owner = ownerText()
  // Somebody may have deleted it by hand, and another process may have it by now.
  const release = (): void => {
    process.off('exit', release)
    if (existsSync(path) && readFileSync(path, 'utf8') === owner) rmSync(path, { force: true })
  }
  process.once('exit', release)
  return async () => release()
}

const mostAttempts = 200

/** Makes a lock file. Null when it is ours now, else what its holder wrote into it. */
async function take(path: string): Promise<string | null> {
  const mine = `${path}.${randomUUID()}`
  await writeFile(mine, ownerText())
  try {
    for (let attempt = 1; ; attempt++) {
      if (await isLinked(mine, path)) return null
      const holder = await read(path)
      if (holder === null) continue
      if (isAlive(holder) || attempt >= mostAttempts) return holder
      await clear(path, holder)
    }
  } finally {
    await rm(mine, { force: true })
  }
}

/** A link either makes the name or fails, with the content there at once: two processes can't both succeed. */
async function isLinked(file: string, path: string): Promise<boolean> {
  try {
    await link(file, path)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

/** Removes a stale lock. One process at a time, under a lock for that: a second one would remove what the first has made since. */
async function clear(path: string, holder: string): Promise<void> {
  const clearing = `${path}.clearing`
  if ((await take(clearing)) !== null) {
    await sleep(10)
    return
  }
  try {
    if ((await read(path)) === holder) await rm(path, { force: true })
  } finally {
    await rm(clearing, { force: true })
  }
}

async function read(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

function ownerText(): string {
  return `${process.pid} ${startOf(process.pid)}`
}

function isAlive(holder: string): boolean {
  const [pid = '', start = ''] = holder.split(' ')
  if (!/^\d+$/.test(pid)) return false
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
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function locked(folder: string, path: string, holder: string): SluiceError {
  const pid = Number.parseInt(holder, 10)
  return new SluiceError(
    'database_locked',
    `The embedded database in "${folder}" is in use by process ${pid}. Stop that process, or set DATABASE_URL to use PostgreSQL with several processes. If ${pid} is no process of Sluice, delete "${path}".`,
    { details: { folder, pid } },
  )
}
