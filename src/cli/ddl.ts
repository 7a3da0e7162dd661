/** What `sluice doctor --ddl` prints. */
import type { Integration } from '../config.ts'
import type { Services } from '../services.ts'

/** Statements that would create what the targets lack; a table that others refer to comes before them. */
export async function missingStatements({ config, db, validators }: Services): Promise<string[]> {
  const statements: string[] = []
  const made = new Set<string>()
  for (const { name, key, target } of inOrderOfReferences(config.integrations)) {
    const context = {
      key,
      jsonSchema: validators.get(name)?.jsonSchema ?? null,
      tableOf: (other: string) => tableOf(config.integrations.get(other), made.has(other)),
    }
    statements.push(...((await target.missingDdl?.(db, context)) ?? []))
    made.add(name)
  }
  return statements
}

/** As in the config, but each after those that it refers to; of a circle, whatever comes first there. */
function inOrderOfReferences(integrations: ReadonlyMap<string, Integration>): Set<Integration> {
  const ordered = new Set<Integration>()
  const begun = new Set<string>()
  const visit = (name: string): void => {
    const integration = integrations.get(name)
    if (integration === undefined || begun.has(name)) return
    begun.add(name)
    for (const { wanted } of integration.target.references) if ('integration' in wanted) visit(wanted.integration)
    ordered.add(integration)
  }
  for (const name of integrations.keys()) visit(name)
  return ordered
}

/** What a table target says of itself for people holds its names. */
function tableOf(integration: Integration | undefined, isMade: boolean) {
  if (integration?.target.kind !== 'table') return null
  const { table, key, columns, onDelete } = integration.target.describe() as {
    table: string
    key: string
    columns: object
    onDelete: object | string | null
  }
  const names = [key, ...Object.keys(columns), ...(typeof onDelete === 'object' && onDelete !== null ? Object.keys(onDelete) : [])]
  return { name: table, key, hasId: !names.includes('id'), isMade }
}
