/** The bodies of `giant`, written to files before the clock starts: making them would take time from what is measured. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import { employee } from './employees.ts'

/** A way to send many objects in one body. */
export interface Shape {
  name: string
  isLines: boolean
  isGzip: boolean
}

export const shapes: readonly Shape[] = [
  { name: 'JSON array', isLines: false, isGzip: false },
  { name: 'JSON array, gzip', isLines: false, isGzip: true },
  { name: 'NDJSON', isLines: true, isGzip: false },
  { name: 'NDJSON, gzip', isLines: true, isGzip: true },
]

/** Objects of `giant`: employees, or employees with so much more text that each takes about so many bytes. */
export interface Size {
  name: string
  /** Characters of a field that no column takes. */
  padding: number
}

/** A body on the disk. */
export interface GiantFile {
  path: string
  bytes: number
}

/** Writes a body. */
export async function writeGiant(folder: string, objects: number, { padding }: Size, { isLines, isGzip }: Shape): Promise<GiantFile> {
  const path = join(folder, `giant-${padding}-${isLines ? 'lines' : 'array'}${isGzip ? '.gz' : ''}`)
  const file: Writable = createWriteStream(path)
  const gzip = isGzip ? [createGzip({ level: constants.Z_BEST_SPEED })] : []
  await pipeline([Readable.from(pieces(objects, padding, isLines), { objectMode: false }), ...gzip, file])
  if (!file.closed) await once(file, 'close')
  return { path, bytes: (await stat(path)).size }
}

/** Objects in one piece of text. */
const pieceObjects = 500

function* pieces(objects: number, padding: number, isLines: boolean): Generator<string> {
  if (!isLines) yield '['
  for (let from = 0; from < objects; from += pieceObjects) {
    const texts: string[] = []
    for (let index = from; index < Math.min(from + pieceObjects, objects); index++) {
      const more = padding === 0 ? {} : { about: aboutOf(index, padding) }
      texts.push(JSON.stringify({ ...employee(index), ...more }))
    }
    if (isLines) yield `${texts.join('\n')}\n`
    else yield `${from === 0 ? '' : ','}${texts.join(',')}`
  }
  if (!isLines) yield ']'
}

/** Text that gzip can't make nothing of: numbers in base 36, from a generator with a seed. */
function aboutOf(seed: number, length: number): string {
  let state = (seed * 2654435761 + 1) >>> 0
  let text = ''
  while (text.length < length) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    text += state.toString(36)
  }
  return text.slice(0, length)
}
