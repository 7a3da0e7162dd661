/** Runs the program `sluice` as people do: as a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Config of most tests: the integration `product`. */
export const fixtureConfig = fileURLToPath(new URL('fixture/sluice.config.ts', import.meta.url))
export const fixtureTables = fileURLToPath(new URL('fixture/tables.sql', import.meta.url))

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  env?: Record<string, string>
  stdin?: string | Uint8Array
}

/** A temporary folder with programs running in it; everything ends with `dispose`. */
export class Workplace {
  readonly folder: string
  readonly #children = new Set<ChildProcess>()

  /** @param template whose files to begin with: making an embedded database takes seconds, copying one does not */
  static async create(template?: Workplace): Promise<Workplace> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-cli-'))
    if (template !== undefined) await cp(template.folder, folder, { recursive: true })
    return new Workplace(folder)
  }

  private constructor(folder: string) {
    this.folder = folder
  }

  async file(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.folder, name)
    await writeFile(path, content)
    return path
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return this.start(args, options).ended
  }

  /** Starts a command that goes on. */
  start(args: readonly string[], { env = {}, stdin }: RunOptions = {}): Started {
    const child = spawn(process.execPath, [main, ...args], { cwd: this.folder, env: { ...cleanEnvironment(), ...env } })
    this.#children.add(child)
    const started = new Started(child)
    void started.ended.finally(() => this.#children.delete(child))
    child.stdin.end(stdin ?? '')
    return started
  }

  /** Starts `sluice dev` on a free port. */
  async dev(args: readonly string[] = ['--config', fixtureConfig, '--sql', fixtureTables]): Promise<Dev> {
    const started = this.start(['dev', '--json', '--port', '0', ...args])
    const { url, token } = JSON.parse(await started.line()) as { url: string; token: string }
    return { started, url, token, env: { SLUICE_URL: url, SLUICE_TOKEN: token } }
  }

  async dispose(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A running `sluice dev`. */
export interface Dev {
  started: Started
  url: string
  token: string
  /** For commands that talk to it. */
  env: Record<string, string>
}

export class Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''

  constructor(child: ChildProcess) {
    this.child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout: this.#stdout, stderr: this.#stderr })))
  }

  /** The first line on stdout. Throws when the program ends without one. */
  async line(): Promise<string> {
    return this.until(() => (this.#stdout.includes('\n') ? this.#stdout.slice(0, this.#stdout.indexOf('\n')) : undefined))
  }

  /** Waits until something stands on stderr. */
  async says(text: string): Promise<string> {
    return this.until(() => (this.#stderr.includes(text) ? this.#stderr : undefined))
  }

  /** Asks it to stop, and waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
    this.child.kill(signal)
    return this.ended
  }

  private async until(look: () => string | undefined): Promise<string> {
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      const isOver = await Promise.race([this.ended.then(() => true), new Promise<false>((resolve) => setTimeout(resolve, 20, false))])
      if (isOver) {
        const last = look()
        if (last !== undefined) return last
        throw new Error(`the program ended without saying it:\n${this.#stdout}\n${this.#stderr}`)
      }
    }
  }
}

/** The tests' own environment without what Sluice reads from it. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { DATABASE_URL: _database, PORT: _port, SLUICE_URL: _url, SLUICE_TOKEN: _token, ...rest } = process.env
  return rest
}
