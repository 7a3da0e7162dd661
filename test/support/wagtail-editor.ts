/** An editor of the Wagtail site of examples/wagtail, as a process of its own with Django in it: see wagtail_editor.py. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Editor, Seen } from '../conformance/site.ts'

const [runSite, script] = ['../../examples/wagtail/run_site.py', 'wagtail_editor.py'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
)

/** Starts the editor of a site whose data is in this folder, or in that database of PostgreSQL. */
export function startEditor(data: string, database?: string): Editor & { stop(): Promise<void> } {
  const code = `exec(compile(open(${JSON.stringify(script)}).read(), 'wagtail_editor.py', 'exec'))`
  const shell = ['shell', '--verbosity', '0', '--command', code]
  const child = spawn('python3', [String(runSite), 'manage', '--data', data, ...shell], {
    env: { ...process.env, ...(database === undefined ? {} : { DATABASE_URL: database }) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
  let last: Promise<unknown> = Promise.resolve()
  /** One order after the other, each with its answer. */
  const order = <Answer>(name: string, ...parameters: string[]): Promise<Answer> => {
    const answer = last.then(async () => {
      child.stdin.write(`${JSON.stringify([name, ...parameters])}\n`)
      const { value, done } = await answers.next()
      if (done === true) throw new Error('the editor of Wagtail has ended')
      const { failed, done: given } = JSON.parse(value) as { failed?: string; done: Answer }
      if (failed !== undefined) throw new Error(`${name} ${parameters.join(' ')}: ${failed}`)
      return given
    })
    last = answer.catch(() => undefined)
    return answer
  }
  return {
    write: (pageId, text) => order('write', pageId, text),
    takeOff: (pageId) => order('takeOff', pageId),
    publish: (pageId) => order('publish', pageId),
    move: (pageId, under) => order('move', pageId, under),
    remove: (pageId) => order('remove', pageId),
    look: (pageId) => order<Seen>('look', pageId),
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
