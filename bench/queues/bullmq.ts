/**
 * BullMQ: jobs go in by `addBulk`, workers in processes of their own, each with the concurrency of its documentation's
 * example. Redis writes its log to disk with every command (`appendfsync always`), for PostgreSQL does so with every commit.
 */
import pg from 'pg'
import { apply, type Payload, type Queue } from './jobs.ts'

interface Library {
  Queue: new (
    name: string,
    options: object,
  ) => {
    addBulk(jobs: readonly { name: string; data: Payload; opts: object }[]): Promise<unknown>
    getJobCounts(...types: string[]): Promise<Record<string, number>>
    close(): Promise<void>
  }
  Worker: new (
    name: string,
    processor: (job: { data: Payload }) => Promise<void>,
    options: object,
  ) => { on(event: 'error', listener: (error: Error) => void): void; waitUntilReady(): Promise<unknown> }
}

const queueName = 'employees'

export const bullmq: Queue = {
  name: 'BullMQ',
  about:
    '`addBulk`; `concurrency: 50` over a pool of ten connections for jobs of one object, `concurrency: 4` for jobs of 1,000; Redis with `appendfsync always`',
  async open({ redisPort }) {
    const { Queue } = await library()
    const queue = new Queue(queueName, { connection: { host: '127.0.0.1', port: redisPort } })
    return {
      async enqueue(payloads) {
        await queue.addBulk(payloads.map((data) => ({ name: 'employees', data, opts: { attempts: 3 } })))
      },
      async left() {
        const { failed = 0, ...left } = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized', 'paused', 'failed')
        if (failed > 0) throw new Error(`BullMQ: ${failed} jobs have failed`)
        return Object.values(left).reduce((sum, count) => sum + count, 0)
      },
      close: () => queue.close(),
    }
  },
  async work({ databaseUrl, redisPort }, jobSize) {
    const { Worker } = await library()
    const pool = new pg.Pool({ connectionString: databaseUrl, max: jobSize === 1 ? 10 : 4 })
    const connection = { host: '127.0.0.1', port: redisPort, maxRetriesPerRequest: null }
    const worker = new Worker(queueName, async ({ data }) => apply(pool, data), {
      connection,
      concurrency: jobSize === 1 ? 50 : 4,
      removeOnComplete: { count: 1000 },
      removeOnFail: { count: 5000 },
    })
    worker.on('error', (error) => console.error(error))
    await worker.waitUntilReady()
  },
}

async function library(): Promise<Library> {
  const name: string = 'bullmq'
  return (await import(name)) as Library
}
