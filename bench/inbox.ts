/** Sluice as it is run for real: `sluice serve` and `sluice work` as processes of their own, over HTTP. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))

export interface RunningInbox {
  /** `http://127.0.0.1:…` */
  readonly base: string
  /** The headers that let a request in. */
  readonly headers: Record<string, string>
  /** The process of the server, to read what memory it takes. */
  readonly serverPid: number
  /** The process that looks after the workers: they are its children. */
  readonly workPid: number
  /**
   * Sends a body and waits until it is rolled up. Gives seconds from the start of the request to the message's `finishedAt`, by
   * the one clock of this machine, and the counts. It asks seldom: every answer would take time from what is measured.
   */
  load(integration: string, body: string): Promise<{ seconds: number; counts: Record<string, number> }>
  stop(): Promise<void>
}

export interface InboxOptions {
  /** A config of this folder. Default: `sluice.config.ts`. */
  config?: string
  /** What that reads from its environment. */
  env?: Record<string, string>
}

/** Migrates the database and starts a server and the config's workers on it. */
export async function startInbox(databaseUrl: string, options: InboxOptions = {}): Promise<RunningInbox> {
  const config = fileURLToPath(new URL(options.config ?? 'sluice.config.ts', import.meta.url))
  const port = await freePort()
  const token = randomBytes(32).toString('hex')
  const env = { ...process.env, ...options.env, DATABASE_URL: databaseUrl, PORT: String(port), SLUICE_TOKEN: token }
  const run = (command: string): ChildProcess =>
    spawn(process.execPath, [main, command, '--config', config], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  const migrated = run('migrate')
  const [code] = await once(migrated, 'exit')
  if (code !== 0) throw new Error(`sluice migrate ended with ${code}`)
  const children = [run('serve'), run('work')]
  const base = `http://127.0.0.1:${port}`
  const headers = { authorization: `Bearer ${token}` }
  for (let tries = 0; !(await isReady(base)); tries++) {
    if (tries > 300) throw new Error('sluice serve did not become ready within 30 s')
    await sleep(100)
  }
  return {
    base,
    headers,
    serverPid: children[0]?.pid ?? 0,
    workPid: children[1]?.pid ?? 0,
    load: (integration, body) => load(base, headers, integration, body),
    async stop() {
      for (const child of children) child.kill('SIGTERM')
      await Promise.all(children.map((child) => once(child, 'exit')))
    },
  }
}

/** What {@link RunningInbox.load} does, for any inbox. */
export async function load(
  base: string,
  headers: Record<string, string>,
  integration: string,
  body: string,
): Promise<{ seconds: number; counts: Record<string, number> }> {
  const started = Date.now()
  const response = await fetch(`${base}/api/integrations/${integration}/messages`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  })
  const receipt = (await response.json()) as { id: string }
  if (response.status !== 202) throw new Error(`the server answered ${response.status}: ${JSON.stringify(receipt)}`)
  for (;;) {
    const message = (await (await fetch(`${base}/api/messages/${receipt.id}`, { headers })).json()) as {
      status: number
      finishedAt: string
      counts: Record<string, number>
    }
    if (message.status === 3) return { seconds: (Date.parse(message.finishedAt) - started) / 1000, counts: message.counts }
    if (message.status < 0) throw new Error(`the message ended at ${message.status}`)
    await sleep(200)
  }
}

async function isReady(base: string): Promise<boolean> {
  try {
    return (await fetch(`${base}/readyz`)).ok
  } catch {
    return false
  }
}

/** A free port of the loopback address. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
