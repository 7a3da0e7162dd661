/** A process that faults happen to: takes messages in and works, and stops at the point that a test arms. */
import { receive } from '../../src/flow/index.ts'
import { createServices } from '../../src/services.ts'
import { createPostgres } from '../../src/store/postgres.ts'
import { startWorker, type Worker } from '../../src/worker/worker.ts'
import { type Point, withPoints } from './points.ts'
import { shopConfig } from './shop.ts'

/** What a test tells a victim. */
export type Order =
  | { arm: Point | null }
  | { goOn: true }
  | { work: boolean }
  | { receive: { integration: string; text: string; idempotencyKey: string } }
  | { end: true }

/** What a victim tells its test. */
export type News = { ready: true } | { reached: Point } | { receipt: { id: string } } | { refused: string } | { stopped: true }

const [url = ''] = process.argv.slice(2)
let armed: Point | null = null
let goOn: (() => void) | null = null
let worker: Worker | null = null

const tell = (news: News): void => {
  process.send?.(news)
}
const db = createPostgres({ url })
const services = createServices(
  shopConfig(),
  withPoints(db, async (point) => {
    if (armed === null || armed.stage !== point.stage || armed.when !== point.when) return
    armed = null
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve
    })
    tell({ reached: point })
    await waiting
  }),
)

process.on('message', async (order: Order) => {
  if ('arm' in order) armed = order.arm
  else if ('goOn' in order) goOn?.()
  else if ('receive' in order) await take(order.receive)
  else if ('work' in order) await work(order.work)
  else {
    await worker?.stop()
    await db.close()
    process.disconnect()
  }
})
process.once('disconnect', () => process.exit())
tell({ ready: true })

async function work(isWanted: boolean): Promise<void> {
  if (isWanted) worker ??= startWorker(services, { name: `victim ${process.pid}` })
  else {
    await worker?.stop()
    worker = null
    tell({ stopped: true })
  }
}

async function take({ integration, text, idempotencyKey }: { integration: string; text: string; idempotencyKey: string }): Promise<void> {
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text)
  }
  try {
    const { id } = await receive(services, { integration, source: 'test', body: body(), format: 'json', idempotencyKey, isDraft: false })
    tell({ receipt: { id } })
  } catch (error) {
    tell({ refused: String(error) })
  }
}
