import { expect, test } from 'vitest'
import type { Client } from '../../src/cli/client.ts'
import { messageDetails } from '../../src/cli/message-text.ts'
import { firstFailures } from '../../src/cli/wait.ts'
import type { Message } from '../../src/http/contract/message.ts'

const counts = {
  waiting: 0,
  processing: 0,
  processed: 1,
  failed: 1,
  created: 1,
  updated: 0,
  unchanged: 0,
  deleted: 0,
  superseded: 0,
  ignored: 0,
}
const message: Message = {
  id: '12',
  integration: 'organization',
  source: 'erp',
  status: -3,
  statusLabel: 'Processed with errors',
  total: 2,
  counts,
  isDraft: false,
  problem: null,
  paused: null,
  idempotencyKey: null,
  format: 'json',
  bodySize: 100,
  bodySha256: '00',
  receivedAt: '2026-01-01T00:00:00.000Z',
  validatedAt: '2026-01-01T00:00:00.000Z',
  splitAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:00.000Z',
  bodyPrunedAt: null,
  historyPrunedAt: null,
  instancesPrunedAt: null,
}

test('what retention removed is told, and failures that are gone are not asked for', async () => {
  const pruned = { ...message, bodyPrunedAt: '2026-02-01T00:00:00.000Z', instancesPrunedAt: '2026-03-01T00:00:00.000Z' }
  expect(messageDetails(message).join('\n')).not.toContain('retention')
  expect(messageDetails(pruned)).toEqual(
    expect.arrayContaining([
      'retention removed the body at 2026-02-01T00:00:00.000Z',
      'retention removed the instances at 2026-03-01T00:00:00.000Z',
    ]),
  )
  const asked: string[] = []
  const client = {
    get: (path: string) => {
      asked.push(path)
      return Promise.resolve({ items: [] })
    },
  } as unknown as Client
  expect(await firstFailures(client, pruned)).toEqual([])
  expect(asked).toEqual([])
  await firstFailures(client, message)
  expect(asked).toHaveLength(1)
})
