/** The words of the UI against docs/errors.md: every code that a person can meet there is said in words. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { codesEn } from '../../admin/i18n/codes-en.ts'
import { codesRu } from '../../admin/i18n/codes-ru.ts'

const docs = readFileSync('docs/errors.md', 'utf8')

/** The codes of one section of docs/errors.md. */
function codesOf(section: string): string[] {
  const text = docs.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...text.matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, code = '']) => code)
}

describe('words for', () => {
  test.each([
    ['Answers over HTTP', 'code'],
    ['Messages that are no JSON of ours', 'code'],
    ['Messages at -2', 'code'],
    ['Instances at -2', 'code'],
    ['Schema errors', 'issue'],
  ])('%s', (section, of) => {
    const codes = codesOf(section).filter((code) => section !== 'Answers over HTTP' || !programs.has(code))
    expect(codes.length).toBeGreaterThan(1)
    expect(codes.filter((code) => !(`${of}.${code}` in codesEn))).toEqual([])
  })

  test('in Russian each is Russian', () => {
    const same = Object.entries(codesRu).filter(([key, text]) => text === codesEn[key as keyof typeof codesEn])
    expect(same).toEqual([])
  })
})

/** Codes that only programs meet: the UI asks for nothing that is answered so. */
const programs = new Set([
  'bad_encoding',
  'bad_idempotency_key',
  'body_interrupted',
  'method_not_allowed',
  'unsupported_media_type',
  'unsupported_encoding',
  'not_ready',
  // In the list of what is wrong with a request
  'invalid',
  'unknown',
  'repeated',
  'missing',
])
