/** Native PostgreSQL from npm, for tests and benchmarks that need several connections. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)

/** PostgreSQL refuses to run as root; `nobody` it is then. */
const nobody = 65534
const isRoot = process.getuid?.() === 0
const asUser = isRoot ? { uid: nobody, gid: nobody } : {}

export type Major = 14 | 18

/** A running server. */
export interface PostgresServer {
  readonly major: Major
  /** Of the database `postgres`, as its superuser. */
  readonly url: string
  readonly port: number
  /** `fast` ends sessions and writes everything out; `immediate` is a crash. Default: fast. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>
  /** Starts again after {@link stop}, on the same port and data. */
  start(): Promise<void>
  /** Stops and removes the data. */
  remove(): Promise<void>
}

/** Whether the binaries are there for this platform. */
export function hasPostgres(major: Major): boolean {
  return binaries(major) !== null
}

/** Creates a cluster in a temporary folder and starts it on a free port of the loopback address. */
export async function startPostgres(options: { major?: Major; settings?: Record<string, string> } = {}): Promise<PostgresServer> {
  const major = options.major ?? 18
  const source = binaries(major)
  if (source === null)
    throw new Error(`No PostgreSQL ${major} for this platform in node_modules: npm installs postgres-${major} on linux-x64 only.`)
  const bin = join(await reachable(source, major), 'bin')
  const folder = await mkdtemp(join(tmpdir(), `sluice-pg${major}-`))
  const data = join(folder, 'data')
  await mkdir(data, { mode: 0o700 })
  if (isRoot) for (const path of [folder, data]) await chown(path, nobody, nobody)
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'], {
    ...asUser,
    cwd: folder,
  })
  const port = await freePort()
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', ...options.settings }
  await writeFile(
    join(data, 'postgresql.auto.conf'),
    Object.entries({ ...settings, port: String(port) })
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(''),
  )
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  let child: ChildProcess | null = null
  const server: PostgresServer = {
    major,
    url,
    port,
    async start() {
      // The pipe is a watchdog: when this process dies, however, the shell reads its end and stops the server.
      const script = `"$0" -D "$1" & pid=$!; (read -r _; kill -QUIT $pid) <&3 & wait $pid`
      child = spawn('sh', ['-c', script, join(bin, 'postgres'), data], {
        ...asUser,
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      })
      let log = ''
      child.stderr?.on('data', (text: Buffer) => {
        log = (log + text.toString()).slice(-10_000)
      })
      child.unref()
      await untilReady(url, child, () => log)
    },
    async stop(mode = 'fast') {
      if (child === null) return
      const ended = new Promise((resolve) => child?.once('exit', resolve))
      await run(join(bin, 'pg_ctl'), ['-D', data, 'stop', '-m', mode, '-w'], { ...asUser, cwd: folder })
      child.stdio[3]?.destroy()
      await ended
      child = null
    },
    async remove() {
      await server.stop('immediate')
      await rm(folder, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

function binaries(major: Major): string | null {
  const folder = fileURLToPath(new URL(`../../node_modules/postgres-${major}/native`, import.meta.url))
  return existsSync(folder) ? folder : null
}

/**
 * A copy of the binaries in a folder that another user can reach, with the links between libraries that npm leaves out.
 * Made once per machine and version; two at once both make one, and the last rename wins.
 */
async function reachable(source: string, major: Major): Promise<string> {
  const { version } = JSON.parse(await readFile(join(source, '..', 'package.json'), 'utf8')) as { version: string }
  const target = join(tmpdir(), `sluice-postgres-${major}-${version}-${process.getuid?.() ?? 'user'}`)
  if (existsSync(join(target, 'complete'))) return target
  const copy = await mkdtemp(join(tmpdir(), 'sluice-postgres-copy-'))
  await cp(source, copy, { recursive: true })
  await chmod(copy, 0o755)
  const links = JSON.parse(await readFile(join(source, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[]
  for (const link of links) {
    const path = join(copy, link.target.replace(/^native\//, ''))
    if (!existsSync(path)) await symlink(basename(link.source), path)
  }
  for (const name of ['initdb', 'pg_ctl', 'postgres']) await chmod(join(copy, 'bin', name), 0o755)
  await writeFile(join(copy, 'complete'), '')
  await rename(copy, target).catch(() => rm(copy, { recursive: true, force: true }))
  return target
}

/** A port of the loopback address that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

async function untilReady(url: string, child: ChildProcess, log: () => string): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      await client.end().catch(() => undefined)
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}:\n${log()}`)
      if (Date.now() > deadline) throw new Error(`PostgreSQL did not start within a minute:\n${log()}`, { cause: error })
      await sleep(50)
    }
  }
}
