/** PgBouncer in transaction mode, in front of a test server: what rests on a session's state breaks behind it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './postgres.ts'

const program = '/usr/sbin/pgbouncer'
const nobody = 65534

/** Whether Debian's package is installed. */
export const hasPgbouncer = existsSync(program)

/** Starts it. Databases have the names that they have on the server of `target`. */
export async function startPgbouncer(target: string): Promise<{ url: string; stop(): Promise<void> }> {
  const server = new URL(target)
  const folder = await mkdtemp(join(tmpdir(), 'sluice-pgbouncer-'))
  const port = await freePort()
  const settings = join(folder, 'pgbouncer.ini')
  await writeFile(
    settings,
    `[databases]
* = host=127.0.0.1 port=${server.port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 40
max_client_conn = 1000
`,
  )
  const isRoot = process.getuid?.() === 0
  await chmod(folder, 0o755)
  if (isRoot) await chown(folder, nobody, nobody)
  const child = spawn(program, ['-q', ...(isRoot ? ['-u', 'nobody'] : []), settings], { stdio: 'ignore' })
  const url = new URL(target)
  url.port = String(port)
  await untilReady(url.href, child)
  return {
    url: url.href,
    async stop() {
      child.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      await client.end().catch(() => undefined)
      if (child.exitCode !== null) throw new Error(`PgBouncer ended with ${child.exitCode}`, { cause: error })
      if (performance.now() > deadline) throw new Error('PgBouncer did not start within a minute', { cause: error })
      await sleep(50)
    }
  }
}
