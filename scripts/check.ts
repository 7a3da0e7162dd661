/** `npm run check`: everything that can be told without running the tests. */
import { runSteps } from './steps.ts'

const node = process.execPath

await runSteps([
  { name: 'lint and format (Biome)', command: 'biome', arguments: ['check', '--error-on-warnings', '.'] },
  { name: 'types (TypeScript)', command: 'tsc', arguments: ['--noEmit'] },
  { name: 'types of the admin UI (TypeScript)', command: 'tsc', arguments: ['--noEmit', '-p', 'admin'] },
  {
    name: 'layers (dependency-cruiser)',
    command: 'depcruise',
    arguments: ['--config', '.dependency-cruiser.mjs', '--output-type', 'err-long', 'src', 'admin'],
  },
  { name: 'SQL and environment where they belong', command: node, arguments: ['scripts/check-places.ts'] },
  { name: 'schema dump', command: node, arguments: ['scripts/schema-dump.ts', '--check'] },
  { name: 'links and options in the docs', command: node, arguments: ['scripts/check-docs.ts'] },
  { name: 'the package: built, packed, installed and used', command: node, arguments: ['scripts/check-package.ts'] },
])
