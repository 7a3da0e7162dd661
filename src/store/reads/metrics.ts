/** The numbers behind `/metrics`. Each is read from chunks, failures or messages: never from instances. */
import { outcomes } from '../../model/outcome.ts'
import type { Queryable } from '../db.ts'

export interface QueueNumbers {
  /** Instances waiting or being processed. */
  backlog: { integration: string; instances: number }[]
  /** Seconds since the arrival of the oldest thing that is still to be done: a message to be split, or a chunk. */
  oldest: { integration: string; seconds: number }[]
  /** Instances of the messages that are still kept, by what became of them. */
  outcomes: { integration: string; outcome: string; instances: number }[]
  failures: { integration: string; code: string; instances: number }[]
  messages: { status: number; count: number }[]
  /** Mean seconds per stage of the messages that came in the last hour and ended. */
  stages: { integration: string; stage: 'validate' | 'split' | 'process'; seconds: number }[]
}

const done = outcomes.join(' + ')

/** One pass over the chunks (a row per thousand instances), and over the failures and messages by index. */
export async function readQueueNumbers(db: Queryable): Promise<QueueNumbers> {
  const chunks = await db.query<Record<string, string | number | null> & { integration: string }>(
    `SELECT integration, sum(total - failed - (${done}))::float8 AS waiting,
       extract(epoch FROM now() - min(created_at) FILTER (WHERE state <> 'finished'))::float8 AS age,
       ${outcomes.map((outcome) => `sum(${outcome})::float8 AS ${outcome}`).join(', ')}
     FROM sluice.chunk GROUP BY integration ORDER BY integration`,
  )
  const unsplit = await db.query<{ integration: string; age: number }>(
    `SELECT integration, extract(epoch FROM now() - min(received_at))::float8 AS age
     FROM sluice.message WHERE status IN (0, 1) GROUP BY integration ORDER BY integration`,
  )
  const failures = await db.query<{ integration: string; code: string; instances: number }>(
    'SELECT integration, code, count(*)::float8 AS instances FROM sluice.failure GROUP BY integration, code ORDER BY integration, code',
  )
  const messages = await db.query<{ status: number; count: number }>(
    'SELECT status, count(*)::float8 AS count FROM sluice.message GROUP BY status ORDER BY status',
  )
  return {
    backlog: chunks.rows.map((row) => ({ integration: row.integration, instances: Number(row.waiting) })),
    oldest: oldestByIntegration([
      ...chunks.rows.map((row) => ({ integration: row.integration, age: Number(row.age ?? 0) })),
      ...unsplit.rows,
    ]),
    outcomes: chunks.rows.flatMap((row) =>
      outcomes.map((outcome) => ({ integration: row.integration, outcome, instances: Number(row[outcome]) })),
    ),
    failures: failures.rows,
    messages: messages.rows,
    stages: await readStages(db),
  }
}

function oldestByIntegration(ages: readonly { integration: string; age: number }[]): QueueNumbers['oldest'] {
  const oldest = new Map<string, number>()
  for (const { integration, age } of ages) oldest.set(integration, Math.max(age, oldest.get(integration) ?? 0))
  return [...oldest].map(([integration, seconds]) => ({ integration, seconds }))
}

async function readStages(db: Queryable): Promise<QueueNumbers['stages']> {
  const mean = (from: string, to: string): string => `avg(extract(epoch FROM ${to} - ${from}))::float8`
  const { rows } = await db.query<{ integration: string; validate: number; split: number; process: number }>(
    `SELECT integration, ${mean('received_at', 'validated_at')} AS validate, ${mean('validated_at', 'split_at')} AS split,
       ${mean('split_at', 'finished_at')} AS process
     FROM sluice.message WHERE received_at > now() - interval '1 hour' AND status IN (3, -3)
     GROUP BY integration ORDER BY integration`,
  )
  return rows.flatMap(({ integration, ...stages }) =>
    (['validate', 'split', 'process'] as const).map((stage) => ({ integration, stage, seconds: stages[stage] })),
  )
}
