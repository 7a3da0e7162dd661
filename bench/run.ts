/**
 * Runs the benchmarks.
 *
 *   npm run bench                               all cases, quick
 *   npm run bench -- bulk --objects 1000000     one case
 *   npm run bench -- bulk --json                figures as JSON on stdout, everything else on stderr
 *   npm run bench -- bulk --write               writes the tables into docs/performance.md, and that of bulk into README.md
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { bulk } from './bulk.ts'
import { type BenchCase, goalLines, type Report } from './case.ts'
import { embedded } from './embedded.ts'
import { exportCase } from './export.ts'
import { giant } from './giant.ts'
import { handlers } from './handlers.ts'
import { longLived } from './long-lived.ts'
import { payload } from './payload.ts'
import { queuesCase } from './queues.ts'
import { reads } from './reads.ts'
import { small } from './small.ts'
import { stages } from './stages.ts'
import { wagtail } from './wagtail.ts'

const cases: readonly BenchCase[] = [
  bulk,
  stages,
  queuesCase,
  handlers,
  embedded,
  small,
  giant,
  reads,
  longLived,
  exportCase,
  payload,
  wagtail,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    objects: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})

const unknown = positionals.filter((name) => !cases.some((each) => each.name === name))
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}; there are\n${cases.map(({ name, about }) => `  ${name}  ${about}`).join('\n')}`)
  process.exit(2)
}

const results: object[] = []
for (const each of cases.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  const report = await each.run({
    ...(values.objects === undefined ? {} : { objects: positive('objects', values.objects) }),
    rounds: positive('rounds', values.rounds),
    say: (line) => console.error(`${each.name}: ${line}`),
  })
  if ('skipped' in report) {
    console.error(`${each.name}: SKIPPED, ${report.skipped}`)
    continue
  }
  results.push(report.result)
  if (!values.json) console.log(`## ${each.name}\n\n${textOf(report)}\n`)
  if (values.write) {
    replaceBetween('docs/performance.md', each.name, textOf(report))
    if (each.name === 'bulk') replaceBetween('README.md', each.name, report.markdown)
  }
}
if (values.json) console.log(JSON.stringify(results, null, 2))

function textOf({ markdown, goals }: Report): string {
  return [markdown, ...(goals.length === 0 ? [] : ['', ...goalLines(goals)])].join('\n')
}

function positive(name: string, text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  console.error(`--${name} must be a positive integer, not "${text}"`)
  process.exit(2)
}

/** Puts a text between the two marks that a file has for a case. */
function replaceBetween(file: string, name: string, text: string): void {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`]
  const whole = readFileSync(file, 'utf8')
  const [from, to] = [whole.indexOf(begin), whole.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} … ${end}`)
  writeFileSync(file, `${whole.slice(0, from + begin.length)}\n${text}\n${whole.slice(to)}`)
}
