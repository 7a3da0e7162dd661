/** The Wagtail site of this folder as a process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('run_site.py', import.meta.url))

export interface RunningSite {
  /** `http://127.0.0.1:8000` */
  readonly url: string
  /** What Wagtail itself says of its pages, see `inspect_site.py`. */
  inspect(): Promise<Record<string, unknown>>
  /** Ends the process, `SIGTERM` unless told otherwise. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/**
 * Starts the site. The first time Wagtail is installed into a venv, which takes a minute or so.
 *
 * @param options.data folder for its database, and for its log
 * @param options.port default: a free one
 * @param options.database URL of a PostgreSQL database; default: a file in the folder
 */
export async function startSite(options: { data: string; secret: string; port?: number; database?: string }): Promise<RunningSite> {
  const { data, secret, port, database } = options
  const own = port ?? (await freePort())
  const env = { ...process.env, SLUICE_SECRET: secret, ...(database === undefined ? {} : { DATABASE_URL: database }) }
  mkdirSync(data, { recursive: true })
  const log = openSync(join(data, 'site.log'), 'a')
  const run = (command: string) =>
    spawn('python3', [script, command, '--data', data, '--port', String(own)], { env, stdio: ['ignore', 'pipe', log] })
  const server = run('serve')
  // Node's own events: the process may be gone before anybody asks.
  const gone = once(server, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', (code) => reject(new Error(`run_site.py ended with ${code}; see ${join(data, 'site.log')}`)))
    createInterface(outputOf(server)).on('line', (line) => {
      if (line.startsWith('ready ')) resolve(line.slice('ready '.length).replace(/\/$/, ''))
    })
  })
  await until(() => fetch(url).then((response) => response.ok))
  return {
    url,
    async inspect() {
      const inspecting = run('inspect')
      let text = ''
      for await (const part of outputOf(inspecting)) text += String(part)
      return JSON.parse(text) as Record<string, unknown>
    },
    async stop(signal = 'SIGTERM') {
      server.kill(signal)
      await gone
    },
  }
}

function outputOf({ stdout }: ChildProcess): Readable {
  if (stdout === null) throw new Error('the output of run_site.py is not a pipe')
  return stdout
}

/** Asks until the answer is yes; no answer counts as no. Throws after 30 seconds. */
async function until(ask: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await ask().catch(() => false))) {
    if (Date.now() > deadline) throw new Error('the site did not answer within 30 s')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
