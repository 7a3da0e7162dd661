/** SQL stands only in store/, targets/ and sql/; only config.ts reads the environment. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const sql = /[`'"]\s*(SELECT\s|INSERT INTO\s|UPDATE\s+\S+\s+SET\s|DELETE FROM\s|CREATE (TABLE|SCHEMA)\s|WITH\s+\w+\s+AS\s*\()/
const sqlHomes = ['src/store/', 'src/targets/']
const problems: string[] = []

for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
  const path = join(entry.parentPath, entry.name)
  const lines = readFileSync(path, 'utf8').split('\n')
  for (const [index, line] of lines.entries()) {
    if (sql.test(line) && !sqlHomes.some((home) => path.startsWith(home)))
      problems.push(`${path}:${index + 1}: SQL belongs in store/ or targets/`)
    if (line.includes('process.env') && path !== 'src/config.ts') problems.push(`${path}:${index + 1}: only config.ts reads process.env`)
  }
}

for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
