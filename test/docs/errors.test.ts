/** docs/errors.md against the source: every code there is, and no other. */
import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** Where the source writes a code down; the first group is the code. */
const places = [
  /new (?:SluiceError|ObjectError)\(\s*'([a-z0-9_]+)'/g,
  /\.error\(\s*'([a-z0-9_]+)',/g,
  /\bcode: '([a-z0-9_]+)'/g,
  /\bcode:[^'\n]*: '([a-z0-9_]+)'/g,
  /issueAt\([^,]+, '([a-z0-9_]+)'/g,
  /\brefuse\(\s*'([a-z0-9_]+)'/g,
  /#refusal\(\s*(?:\w+ \? '[a-z0-9_]+' : )?'([a-z0-9_]+)'/g,
  /errorAt\([^,]+,\s*'([a-z0-9_]+)'/g,
  /^ {2}'([a-z]+_[a-z]+)',$/gm,
  /#refusal\(\s*\w+ \? '([a-z0-9_]+)'/g,
  /tokenTooLong\(\s*'([a-z0-9_]+)'/g,
  /^ {2}'?\w+'?: '([a-z]+_(?:violation|error))'/gm,
  /'([a-z]+_(?:failed|error))'/g,
  /^ {2}([a-z_]+): \{ status: \d{3}/gm,
]

const source = globSync('src/**/*.ts')
  .filter((file) => !file.includes('http/contract'))
  .map((file) => readFileSync(file, 'utf8'))
const inSource = new Set(places.flatMap((place) => source.flatMap((text) => [...text.matchAll(place)].map(([, code]) => code))))
/** `custom` is zod's word inside the config's own schema. */
inSource.delete('custom')

const docs = readFileSync('docs/errors.md', 'utf8')
const inDocs = new Set([...docs.matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, code]) => code))

test('every code of the source is explained', () => {
  // One for each place that codes are written down in, so that none of the patterns has gone blind.
  const known = ['unknown_integration', 'mapping_failed', 'quarantined', 'split_failed', 'not_an_object', 'missing_version', 'too_deep']
  expect([...inSource]).toEqual(expect.arrayContaining([...known, 'key_too_long', 'invalid_utf8', 'check_violation', 'unavailable']))
  expect([...inSource].filter((code) => !inDocs.has(code)).sort()).toEqual([])
})

test('every code that is explained is one of the source', () => {
  const classes = new Set(['transient', 'permanent'])
  const gone = [...inDocs].filter((code) => !classes.has(code ?? '') && !source.some((text) => new RegExp(`\\b${code}\\b`).test(text)))
  expect(gone).toEqual([])
})
