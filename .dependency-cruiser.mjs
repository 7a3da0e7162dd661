/** The layers of src/: who may import whom, each with its reason. Types count as imports. */

/**
 * A layer: its home, what it may import beside its home and errors.ts (patterns under src/), and why no more.
 * `npm run check` refuses everything else, also a file that has no layer.
 */
const layers = [
  { name: 'errors', home: 'errors\\.ts', mayImport: [], why: 'Errors are at the bottom: everybody throws them.' },
  { name: 'json', home: 'json/', mayImport: [], why: 'The scanner is pure: bytes in, spans out.' },
  { name: 'model', home: 'model/', mayImport: [], why: 'The model is pure, so that it can be tested without a database.' },
  { name: 'schema', home: 'schema/', mayImport: ['json/', 'model/'], why: 'Schemas only check; they know nothing of databases.' },
  { name: 'store', home: 'store/', mayImport: ['model/'], why: 'The store knows tables, not what they are for.' },
  {
    name: 'targets',
    home: 'targets/',
    mayImport: ['json/', 'model/', 'store/(db|values)\\.ts'],
    why: 'A target is given a connection; it knows its own tables, not those of the inbox, and not the flow.',
  },
  {
    name: 'payload',
    home: 'payload/',
    mayImport: ['targets/page\\.ts'],
    why: 'A site knows the contract of pages, and nothing of databases.',
  },
  {
    name: 'wagtail',
    home: 'wagtail/',
    mayImport: ['targets/page\\.ts'],
    why: 'A site knows the contract of pages, and nothing of databases.',
  },
  {
    name: 'config',
    home: 'config\\.ts',
    mayImport: ['model/', 'schema/', 'targets/'],
    why: 'The config declares; it runs nothing.',
  },
  {
    name: 'flow',
    home: 'flow/',
    mayImport: ['json/', 'model/', 'schema/', 'store/', 'targets/target\\.ts', 'config\\.ts'],
    why: 'The flow knows the contract of targets, not one of them.',
  },
  { name: 'tasks', home: 'tasks/', mayImport: ['model/', 'store/', 'flow/', 'config\\.ts'], why: 'Clock and click drive the flow.' },
  {
    name: 'worker',
    home: 'worker/',
    mayImport: ['model/', 'store/', 'flow/', 'tasks/', 'config\\.ts'],
    why: 'Workers drive the flow and the tasks.',
  },
  {
    name: 'log',
    home: 'log\\.ts',
    mayImport: ['store/(db|sqlstate)\\.ts', 'targets/target\\.ts', 'config\\.ts'],
    why: 'The log knows errors, not what was done when they came.',
  },
  {
    name: 'services',
    home: 'services\\.ts',
    mayImport: ['model/', 'schema/', 'store/', 'targets/', 'flow/', '(config|log)\\.ts'],
    why: 'The core, wired; it knows nothing of HTTP or the command line.',
  },
  {
    name: 'http',
    home: 'http/',
    mayImport: ['json/', 'model/', 'schema/', 'store/', 'flow/', 'tasks/', 'targets/target\\.ts', 'config\\.ts', 'services\\.ts'],
    why: 'HTTP is one way in; nothing below it knows of it.',
  },
  {
    name: 'testing',
    home: 'testing/',
    mayImport: ['model/', 'store/', 'flow/', 'tasks/', 'config\\.ts', 'services\\.ts'],
    why: "Users' tests drive the core itself, without HTTP and workers.",
  },
  {
    name: 'root',
    home: '(sluice|index|node)\\.ts',
    mayImport: ['(json|model|schema|store|targets|flow|tasks|worker|http)/', '(config|services)\\.ts'],
    why: 'The composition root knows everything but the command line and the helpers for tests.',
  },
  {
    name: 'cli',
    home: 'cli/',
    mayImport: [
      '(config|services|sluice|node)\\.ts',
      'http/contract/',
      'json/',
      'model/',
      'worker/in-hand\\.ts',
      'store/(db|health|migrate|token|reads/integrations)\\.ts',
    ],
    why: 'A command calls the API or createSluice; it opens the store itself only to look after it (migrate, doctor, token).',
  },
]

/** What users import and run; http/contract/index.ts has the types for the admin's pages. */
const waysIn = '^src/(index|node|testing/index|payload/index|wagtail/index|cli/main|http/contract/index)\\.ts$'

const rules = [
  { name: 'no-cycles', comment: 'A cycle has no bottom to start reading from.', from: {}, to: { circular: true } },
  {
    name: 'no-dead-files',
    comment: 'Code that no way in leads to is dead.',
    from: { path: waysIn },
    to: { path: '^src/', pathNot: waysIn, reachable: false },
  },
  {
    name: 'stages-know-only-their-own',
    comment: 'Only flow/index.ts (and the dry run, which runs them all) knows the order of the stages.',
    from: { path: '^src/flow/(receive|validate|split|process|rollup)\\.ts$' },
    to: { path: '^src/flow/(index|receive|validate|split|process|rollup|dryrun)\\.ts$' },
  },
  {
    name: 'outside-is-out',
    comment: 'Tests, benchmarks and examples use the source, never the other way round.',
    from: { path: '^src/' },
    to: { path: '^(test|bench|examples|scripts)/' },
  },
  {
    name: 'only-what-users-get',
    comment: 'An installed package has its dependencies, not its devDependencies.',
    from: { path: '^src/' },
    to: { dependencyTypes: ['npm-dev', 'npm-optional', 'npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'no-dead-files-in-admin',
    comment: 'What the UI does not begin with, no page shows.',
    from: { path: '^admin/main\\.tsx$' },
    to: { path: '^admin/', pathNot: '^admin/(main\\.tsx|vite\\.config\\.ts)$', reachable: false },
  },
  {
    name: 'admin-knows-the-contract',
    comment: 'The UI is a program of its own in the browser: it knows the API by the types of http/contract, and nothing else.',
    from: { path: '^admin/' },
    to: { path: '^src/', pathNot: '^src/http/contract/index\\.ts$' },
  },
  {
    name: 'admin-takes-types-only',
    comment: 'What stands in http/contract would bring its schemas into the browser.',
    from: { path: '^admin/' },
    to: { path: '^src/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'server-without-admin',
    comment: "The server gives out the UI's built files; it never imports the source.",
    from: { path: '^src/' },
    to: { path: '^admin/' },
  },
  { name: 'no-missing-files', comment: 'An import leads somewhere.', from: {}, to: { couldNotResolve: true } },
  {
    name: 'layer-for-every-file',
    comment: 'A new file of src/ belongs to a layer: give it one in .dependency-cruiser.mjs.',
    from: { path: '^src/', pathNot: `^src/(${layers.map((layer) => layer.home).join('|')})` },
    to: {},
  },
  ...layers.map((layer) => ({
    name: `layer-${layer.name}`,
    comment: layer.why,
    from: { path: `^src/${layer.home}` },
    to: { path: '^src/', pathNot: `^src/(${[layer.home, 'errors\\.ts', ...layer.mayImport].join('|')})` },
  })),
]

// swc reads TypeScript here: dependency-cruiser cannot use TypeScript 7, which has no such API, and with the compiler's
// output (acorn) imports of types would be missed.
export default {
  forbidden: rules.map((rule) => ({ ...rule, severity: 'error' })),
  options: {
    parser: 'swc',
    doNotFollow: { path: ['node_modules', '^(test|bench|examples|scripts)/'] },
    // Packages that are ESM only have no other way in.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}
