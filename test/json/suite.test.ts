/** The cases of https://github.com/nst/JSONTestSuite, as the shared data has them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { SluiceError } from '../../src/errors.ts'
import { limits, outcome } from './support.ts'

const data = process.env.SLUICE_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))
const folder = `${data}/json-test-suite`

/** What must be accepted by RFC 8259, and is refused by a rule of ours. */
const refusedByUs: Record<string, string> = {
  'y_object_duplicated_key.json': 'duplicate_key',
  'y_object_duplicated_key_and_value.json': 'duplicate_key',
}

/** What is up to the implementation: `accepted`, or the code of the refusal. Escaped half surrogates and huge numbers stay. */
const upToUs: Record<string, string> = {
  'i_number_double_huge_neg_exp.json': 'accepted',
  'i_number_huge_exp.json': 'accepted',
  'i_number_neg_int_huge_exp.json': 'accepted',
  'i_number_pos_double_huge_exp.json': 'accepted',
  'i_number_real_neg_overflow.json': 'accepted',
  'i_number_real_pos_overflow.json': 'accepted',
  'i_number_real_underflow.json': 'accepted',
  'i_number_too_big_neg_int.json': 'accepted',
  'i_number_too_big_pos_int.json': 'accepted',
  'i_number_very_big_negative_int.json': 'accepted',
  'i_object_key_lone_2nd_surrogate.json': 'accepted',
  'i_string_1st_surrogate_but_2nd_missing.json': 'accepted',
  'i_string_1st_valid_surrogate_2nd_invalid.json': 'accepted',
  'i_string_UTF-16LE_with_BOM.json': 'invalid_utf8',
  'i_string_UTF-8_invalid_sequence.json': 'invalid_utf8',
  'i_string_UTF8_surrogate_U+D800.json': 'invalid_utf8',
  'i_string_incomplete_surrogate_and_escape_valid.json': 'accepted',
  'i_string_incomplete_surrogate_pair.json': 'accepted',
  'i_string_incomplete_surrogates_escape_valid.json': 'accepted',
  'i_string_invalid_lonely_surrogate.json': 'accepted',
  'i_string_invalid_surrogate.json': 'accepted',
  'i_string_invalid_utf-8.json': 'invalid_utf8',
  'i_string_inverted_surrogates_U+1D11E.json': 'accepted',
  'i_string_iso_latin_1.json': 'invalid_utf8',
  'i_string_lone_second_surrogate.json': 'accepted',
  'i_string_lone_utf8_continuation_byte.json': 'invalid_utf8',
  'i_string_not_in_unicode_range.json': 'invalid_utf8',
  'i_string_overlong_sequence_2_bytes.json': 'invalid_utf8',
  'i_string_overlong_sequence_6_bytes.json': 'invalid_utf8',
  'i_string_overlong_sequence_6_bytes_null.json': 'invalid_utf8',
  'i_string_truncated-utf-8.json': 'invalid_utf8',
  'i_string_utf16BE_no_BOM.json': 'json_syntax',
  'i_string_utf16LE_no_BOM.json': 'json_syntax',
  'i_structure_500_nested_arrays.json': 'too_deep',
  'i_structure_UTF-8_BOM_empty_object.json': 'json_syntax',
}

function verdict(name: string): string {
  const result = outcome([readFileSync(`${folder}/${name}`)], 'json', { ...limits, maxDepth: 64 })
  return result instanceof SluiceError ? result.code : 'accepted'
}

describe('JSONTestSuite', () => {
  if (!existsSync(folder)) {
    console.warn(`\n*** SKIPPED: JSONTestSuite. ${folder} is not there; set SLUICE_DATA to the folder that has json-test-suite/. ***\n`)
    it.skip('needs the shared data (SLUICE_DATA)', () => {})
    return
  }
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  const of = (prefix: string) => names.filter((name) => name.startsWith(prefix))

  it.each(of('y_'))('%s', (name) => {
    expect(verdict(name)).toBe(refusedByUs[name] ?? 'accepted')
  })

  it.each(of('n_'))('%s', (name) => {
    expect(['json_syntax', 'invalid_utf8', 'too_deep']).toContain(verdict(name))
  })

  it('decides what is up to us', () => {
    expect(Object.fromEntries(of('i_').map((name) => [name, verdict(name)]))).toEqual(upToUs)
  })
})
