/** The table of options in docs/configuration.md, out of the config's own schema. `--write` puts it there. */
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { optionsShape } from '../src/config.ts'

const file = 'docs/configuration.md'
const begin = '<!-- options: begin -->'
const end = '<!-- options: end -->'

interface JsonSchemaNode {
  type?: string
  description?: string
  default?: unknown
  enum?: unknown[]
  anyOf?: JsonSchemaNode[]
  properties?: Record<string, JsonSchemaNode>
}

/** The table, as Markdown. Throws when an option has no description. */
export function optionsTable(): string {
  const schema = z.toJSONSchema(optionsShape, { io: 'input' }) as JsonSchemaNode
  const rows = [...optionRows(schema, [])]
  return ['| option | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function* optionRows(node: JsonSchemaNode, path: string[]): Generator<string> {
  for (const [name, option] of Object.entries(node.properties ?? {})) {
    const here = [...path, name]
    if (option.properties !== undefined) yield* optionRows(option, here)
    else {
      if (option.description === undefined) throw new Error(`the option ${here.join('.')} has no description`)
      const types = option.anyOf?.map(({ type }) => type) ?? [option.type]
      const type = option.enum === undefined ? types.join(' or ') : option.enum.map((value) => `\`${value}\``).join(', ')
      yield `| \`${here.join('.')}\` | ${type} | ${option.default === undefined ? '' : `\`${JSON.stringify(option.default)}\``} | ${option.description} |`
    }
  }
}

if (process.argv.includes('--write')) {
  const text = readFileSync(file, 'utf8')
  const before = text.slice(0, text.indexOf(begin) + begin.length)
  writeFileSync(file, `${before}\n${optionsTable()}\n${text.slice(text.indexOf(end))}`)
}
