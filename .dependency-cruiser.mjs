/** The layers of src/: who may import whom, each with its reason. Types count as imports. */

/** Folders or files that `from` may import, beside itself. Everything else of src/ is refused. */
const layers = [
  ['errors', '^src/errors\\.ts$', [], 'Errors are at the bottom: everybody throws them.'],
  ['json', '^src/json/', ['errors\\.ts'], 'The scanner is pure: bytes in, spans out.'],
  ['model', '^src/model/', ['errors\\.ts', 'json/'], 'The model is pure, so that it can be tested without a database.'],
  ['schema', '^src/schema/', ['errors\\.ts', 'json/', 'model/'], 'Schemas only check; they know nothing of databases.'],
  ['store', '^src/store/', ['errors\\.ts', 'json/', 'model/'], 'The store knows tables, not what they are for.'],
  ['targets', '^src/targets/', ['errors\\.ts', 'json/', 'model/', 'store/'], 'A target knows its own tables, not the flow.'],
  [
    'flow',
    '^src/flow/',
    ['errors\\.ts', 'json/', 'model/', 'schema/', 'store/', 'targets/target\\.ts', 'config\\.ts'],
    'The flow knows the contract of targets, not one of them.',
  ],
  ['config', '^src/config\\.ts$', ['errors\\.ts', 'json/', 'model/', 'schema/', 'targets/'], 'The config declares; it runs nothing.'],
  ['tasks', '^src/tasks/', ['errors\\.ts', 'model/', 'store/', 'flow/', 'config\\.ts'], 'Clock and click drive the flow.'],
  ['worker', '^src/worker/', ['errors\\.ts', 'model/', 'store/', 'flow/', 'tasks/', 'config\\.ts'], 'Workers drive the flow and the tasks.'],
  [
    'services',
    '^src/services\\.ts$',
    ['errors\\.ts', 'model/', 'schema/', 'store/', 'targets/', 'flow/', 'config\\.ts'],
    'The core, wired; it knows nothing of HTTP or the command line.',
  ],
  [
    'http',
    '^src/http/',
    ['errors\\.ts', 'json/', 'model/', 'schema/', 'store/', 'flow/', 'tasks/', 'targets/target\\.ts', 'config\\.ts', 'services\\.ts'],
    'HTTP is one way in; nothing below it knows of it.',
  ],
]

const home = { errors: 'errors\\.ts', config: 'config\\.ts', services: 'services\\.ts' }

export default {
  forbidden: [
    { name: 'no-cycles', comment: 'A cycle has no bottom to start reading from.', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', comment: 'Code that nobody reaches is dead.', severity: 'error', from: { orphan: true, pathNot: ['^src/node\\.ts$', '\\.d\\.ts$'] }, to: {} },
    {
      name: 'stages-know-only-their-own',
      comment: 'Only flow/index.ts (and the dry run, which runs them all) knows the order of the stages.',
      severity: 'error',
      from: { path: '^src/flow/(receive|validate|split|process|rollup)\\.ts$' },
      to: { path: '^src/flow/(index|receive|validate|split|process|rollup|dryrun)\\.ts$' },
    },
    {
      name: 'outside-is-out',
      comment: 'Tests, benchmarks and examples use the source, never the other way round.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|examples|scripts)/' },
    },
    ...layers.map(([name, path, allowed, comment]) => ({
      name: `layer-${name}`,
      comment,
      severity: 'error',
      from: { path },
      to: { path: '^src/', pathNot: `^src/(${[home[name] ?? `${name}/`, ...allowed].join('|')})` },
    })),
    {
      name: 'layer-sluice',
      comment: 'The composition root knows everything but the command line.',
      severity: 'error',
      from: { path: '^src/(sluice|index|node)\\.ts$' },
      to: { path: '^src/(cli|testing)/' },
    },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: 'tsconfig.json' }, doNotFollow: { path: 'node_modules' }, includeOnly: '^src/' },
}
