import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Db } from '../../src/store/db.ts'
import { lockFolder } from '../../src/store/lock-file.ts'
import { createPglite } from '../../src/store/pglite.ts'

let place: string
const holders: ChildProcess[] = []

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'sluice-pglite-'))
})
afterEach(async () => {
  for (const holder of holders.splice(0)) holder.kill('SIGKILL')
  await rm(place, { recursive: true, force: true })
})

/** Another process that tries to take the lock, and what it said. */
async function holder(folder: string): Promise<{ process: ChildProcess; said: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('lock-holder.ts', import.meta.url)), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  holders.push(child)
  const [said] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')) as [string]
  return { process: child, said }
}

async function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<void> {
  const exit = once(child, 'exit')
  if (signal === undefined) child.stdin?.end()
  else child.kill(signal)
  await exit
}

describe('one connection', () => {
  let db: Db
  beforeEach(async () => {
    db = await createPglite()
    await db.exec('CREATE TABLE public.note (text text)')
  })
  afterEach(() => db.close())

  test('a statement outside a transaction waits for it, and is not part of it', async () => {
    const isOpen = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const failing = db.transaction(async (tx) => {
      await tx.query("INSERT INTO public.note VALUES ('inside')")
      isOpen.resolve()
      await goOn.promise
      throw new Error('back')
    })
    await isOpen.promise
    const outside = db.query("INSERT INTO public.note VALUES ('outside')")
    const looking = db.query<{ text: string }>('SELECT text FROM public.note')
    goOn.resolve()
    await expect(failing).rejects.toThrow('back')
    await outside
    expect((await looking).rows).toEqual([{ text: 'outside' }])
  })

  test('transactions take turns, in order', async () => {
    const steps: string[] = []
    const work = (name: string) =>
      db.transaction(async (tx) => {
        steps.push(`${name} begins`)
        await tx.query('SELECT 1')
        await tx.query('INSERT INTO public.note VALUES ($1)', [name])
        steps.push(`${name} ends`)
      })
    await Promise.all(['a', 'b', 'c'].map(work))
    expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  test('PGlite itself, as a handler gets it, keeps its own parsers', async () => {
    await db.transaction(async (tx) => {
      const native = tx.native as { query(sql: string): Promise<{ rows: unknown[] }> }
      expect((await native.query('SELECT \'{"a":1}\'::jsonb AS json, 5::bigint AS big')).rows).toEqual([{ json: { a: 1 }, big: 5 }])
    })
  })
})

describe('a folder', () => {
  test('keeps what was committed, and is made with the folders above it', async () => {
    const folder = join(place, 'a', 'b', 'data')
    const first = await createPglite({ folder })
    await first.exec("CREATE TABLE public.note (text text); INSERT INTO public.note VALUES ('kept')")
    await first.close()
    await first.close()
    const second = await createPglite({ folder })
    expect((await second.query('SELECT text FROM public.note')).rows).toEqual([{ text: 'kept' }])
    await second.close()
    expect(await readdir(join(place, 'a', 'b'))).toEqual(['data'])
  })

  test('in use by another process is refused; the error names the folder and the process, and what to do', async () => {
    const folder = join(place, 'data')
    const other = await holder(folder)
    expect(other.said).toBe('taken')
    const refused = createPglite({ folder })
    await expect(refused).rejects.toMatchObject({
      name: 'SluiceError',
      code: 'database_locked',
      details: { folder, pid: other.process.pid },
    })
    await expect(refused).rejects.toThrow(`"${folder}" is in use by process ${other.process.pid}`)
    await expect(refused).rejects.toThrow('DATABASE_URL')
    expect(existsSync(folder)).toBe(false)
    await ended(other.process)
    expect(await readdir(place)).toEqual([])
    await (await createPglite({ folder })).close()
  })
})

describe('the lock', () => {
  test('is refused to its own process too, however the folder is written', async () => {
    const folder = join(place, 'data')
    const unlock = await lockFolder(folder)
    await expect(lockFolder(`${folder}/`)).rejects.toMatchObject({ code: 'database_locked', details: { pid: process.pid } })
    await unlock()
    await (await lockFolder(`${place}/./data`))()
    expect(await readdir(place)).toEqual([])
  })

  test('of a process that was killed is taken over', async () => {
    const folder = join(place, 'data')
    const other = await holder(folder)
    await ended(other.process, 'SIGKILL')
    expect(await readdir(place)).toEqual(['data.lock'])
    const unlock = await lockFolder(folder)
    expect(await readFile(`${folder}.lock`, 'utf8')).toMatch(new RegExp(`^${process.pid} `))
    await unlock()
    expect(await readdir(place)).toEqual([])
  })

  test.skipIf(!existsSync('/proc/self/stat'))('of an id that belongs to another process by now is taken over', async () => {
    const folder = join(place, 'data')
    await writeFile(`${folder}.lock`, `${process.pid} 1`)
    await (await lockFolder(folder))()
  })

  test.each(['', 'garbage', '99999999 1'])('that says %j is stale', async (text) => {
    const folder = join(place, 'data')
    await writeFile(`${folder}.lock`, text)
    await (await lockFolder(folder))()
    expect(await readdir(place)).toEqual([])
  })

  test('that is stale is taken over by exactly one of many, in this process and in others', async () => {
    const folder = join(place, 'data')
    const dead = await holder(folder)
    await ended(dead.process, 'SIGKILL')
    const others = Promise.all([holder(folder), holder(folder)])
    const mine = await Promise.allSettled(Array.from({ length: 40 }, () => lockFolder(folder)))
    const said = [
      ...(await others).map((other) => other.said),
      ...mine.map((one) => (one.status === 'fulfilled' ? 'taken' : one.reason.code)),
    ]
    expect(said.filter((one) => one === 'taken')).toHaveLength(1)
    expect(said.filter((one) => one === 'database_locked')).toHaveLength(41)
    for (const one of mine) if (one.status === 'fulfilled') await one.value()
  })

  test('that another process has taken since is not removed', async () => {
    const folder = join(place, 'data')
    const unlock = await lockFolder(folder)
    // Somebody deleted it by hand.
    await rm(`${folder}.lock`)
    const other = await holder(folder)
    expect(other.said).toBe('taken')
    await unlock()
    await expect(lockFolder(folder)).rejects.toMatchObject({ details: { pid: other.process.pid } })
  })
})

test('statements that follow on each other leave the process its turns', async () => {
  const db = await createPglite()
  try {
    let hadTurn = false
    setImmediate(() => {
      hadTurn = true
    })
    // Bounded, for without those turns not even a test's deadline would come.
    for (let number = 0; number < 50_000 && !hadTurn; number++) await db.query('SELECT 1')
    expect(hadTurn).toBe(true)
  } finally {
    await db.close()
  }
})
