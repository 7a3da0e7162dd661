/**
 * pg-boss: jobs go in by `insert`, its way for many. Workers fetch batches and go on at once while those are full. Its
 * transactional workers commit the effect together with the job's completion, as Sluice does.
 */
import { apply, type Payload, type Queue, type Runs } from './jobs.ts'

interface Boss {
  on(event: 'error', listener: (error: Error) => void): void
  start(): Promise<unknown>
  stop(): Promise<void>
  createQueue(name: string): Promise<void>
  insert(name: string, jobs: readonly { data: Payload }[]): Promise<unknown>
  work(
    name: string,
    options: object,
    handler: (jobs: readonly { data: Payload }[], transaction: Transaction) => Promise<void>,
  ): Promise<string>
  getDb(): Transaction
}

interface Transaction {
  executeSql(sql: string, values?: readonly unknown[]): Promise<{ rows: readonly { left: number; failed: number }[] }>
}

const queueName = 'employees'

export const pgBoss: Queue = {
  name: 'pg-boss',
  about:
    '`insert`; `work` with `transactional`, `burstWhenBatchFull`, `localConcurrency: 4`, and batches of 100 jobs of one object, each with a statement of its own, or of two jobs of 1,000',
  async open({ databaseUrl }) {
    const boss = await start(databaseUrl)
    await boss.createQueue(queueName)
    return {
      async enqueue(payloads) {
        await boss.insert(
          queueName,
          payloads.map((data) => ({ data })),
        )
      },
      async left() {
        const { rows } = await boss
          .getDb()
          .executeSql(
            `SELECT count(*) FILTER (WHERE state < 'completed')::integer AS left, count(*) FILTER (WHERE state > 'completed')::integer AS failed FROM pgboss.job WHERE name = '${queueName}' AND state <> 'completed'`,
          )
        if (rows[0]?.failed !== 0) throw new Error(`pg-boss: ${rows[0]?.failed} jobs have failed`)
        return rows[0].left
      },
      close: () => boss.stop(),
    }
  },
  async work({ databaseUrl }, jobSize) {
    const boss = await start(databaseUrl)
    const batchSize = jobSize === 1 ? 100 : 2
    const options = { batchSize, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5, localConcurrency: 4, transactional: true }
    await boss.work(queueName, options, async (jobs, transaction) => {
      const runs: Runs = { query: (sql, values) => transaction.executeSql(sql, values) }
      for (const { data } of jobs) await apply(runs, data)
    })
  },
}

async function start(connectionString: string): Promise<Boss> {
  const library: string = 'pg-boss'
  const { PgBoss }: { PgBoss: new (options: object) => Boss } = await import(library)
  const boss = new PgBoss({ connectionString, max: 12 })
  boss.on('error', (error) => console.error(error))
  await boss.start()
  return boss
}
