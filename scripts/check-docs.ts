/** Every relative link and anchor in the docs leads somewhere, and every option of the config is documented. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { optionsTable } from './config-docs.ts'

const files = globSync('**/*.md', { exclude: (name) => name === 'node_modules' || name === 'dist' })
const problems: string[] = []

for (const file of files) {
  const text = readFileSync(file, 'utf8')
  for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue
    const [path = '', anchor] = target.split('#')
    const to = path === '' ? file : normalize(join(dirname(file), path))
    if (!existsSync(to)) problems.push(`${file}: no such file: ${target}`)
    else if (anchor !== undefined && to.endsWith('.md') && !anchors(readFileSync(to, 'utf8')).has(anchor))
      problems.push(`${file}: no such heading: ${target}`)
  }
}

const documented = readFileSync('docs/configuration.md', 'utf8')
if (!documented.includes(optionsTable()))
  problems.push('docs/configuration.md: the table of options is out of date; run: npm run docs:options')

for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0

/** Anchors as GitHub makes them. */
function anchors(markdown: string): Set<string> {
  const found = new Set<string>()
  for (const [, heading = ''] of markdown.matchAll(/^#{1,6}\s+(.+)$/gm)) {
    found.add(
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    )
  }
  return found
}
