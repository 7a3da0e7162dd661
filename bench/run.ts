/**
 * Runs the benchmarks.
 *
 *   npm run bench                               all cases, quick
 *   npm run bench -- bulk --objects 1000000     one case
 *   npm run bench -- bulk --json                figures as JSON on stdout, everything else on stderr
 *   npm run bench -- bulk --readme              writes the table into README.md
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type BulkResult, runBulk } from './bulk.ts'
import type { Summary } from './statistics.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    objects: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
  },
})

const known = ['bulk']
const unknown = positionals.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}; there are ${known.join(', ')}`)
  process.exit(2)
}

const result = await runBulk({
  objects: positive('objects', values.objects),
  rounds: positive('rounds', values.rounds),
  say: (line) => console.error(line),
})
if (values.json) console.log(JSON.stringify(result, null, 2))
else console.log(table(result))
if (values.readme) writeReadme(table(result))

function positive(name: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  console.error(`--${name} must be a positive integer, not "${text}"`)
  process.exit(2)
}

/** The figures as a Markdown table. */
function table(bulk: BulkResult): string {
  const { machine, rates } = bulk
  const row = (name: string, { median, lowest, highest }: Summary): string =>
    `| ${name} | ${whole(median)} | ${whole(lowest)} to ${whole(highest)} |`
  return [
    `${bulk.objects.toLocaleString('en')} employees of about 200 bytes in one message, one reference each, from POST to rolled up, after a warm-up of 100,000 others; median of ${bulk.rounds} interleaved rounds.`,
    '',
    '| | objects/s | lowest to highest |',
    '|---|---:|---:|',
    row('Sluice, first load', rates.firstLoad),
    row('Sluice, the same again: unchanged', rates.unchanged),
    row('Sluice, every object changed', rates.changed),
    row('floor: COPY, one set-wise upsert, one status update', rates.floor),
    row('baseline: one transaction per object, one connection', rates.perObject),
    row('the same baseline on two connections', rates.perObjectTwo),
    '',
    `First load: ${bulk.ratioToFloor.toFixed(2)} of the floor's rate, ${bulk.ratioToPerObject.toFixed(1)} times the baseline's, ${bulk.ratioToPerObjectTwo.toFixed(1)} times that of two connections (medians of the rounds' ratios).`,
    '',
    `Measured by \`${bulk.command}\` with ${machine.postgres}, server and two workers on the same ${machine.cores} cores (${machine.cpu}, ${machine.os}), Node ${machine.node}.`,
  ].join('\n')
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en')
}

function writeReadme(text: string): void {
  const begin = '<!-- bench: begin -->'
  const end = '<!-- bench: end -->'
  const readme = readFileSync('README.md', 'utf8')
  const before = readme.slice(0, readme.indexOf(begin) + begin.length)
  writeFileSync('README.md', `${before}\n${text}\n${readme.slice(readme.indexOf(end))}`)
}
