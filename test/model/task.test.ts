import { describe, expect, test } from 'vitest'
import { normalizeParameters, parseInstanceIds } from '../../src/model/task.ts'

describe('parameters of a run', () => {
  test('ids are sorted and told once, and nothing undefined stays', () => {
    expect(
      normalizeParameters('reprocess', {
        messages: ['3', '003', '1'],
        instances: ['1.10', '1.2', '1.2'],
        integration: undefined,
        draft: false,
      }),
    ).toStrictEqual({ messages: ['1', '3'], instances: ['1.10', '1.2'], draft: false })
  })

  test('replay and asDraft are of reprocess alone', () => {
    expect(() => normalizeParameters('split', { replay: true })).toThrow('"replay" is for reprocess')
    expect(() => normalizeParameters('process', { asDraft: true })).toThrow('"asDraft" is for reprocess')
    expect(normalizeParameters('split', { replay: false, asDraft: false })).toStrictEqual({})
    expect(normalizeParameters('reprocess', { messages: ['1'], replay: true, asDraft: true })).toStrictEqual({
      messages: ['1'],
      replay: true,
      asDraft: true,
    })
    expect(normalizeParameters('reprocess', { replay: false })).toStrictEqual({})
  })

  test('a replay of everything is refused', () => {
    expect(() => normalizeParameters('reprocess', { replay: true })).toThrow('a replay needs')
    expect(() => normalizeParameters('reprocess', { replay: true, draft: true })).toThrow('a replay needs')
  })

  test.each(['', 'x', '-1', '1.5', '99999999999999999999', '9223372036854775808'])('"%s" is no id of a message', (id) => {
    expect(() => normalizeParameters('split', { messages: [id] })).toThrow(`"${id}" is no id`)
  })

  test.each(['', '1', '1.', '.1', '1.2.3', '1.x', '1.2147483648', 'x.1'])('"%s" is no id of an instance', (id) => {
    expect(() => parseInstanceIds([id])).toThrow(`"${id}" is no id`)
  })

  test.each([0, -1, Number.NaN, 36_501])('%d days are refused', (sinceDays) => {
    expect(() => normalizeParameters('reprocess', { sinceDays })).toThrow('"sinceDays"')
  })
})
