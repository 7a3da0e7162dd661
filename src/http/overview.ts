/** The overview: one read for the first page of the UI. */

import { listPaused } from '../store/reads/integrations.ts'
import {
  countMessagesForPeople,
  listStuckChunks,
  type MinuteNumbers,
  readIntegrationNumbers,
  readThroughput,
} from '../store/reads/overview.ts'
import { answer, type Handlers } from './call.ts'
import type { Overview } from './contract/overview.ts'
import { raw } from './json.ts'

/** Handler of the overview. */
export const overview: Handlers<'overview'> = {
  async overview(call) {
    const { services, principal } = call
    const names = [...services.config.integrations.keys()].filter((name) => principal.integrations?.includes(name) ?? true).sort()
    const { db } = services
    const [numbers, minutes, messages, stuck, paused] = await Promise.all([
      readIntegrationNumbers(db, names),
      readThroughput(db, names),
      countMessagesForPeople(db, names),
      listStuckChunks(db, names),
      listPaused(db),
    ])
    return answer(call, {
      at: new Date().toISOString(),
      messages,
      stuck: stuck.map(({ messageId, lastError, ...chunk }) => ({ ...chunk, message: messageId, error: raw(lastError) })),
      integrations: numbers.map(({ integration, ...now }) => {
        const ofIt = minutes.filter((minute) => minute.integration === integration)
        return {
          ...now,
          name: integration,
          isPaused: paused.some((each) => each.integration === integration),
          processedLastHour: sum(ofIt, 'processed'),
          failedLastHour: sum(ofIt, 'failed'),
        }
      }),
      minutes: byMinute(minutes),
    })
  },
}

function sum(minutes: readonly MinuteNumbers[], of: 'processed' | 'failed'): number {
  return minutes.reduce((total, minute) => total + minute[of], 0)
}

function byMinute(minutes: readonly MinuteNumbers[]): Overview['minutes'] {
  return [...Map.groupBy(minutes, ({ at }) => at)].map(([at, ofMinute]) => ({
    at,
    processed: sum(ofMinute, 'processed'),
    failed: sum(ofMinute, 'failed'),
  }))
}
