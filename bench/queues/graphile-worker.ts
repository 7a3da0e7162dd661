/** graphile-worker: jobs go in by `addJobs`; workers are set up as its page on performance has it. */
import { apply, type Payload, type Queue } from './jobs.ts'

type WithClient = <T>(
  work: (client: { query<Row>(sql: string, values?: readonly unknown[]): Promise<{ rows: Row[] }> }) => Promise<T>,
) => Promise<T>

interface Library {
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>
    addJobs(jobs: readonly { identifier: string; payload: Payload }[]): Promise<unknown>
    withPgClient: WithClient
    release(): Promise<void>
  }>
  run(options: object): Promise<unknown>
  Logger: new (sink: () => () => void) => object
}

const identifier = 'employees'

export const graphileWorker: Queue = {
  name: 'graphile-worker',
  about:
    '`addJobs`; `concurrentJobs: 24`, `localQueue: { size: 500 }` and `completeJobBatchDelay: 0` for jobs of one object; `concurrentJobs: 4` for jobs of 1,000',
  async open({ databaseUrl }) {
    const { makeWorkerUtils, Logger } = await library()
    const utils = await makeWorkerUtils({ connectionString: databaseUrl, logger: new Logger(() => () => {}) })
    await utils.migrate()
    return {
      async enqueue(payloads) {
        await utils.addJobs(payloads.map((payload) => ({ identifier, payload })))
      },
      left: () =>
        utils.withPgClient(async (client) => {
          const { rows } = await client.query<{ left: number; failed: number }>(
            'SELECT count(*)::integer AS left, (count(*) FILTER (WHERE last_error IS NOT NULL))::integer AS failed FROM graphile_worker.jobs',
          )
          if (rows[0]?.failed !== 0) throw new Error(`graphile-worker: ${rows[0]?.failed} jobs have failed`)
          return rows[0].left
        }),
      close: () => utils.release(),
    }
  },
  async work({ databaseUrl }, jobSize) {
    const { run, Logger } = await library()
    const forSmall = { concurrentJobs: 24, maxPoolSize: 25, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
    const worker = { connectionString: databaseUrl, ...(jobSize === 1 ? forSmall : { concurrentJobs: 4, maxPoolSize: 10 }) }
    await run({
      preset: { worker: { ...worker, logger: new Logger(() => () => {}) } },
      taskList: {
        [identifier]: (payload: Payload, { withPgClient }: { withPgClient: WithClient }) =>
          withPgClient((client) => apply(client, payload)),
      },
    })
  },
}

async function library(): Promise<Library> {
  const name: string = 'graphile-worker'
  return (await import(name)) as Library
}
