/**
 * What `npm start` runs: the example's inbox comes up, a release of the Research Organization Registry is sent to it over
 * HTTP, and it is shown what became of it. Stays up until Ctrl-C; with `--exit` it ends at once. `--folder` puts the embedded
 * database somewhere else than into `.sluice` beside this file.
 *
 * PORT chooses the port (7300), DATABASE_URL a PostgreSQL database instead of the embedded one, SLUICE_TOKEN the token.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Client } from '../../src/cli/client.ts'
import { type Running, startDev } from '../../src/cli/dev.ts'
import { exitCodeOf } from '../../src/cli/exit.ts'
import { failureLines, outcomeTable } from '../../src/cli/message-text.ts'
import { bytes, Output } from '../../src/cli/output.ts'
import { Progress } from '../../src/cli/progress.ts'
import { stopSignal } from '../../src/cli/stopping.ts'
import { sendMessage } from '../../src/cli/upload.ts'
import { firstFailures, messageExitCode, waitForMessage } from '../../src/cli/wait.ts'
import config from './sluice.config.ts'

const release = here('data/v2.0.json')
const longestWaitSeconds = 110

const { values: options } = parseArgs({
  options: { exit: { type: 'boolean', default: false }, folder: { type: 'string', default: config.database.folder } },
})
try {
  const stop = stopSignal()
  console.log('Sluice, with the Research Organization Registry (ROR) as the master system\n')
  console.log(
    config.database.url === undefined ? `Opening the embedded database in ${options.folder}` : 'Opening the database of DATABASE_URL',
  )
  const running = await startDev({ ...config, database: { ...config.database, folder: options.folder } }, { sqlFile: here('tables.sql') })
  try {
    process.exitCode = await sendRelease(running)
    if (!options.exit) {
      console.log(nextSteps(running))
      await stop
      console.log('\nStopping: the chunk in hand is finished first.')
    }
  } finally {
    await running.stop()
  }
} catch (error) {
  new Output({ json: false, verbose: false }).failure(error)
  process.exitCode = exitCodeOf(error)
}

/** Sends the release as a sender would, waits for its end and tells it. Returns the exit code it stands for. */
async function sendRelease(running: Running): Promise<number> {
  const client = new Client(running.url, running.token)
  const progress = new Progress()
  const startedAt = performance.now()
  console.log(`Sending release v2.0 to ${running.url}/api/integrations/organization/messages`)
  const receipt = await sendMessage(client, {
    integration: 'organization',
    file: release,
    onProgress: (sent, total) => progress.update('sending', sent, total, bytes),
  })
  const message = await waitForMessage(client, receipt.id, longestWaitSeconds, ({ counts, total }) => {
    progress.update('processing', counts.processed + counts.failed, total)
  })
  progress.end()
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)

  console.log(`\nMessage ${message.id}: status ${message.status}, "${message.statusLabel}", ${message.total} objects in ${seconds} s\n`)
  console.log(indented([...outcomeTable(message.counts), ...failureLines(await firstFailures(client, message), message.counts.failed)]))
  console.log(`\n${await linkLine(running)}\n\nA row of the table "organization":\n`)
  console.log(indented(await sampleRow(running)))
  return messageExitCode(message)
}

/** How many relationships have both their ends. */
async function linkLine({ sluice }: Running): Promise<string> {
  const records = JSON.parse(await readFile(release, 'utf8')) as { relationships: unknown[] }[]
  const asked = records.reduce((sum, record) => sum + record.relationships.length, 0)
  const { rows } = await sluice.services.db.query<{ linked: string }>('SELECT count(*) AS linked FROM organization_relationship')
  return `Links: the release names ${asked} relationships, ${rows[0]?.linked} rows link two organizations;\nthe others wait for organizations that have not come yet.`
}

async function sampleRow({ sluice }: Running): Promise<string[]> {
  const { rows } = await sluice.services.db.query(`
    SELECT o.*, (SELECT count(*) FROM organization_relationship r WHERE r.organization_id = o.id) AS links
    FROM organization o ORDER BY links DESC, o.ror_id LIMIT 1`)
  return Object.entries(rows[0] ?? {}).map(
    ([column, value]) => `${column.padEnd(13)} ${Array.isArray(value) ? value.join(', ') : (value ?? '-')}`,
  )
}

function nextSteps({ url, token }: Running): string {
  const node = here('../../node_modules/.bin/node')
  // The machine's own Node may be too old: the one that npm brought is named.
  const program = [existsSync(node) ? node : process.execPath, here('../../src/cli/main.ts')]
    .map((path) => relative(process.cwd(), path))
    .join(' ')
  const file = relative(process.cwd(), release)
  return `
Sluice stays up:

  admin UI  ${url}/ (sign in with the token)
  messages  ${url}/api/messages
  objects   ${url}/api/objects/organization/${encodeURIComponent('https://ror.org/0001j6c19')}
  API       ${url}/api/docs
  token     ${token}

In another terminal, in this folder:

  export SLUICE_URL=${url} SLUICE_TOKEN=${token}
  curl -H "Authorization: Bearer $SLUICE_TOKEN" $SLUICE_URL/api/messages
  ${program} send organization ${file} --wait
  ${program} status

Ctrl-C stops. Started again, the same release is 477 times unchanged.`
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n')
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
